/**
 * What an error says about itself: the frames of its stack, and what caused it.
 *
 * Reference: V8's stack trace API (https://v8.dev/docs/stack-trace-api).
 */
import { dirname, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package's own code, whether it is bundled or not. */
const OWN_FOLDER = dirname(dirname(fileURLToPath(import.meta.url))) + sep;

/** Errors that are shown of one, itself included. */
const ERRORS_MAX = 8;

/** A line of a stack. */
export interface Frame {
  /** As V8 writes it, from "at" on. */
  readonly text: string;
  /** The function's name; "" for a module's own code. */
  readonly name: string;
  /** The path of its file; null for code that is in none. */
  readonly file: string | null;
  readonly line: number;
  readonly column: number;
  /** It is not Node's own code and no package's, this one's included. */
  readonly isApplication: boolean;
}

/** The text of a property that may be no text, or throw when it is read. */
export function textOf(error: Error, property: "name" | "message" | "stack"): string {
  try {
    return String(error[property] ?? "");
  } catch {
    return "";
  }
}

/** The frames of an error's stack, the innermost first. */
export function framesOf(error: Error): Frame[] {
  const lines = textOf(error, "stack").split("\n");
  return lines.map((line) => line.trim()).flatMap((line) => (line.startsWith("at ") ? [frameOf(line)] : []));
}

/** The frame where the application's own code is; where none of it is, the first; undefined: there are no frames. */
export function placeIn(frames: readonly Frame[]): Frame | undefined {
  return frames.find(({ isApplication }) => isApplication) ?? frames[0];
}

/** `at name (file:line:column)` or `at file:line:column`. */
function frameOf(text: string): Frame {
  const open = text.endsWith(")") ? text.lastIndexOf(" (") : -1;
  const name = open < 0 ? "" : text.slice("at ".length, open);
  const place = open < 0 ? text.slice("at ".length) : text.slice(open + " (".length, -1);
  const [, path = "", line, column] = /^(.+):(\d+):(\d+)$/.exec(place) ?? [];
  const file = pathOf(path.startsWith("async ") ? path.slice("async ".length) : path);
  const isApplication = file !== null && !/[/\\]node_modules[/\\]/.test(file) && !file.startsWith(OWN_FOLDER);
  return { text, name, file, line: Number(line), column: Number(column), isApplication };
}

function pathOf(place: string): string | null {
  if (place.startsWith("/") || /^[A-Za-z]:[/\\]/.test(place)) return place;
  if (!place.startsWith("file://")) return null;
  try {
    return fileURLToPath(place);
  } catch {
    return null; // a file of another host
  }
}

/** `error`, what caused it, what caused that, and so on: each once, and at most ERRORS_MAX. */
export function withCauses(error: unknown): unknown[] {
  const all: unknown[] = [];
  const waiting = [error];
  while (waiting.length > 0 && all.length < ERRORS_MAX) {
    const next = waiting.shift();
    if (all.includes(next)) continue;
    all.push(next);
    if (next instanceof AggregateError) waiting.push(...next.errors);
    if (next instanceof Error && next.cause !== undefined) waiting.push(next.cause);
  }
  return all;
}
