/**
 * What is said when an application cannot be loaded: which file, where in it, and what to do.
 *
 * Invariant: the message is one line; what helps beyond it, the code or the whole stack, is for a terminal.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { errorLine, oneLine } from "../../../core/log.js";
import { isModuleFile } from "./moduleformat.js";

/** A process is started for each file that may be the broken one. */
const CHECKED_FILES_MAX = 20;

export class LoadError extends Error {
  /** The lines below the message on a terminal. */
  readonly details: string;

  constructor(message: string, details: string, cause: unknown) {
    super(message, { cause });
    this.details = details;
  }
}

/** `file`: the application; `loaded`: its files as far as they are known, in the order in which they were asked for. */
export function loadError(file: string, loaded: readonly string[], error: unknown): LoadError {
  const broken = brokenCode(file, loaded, error);
  if (broken !== null) {
    const { why, place, code } = broken;
    return new LoadError(`cannot load ${file}: SyntaxError: ${why} (at ${place})`, code, error);
  }
  const missing = missingModule(error);
  if (missing !== null) return new LoadError(`cannot load ${file}: ${missing}`, "", error);
  return new LoadError(`cannot load ${file}: ${errorLine(error)}`, inspect(error), error);
}

interface BrokenCode {
  readonly why: string;
  /** `file:line` or `file:line:column`. */
  readonly place: string;
  /** The line with a mark below it. */
  readonly code: string;
}

function brokenCode(file: string, loaded: readonly string[], error: unknown): BrokenCode | null {
  if (!(error instanceof Error)) return null;
  if (error.name === "TransformError") return ofTransform(error.message);
  if (error.name !== "SyntaxError") return null;
  const found = ofStack(error.stack ?? "");
  if (found !== null) return found;
  for (const each of [...loaded.slice(1 - CHECKED_FILES_MAX).reverse(), file]) {
    const checked = check(each);
    if (checked !== null) return checked;
  }
  return null;
}

/** esbuild's message, whose columns begin with 0. */
function ofTransform(message: string): BrokenCode | null {
  const match = /^(\S.*):(\d+):(\d+): ERROR: (.+)$/m.exec(message);
  if (match === null) return null;
  const [, file = "", line = "", column = "", why = ""] = match;
  const text = textOf(file).split("\n")[Number(line) - 1] ?? "";
  return { why, place: `${file}:${line}:${Number(column) + 1}`, code: `${text}\n${" ".repeat(Number(column))}^` };
}

/** V8 writes the place, the line and a mark above some errors. */
function ofStack(stack: string): BrokenCode | null {
  const [first = "", text = "", mark = "", ...rest] = stack.split("\n");
  const [, name = "", line] = /^(\S.*):(\d+)$/.exec(first) ?? [];
  const why = rest.find((each) => each.startsWith("SyntaxError: "));
  if (line === undefined || why === undefined || !/^\s*\^+$/.test(mark)) return null;
  const file = name.startsWith("file:") ? fileURLToPath(name) : name;
  const place = `${file}:${line}:${mark.indexOf("^") + 1}`;
  return { why: why.slice("SyntaxError: ".length), place, code: `${text}\n${mark}` };
}

/** Node keeps the place of such an error in a module to itself, but says it when it checks the file. */
function check(file: string): BrokenCode | null {
  if (!/\.[cm]?js$/.test(file)) return null;
  const type = isModuleFile(file) ? ["--input-type=module"] : [];
  const { stderr } = spawnSync(process.execPath, ["--check", ...type, "-"], { input: textOf(file), encoding: "utf8" });
  const found = ofStack(stderr);
  return found === null ? null : { ...found, place: found.place.replace("[stdin]", file) };
}

/** A name alone is a package; what begins with a dot or a slash is a file. The message says which file imports it. */
function missingModule(error: unknown): string | null {
  const { code, message = "" } = error as NodeJS.ErrnoException;
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") return null;
  const [, name] = /^Cannot find (?:package|module) '([^'./][^']*)'/.exec(message) ?? [];
  if (name === undefined) return oneLine(message);
  const [, from] = /imported from (.+)$/m.exec(message) ?? /^- (.+)$/m.exec(message) ?? [];
  const [scope = "", inner] = name.split("/");
  const wanted = scope.startsWith("@") ? `${scope}/${inner}` : scope;
  return `there is no package ${wanted}${from === undefined ? "" : `, which ${from} imports`}; npm install ${wanted}`;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
