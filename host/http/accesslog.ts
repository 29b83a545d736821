/**
 * The access log: one entry for every request that a handler was called with, when its answer is complete or cannot be
 * any more. accessline.ts writes the two forms.
 *
 * Invariant: what a peer sent is in an entry only as visible ASCII of a bounded length, so a line is one line and its
 * fields stay apart. Reference: docs/logs.md.
 */
import { METHOD_OTHER } from "../bridge/methods.js";
import type { Address } from "../core/address.js";
import type { Reason } from "../core/errors.js";
import { OptionError } from "../core/errors.js";
import { stderrLines } from "../core/linewriter.js";
import { errorLine, type Logger } from "../core/log.js";
import { jsonLine, type LineForm, lineBytesMax, textLine, visible } from "./accessline.js";

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
  /** The request's id, where it has one: option `requestIds`. */
  readonly requestId?: string;
  /** The trace that the request is a part of, 32 hexadecimal digits, where that is known. */
  readonly traceId?: string;
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
  if (option === "text") return (entry) => gatherLine(textLine, entry);
  if (option === "json") return (entry) => gatherLine(jsonLine, entry);
  if (typeof option === "function") return guarded(option as AccessLog, logger);
  if (typeof option === "object" && option !== null && typeof (option as Logger).info === "function") {
    return guarded((entry) => (option as Logger).info(entry, "request"), logger);
  }
  throw new OptionError(`accessLog must be "text", "json", "off", a function or a logger, not ${String(option)}`);
}

/** What an entry is made of. */
export interface Logged {
  readonly method: string;
  /** The method's number in the protocol; 0 is one that has none. */
  readonly methodNumber: number;
  readonly target: string;
  readonly remoteAddress: Address | null;
  readonly requestId: string | null;
  readonly traceId: string | null;
}

/** Both clocks by one reading: the wall clock is asked every few milliseconds what it is ahead of the monotonic one. */
const clock = {
  ms: 0,
  wallMs: 0,
  aheadMs: 0,
  askedMs: Number.NEGATIVE_INFINITY,

  read(): void {
    this.ms = performance.now();
    if (this.ms - this.askedMs > ASK_AGAIN_MS) {
      this.askedMs = this.ms;
      this.aheadMs = Date.now() - this.ms;
    }
    this.wallMs = Math.round(this.ms + this.aheadMs);
  },
};
const ASK_AGAIN_MS = 5;

/** The entry of a request that came at `cameMs` of the monotonic clock and is over now. */
export function accessEntry(
  request: Logged,
  cameMs: number,
  status: number | null,
  bytes: number,
  aborted: Reason | null,
): AccessEntry {
  clock.read();
  const ms = Math.round((clock.ms - cameMs) * 1000) / 1000;
  const address = request.remoteAddress?.address ?? null;
  const method = request.methodNumber === METHOD_OTHER ? visible(request.method) : request.method;
  const entry = { method, target: visible(request.target), status, bytes, ms, address, aborted };
  const { requestId, traceId } = request;
  if (requestId === null && traceId === null) return entry;
  return {
    ...entry,
    ...(requestId !== null && { requestId: visible(requestId) }),
    ...(traceId !== null && { traceId }),
  };
}

function gatherLine(write: LineForm, entry: AccessEntry): void {
  const at = stderrLines.reserve(lineBytesMax(entry));
  if (at >= 0) stderrLines.gathered(write(entry, clock.wallMs, stderrLines.block, at));
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
