/** Where the server logs, as handlers of Tornado's kind know it: host/core/log.ts, in a component. */
import { inspect } from "./inspect.js";
import { report } from "./report.js";

export interface Logger {
  debug(fields: object | string, message?: string): void;
  info(fields: object | string, message?: string): void;
  warn(fields: object | string, message?: string): void;
  error(fields: object | string, message?: string): void;
}

function write(level: string, fields: object | string, message = ""): void {
  const text = typeof fields === "string" ? fields : message;
  report(`${level}: ${text}${typeof fields === "object" && "err" in fields ? `: ${inspect(fields.err)}` : ""}`);
}

/** Writes warnings and errors, and nothing below. */
export const logger: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => write("warning", fields, message),
  error: (fields, message) => write("error", fields, message),
};
