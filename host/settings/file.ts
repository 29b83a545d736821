/**
 * A file of settings: one JSON object. Its key `application` holds the settings that the application has defined.
 *
 * Invariants: the whole file is checked, also keys that flags override; an error names the file and the key.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "../core/errors.js";
import { checked, type Settings, type Source } from "./settings.js";

/** The name of the file that is used when it stands beside an application. */
export const SETTINGS_FILE = "waterspout.config.json";

export interface SettingsFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The file that `waterspout run APP` reads: the one that was named, else the one beside APP. */
export function settingsPath(application: string, named: string | undefined): string {
  return named ?? join(dirname(application), SETTINGS_FILE);
}

/** Reads `path`. Returns null when the file is missing and not needed. Throws UsageError. */
export function readSettingsFile(path: string, isNeeded: boolean): SettingsFile | null {
  if (!isNeeded && !existsSync(path)) return null;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
  return { path, values: objectOf(parse(text, path), path) };
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is no JSON: ${(error as Error).message.split("\n")[0]}`, { cause: error });
  }
}

/** `value`, if it is an object. Throws UsageError. */
export function objectOf(value: unknown, origin: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new UsageError(`${origin} must be an object, not ${JSON.stringify(value)}`);
}

/** Throws UsageError for a key that is none of `settings`, and for a value that its setting cannot have. */
export function checkValues(values: Readonly<Record<string, unknown>>, settings: Settings, path: string): void {
  for (const [name, value] of Object.entries(values)) {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (setting === undefined) throw new UsageError(`${path}: ${name} is no setting${instead(settings)}`);
    checked(setting, { value, origin: `${path}: ${name}` });
  }
}

function instead(settings: Settings): string {
  const names = Object.keys(settings);
  return names.length === 0 ? "" : `; there are ${names.join(", ")}`;
}

/** The values of a file as a source. */
export function fileSource(values: Readonly<Record<string, unknown>>, path: string): Source {
  return (name) => (Object.hasOwn(values, name) ? { value: values[name], origin: `${path}: ${name}` } : undefined);
}
