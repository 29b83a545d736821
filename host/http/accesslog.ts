/**
 * The access log: one entry for every request that a handler was called with, when its answer is complete or cannot be
 * any more.
 *
 * Invariant: what a peer sent is in an entry only as visible ASCII of a bounded length, so a line is one line and its
 * fields stay apart. docs/logs.md is the reference for both forms.
 */
import type { Address } from "../core/address.js";
import type { Reason } from "../core/errors.js";
import { OptionError } from "../core/errors.js";
import { LOG_TARGET_CHARS_MAX } from "../core/limits.js";
import { stderrLines } from "../core/linewriter.js";
import { errorLine, type Logger } from "../core/log.js";

/** One request that is over. */
export interface AccessEntry {
  /** As it came. */
  readonly method: string;
  /**
   * The request-target as it came; `\xNN` for each byte that is not visible ASCII, a quote or a backslash; cut beyond
   * 2,048 characters.
   */
  readonly target: string;
  /** The status of the answer; null when the connection ended before there was one. */
  readonly status: number | null;
  /** Bytes of the answer's body: all of it, or as many as had left when the connection ended. */
  readonly bytes: number;
  /** From the request's head until the answer was complete, in milliseconds with three decimals. */
  readonly ms: number;
  /** The peer's IP address; null where it is not known. */
  readonly address: string | null;
  /** Why the connection ended before the answer was complete, such as `"RESET"`; null when it is complete. */
  readonly aborted: Reason | null;
}

/** Takes entries. It is called on the way of a request, so it should be quick. */
export type AccessLog = (entry: AccessEntry) => void;

/** The forms that are written to stderr, and none. */
export const ACCESS_LOG_FORMS = ["text", "json", "off"] as const;
/** A form that is written to stderr, or none. */
export type AccessLogForm = (typeof ACCESS_LOG_FORMS)[number];

/** What the option `accessLog` may be: a form for stderr, a function, or a logger whose `info` is called. */
export type AccessLogOption = AccessLogForm | AccessLog | Pick<Logger, "info">;

/** The log that `option` asks for, null for none. Throws OptionError when it is none of those. */
export function resolveAccessLog(option: unknown, logger: Logger): AccessLog | null {
  if (option === "off") return null;
  if (option === "text") return (entry) => stderrLines.gather(textLine(entry, Date.now()));
  if (option === "json") return (entry) => stderrLines.gather(jsonLine(entry, Date.now()));
  if (typeof option === "function") return guarded(option as AccessLog, logger);
  if (typeof option === "object" && option !== null && typeof (option as Logger).info === "function") {
    return guarded((entry) => (option as Logger).info(entry, "request"), logger);
  }
  throw new OptionError(`accessLog must be "text", "json", "off", a function or a logger, not ${String(option)}`);
}

/** The entry of a request that came at `cameMs` of the monotonic clock and is over now. */
export function accessEntry(
  request: { readonly method: string; readonly target: string; readonly remoteAddress: Address | null },
  cameMs: number,
  status: number | null,
  bytes: number,
  aborted: Reason | null,
): AccessEntry {
  const ms = Math.round((performance.now() - cameMs) * 1000) / 1000;
  const address = request.remoteAddress?.address ?? null;
  return { method: visible(request.method), target: visible(request.target), status, bytes, ms, address, aborted };
}

/** What throws while it logs must not harm the request. */
function guarded(log: AccessLog, logger: Logger): AccessLog {
  return (entry) => {
    try {
      log(entry);
    } catch (error) {
      logger.error(`the access log failed: ${errorLine(error)}`);
    }
  };
}

/** `time address method target status bytes ms`, and the reason of one that was cut off. */
export function textLine(entry: AccessEntry, now: number): string {
  const { method, target, status, bytes, ms, address, aborted } = entry;
  const end = aborted === null ? "\n" : ` ${aborted}\n`;
  return `${timestamp(now)} ${address ?? "-"} ${method} ${target} ${status ?? "-"} ${bytes} ${ms}ms${end}`;
}

/** One JSON object with the names of pino: `level` 30 is "info". */
export function jsonLine(entry: AccessEntry, now: number): string {
  const { method, target, status, bytes, ms, address, aborted } = entry;
  const from = address === null ? "null" : quoted(address);
  const end = aborted === null ? "}\n" : `,"aborted":"${aborted}"}\n`;
  return (
    `{"level":30,"time":${now},"msg":"request","method":${quoted(method)},"target":${quoted(target)},` +
    `"status":${status},"bytes":${bytes},"ms":${ms},"address":${from}${end}`
  );
}

const PLAIN = /^[!#-[\]-~]*$/;

/** `text` as visible ASCII without quotes and backslashes, at most LOG_TARGET_CHARS_MAX characters of it. */
export function visible(text: string): string {
  if (text.length <= LOG_TARGET_CHARS_MAX && PLAIN.test(text)) return text;
  const escaped = text.slice(0, LOG_TARGET_CHARS_MAX).replace(/[^!#-[\]-~]/gu, (character) => {
    const code = character.codePointAt(0) as number;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
  const isCut = Math.max(escaped.length, text.length) > LOG_TARGET_CHARS_MAX;
  return isCut ? `${escaped.slice(0, LOG_TARGET_CHARS_MAX)}...` : escaped;
}

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

let stampOf = Number.NaN;
let stamp = "";

/** Under load many lines are of the same millisecond. */
function timestamp(now: number): string {
  if (now !== stampOf) {
    stampOf = now;
    stamp = new Date(now).toISOString();
  }
  return stamp;
}
