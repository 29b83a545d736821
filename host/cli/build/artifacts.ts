/**
 * What is published of a built application: the module, an OCI image layout of it, a list of what is in it (SBOM), the
 * WIT of what a component imports, and the checksums of all that.
 *
 * Invariant: the same sources, built by the same versions, give the same bytes. The only time in there is
 * SOURCE_DATE_EPOCH, or the beginning of 1970.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Built, type Files, sha256, textOf } from "./built.js";
import { ociLayout } from "./oci.js";
import { sbom } from "./sbom.js";

/** Writes the files into `folder`, which is made; what else is in it stays. Returns their paths. */
export function writeArtifacts(folder: string, built: Built): string[] {
  const created = timeOfSources();
  const stem = basename(built.file, ".wasm");
  const files: Files = new Map<string, Uint8Array | string>([
    [built.file, built.bytes],
    [`${stem}.cdx.json`, textOf(sbom(built, created))],
    ...(built.wit === null ? [] : [[`${stem}.wit`, built.wit.text] as const]),
  ]);
  for (const [path, content] of ociLayout(built, created)) files.set(`oci/${path}`, content);
  const paths = [...files.keys()].sort();
  const sums = paths.map((path) => `${sha256(files.get(path) as string)}  ${path}\n`);
  files.set("SHA256SUMS", sums.join(""));
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return [...files.keys()].sort().map((path) => join(folder, path));
}

/** Reference: reproducible-builds.org, SOURCE_DATE_EPOCH. */
function timeOfSources(): string {
  const seconds = process.env.SOURCE_DATE_EPOCH ?? "0";
  if (!/^\d{1,12}$/.test(seconds)) throw new Error(`SOURCE_DATE_EPOCH must be a number of seconds, not ${seconds}`);
  return new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
}
