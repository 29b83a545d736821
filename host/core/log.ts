/**
 * Where waterspout reports what no caller gets as an error: a failed handler, an ended worker, the sandbox's own lines.
 * Any pino-shaped object will do; the default writes one line to stderr.
 */

import { inspect } from "node:util";
import { stderrLines } from "./linewriter.js";
import { framesOf, placeIn, textOf, withCauses } from "./stack.js";

/** The part of pino that is used. A message comes alone, or after an object that may hold `err`. */
export interface Logger {
  /** Details for finding a fault. */
  debug(fields: object | string, message?: string): void;
  /** What happens in good order. */
  info(fields: object | string, message?: string): void;
  /** What an operator should look at, and the server gets over. */
  warn(fields: object | string, message?: string): void;
  /** What has failed, such as a handler that threw. */
  error(fields: object | string, message?: string): void;
}

/** Longest line taken over from a worker; what is longer is cut, since its text is not ours. */
const LINE_BYTES_MAX = 4096;

/**
 * One line for an error: its name, its message and, unless that has a place, the application's first in its stack. What
 * caused it follows, unless its message says that already.
 */
export function errorLine(error: unknown): string {
  let line = "";
  for (const cause of withCauses(error)) {
    if (line === "") line = singleLine(cause);
    else if (!line.includes(oneLine(cause instanceof Error ? textOf(cause, "message") : thrownText(cause)))) {
      line += `; caused by ${singleLine(cause)}`;
    }
  }
  return line;
}

function singleLine(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(thrownText(error));
  const text = oneLine(`${textOf(error, "name")}: ${textOf(error, "message")}`);
  const place = /\S:\d+:\d+\b/.test(text) ? undefined : placeOf(error);
  return place === undefined ? text : `${text} (${place})`;
}

/** The text of what was thrown and is no error. */
function thrownText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return inspect(value);
  }
}

/** The stack of what is no JavaScript begins with its file and line. */
function placeOf(error: Error): string | undefined {
  const [first = ""] = textOf(error, "stack").split("\n");
  if (/^(file:\/\/)?\/.*:\d+$/.test(first)) return `at ${first}`;
  return placeIn(framesOf(error))?.text;
}

/** `text` without line breaks and other control characters, so that it cannot forge a line of its own. */
export function oneLine(text: string): string {
  return withoutControls(text).trim();
}

/** The same for a text of several lines, each of which is indented. */
export function manyLines(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${withoutControls(line)}`.trimEnd())
    .join("\n");
}

function withoutControls(text: string): string {
  let line = "";
  for (const character of text) line += isControl(character) ? " " : character;
  return line;
}

function isControl(character: string): boolean {
  const code = character.charCodeAt(0);
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/** What is given to a logger, as one line. */
export function logLine(fields: object | string, message?: string): string {
  const text = typeof fields === "string" ? fields : message;
  return `${oneLine(text ?? "")}${hasError(fields) ? `: ${errorLine(fields.err)}` : ""}`;
}

function hasError(fields: object | string): fields is { err: unknown } {
  return typeof fields === "object" && "err" in fields;
}

function write(level: string, fields: object | string, message?: string): void {
  const details = hasError(fields) && process.stderr.isTTY ? `${manyLines(inspect(fields.err))}\n` : "";
  stderrLines.write(`waterspout: ${level}${logLine(fields, message)}\n${details}`);
}

/** Writes warnings and errors to stderr, and says nothing below. */
export const defaultLogger: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => write("warning: ", fields, message),
  error: (fields, message) => write("error: ", fields, message),
};

/** Cuts a worker's output into lines for `emit`; the bytes are a sandbox's, so length and characters are bounded. */
export class LineReader {
  #pending = "";
  readonly #emit: (line: string) => void;

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(chunk: Uint8Array): void {
    const lines = (this.#pending + Buffer.from(chunk).toString("utf8")).split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
    this.#pending = rest.slice(0, LINE_BYTES_MAX);
  }

  /** The rest without a line end, when no more will come. */
  end(): void {
    this.#line(this.#pending);
    this.#pending = "";
  }

  #line(line: string): void {
    const text = oneLine(line.slice(0, LINE_BYTES_MAX));
    if (text !== "") this.#emit(text);
  }
}
