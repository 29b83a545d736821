/**
 * The parts of a component's platform that few applications need: such a part is there when one of its names stands in
 * the application's modules, as code or otherwise. So those that name none of them stay small.
 */
import { readFileSync } from "node:fs";
import { sep } from "node:path";

/** By the module of edge/. */
const NAMES: Readonly<Record<string, RegExp>> = {
  "compression.js": /\b(?:Dec|C)ompressionStream\b/,
  "forms.js": /\b(?:FormData|formData|Blob|blob|File)\b/,
  "subtle.js": /\bsubtle\b/,
  "urlpattern.js": /\bURLPattern\b/,
};

/** Modules of `platformFolder` for an application of these files, some of which may be the platform's own. */
export function partsFor(files: readonly string[], platformFolder: string): string[] {
  const texts = files
    .filter((file) => !file.startsWith(platformFolder + sep))
    .map((file) => readFileSync(file, "utf8"));
  return Object.keys(NAMES).filter((part) => texts.some((text) => NAMES[part]?.test(text)));
}
