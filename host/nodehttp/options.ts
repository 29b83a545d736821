/**
 * Options of Node's server, each as the option of ours that it is.
 *
 * Invariant: what cannot be had is refused here, or stands in docs/node-handlers.md; no limit is silently wider than
 * what was asked for.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getDefaultHighWaterMark } from "node:stream";
import { UINT31_MAX } from "../core/check.js";
import { OptionError } from "../core/errors.js";
import { HEAD_BYTES_MAX, KEEP_ALIVE_BUFFER_MS, REQUEST_TIMEOUT_MS } from "../core/limits.js";
import type { ServerOptions } from "../server/options.js";
import type { ShouldUpgrade } from "./upgrades.js";

/** Options of Node's that hold here beside those of any server. */
export interface NodeServerOptions extends ServerOptions {
  /** Whether a request that offers an upgrade is given to `upgrade`; default: when `upgrade` has a listener. */
  shouldUpgradeCallback?: ShouldUpgrade | undefined;
  /** Node's name of `idleTimeoutMs`; 0: no limit. */
  keepAliveTimeout?: number | undefined;
  /** Node's name of `headerTimeoutMs`; 0: no limit. */
  headersTimeout?: number | undefined;
  /**
   * Milliseconds for a request's head and body together: 408, and the connection ends. Default 300,000; 0: no such
   * limit, only those of heads and of slow bodies.
   */
  requestTimeout?: number | undefined;
  /** Milliseconds that a connection waits longer for another request than its answers say. Default 1,000. */
  keepAliveTimeoutBuffer?: number | undefined;
  /** Node's name of `headBytesMax`. At most 65,536, which is the default, too. */
  maxHeaderSize?: number | undefined;
  /** The class of requests: one that extends Node's. */
  IncomingMessage?: typeof IncomingMessage | undefined;
  /** The class of answers: one that extends Node's. */
  ServerResponse?: typeof ServerResponse | undefined;
  /** Bytes of an answer that may wait for the client before `write` returns false; default: Node's of streams. */
  highWaterMark?: number | undefined;
  /** Joins all header fields of one name, also those of which else the first counts. Default false. */
  joinDuplicateHeaders?: boolean | undefined;
  /** `write` throws where the answer has no body, in place of dropping it. Default false. */
  rejectNonStandardBodyWrites?: boolean | undefined;
  /** Names of header fields of which an answer has one: what it has several values for is joined by `"; "`. */
  uniqueHeaders?: readonly string[] | undefined;
  /** Whether a request of HTTP/1.1 without Host is refused with 400. Default true. */
  requireHostHeader?: boolean | undefined;
  /** A request that says nothing of a body is a stream that has ended, from the start. Default false. */
  optimizeEmptyRequests?: boolean | undefined;
  /** There is no lenient parser: OptionError when it is true. */
  insecureHTTPParser?: boolean | undefined;
}

/** What Node's own classes of requests and answers do with it. */
export interface MessageOptions {
  readonly highWaterMark: number;
  readonly joinDuplicateHeaders: boolean;
  readonly rejectNonStandardBodyWrites: boolean;
  readonly optimizeEmptyRequests: boolean;
}

/** The part of `options` that is for requests and answers. */
export function messageOptions(options: NodeServerOptions): MessageOptions {
  const { highWaterMark, joinDuplicateHeaders = false, rejectNonStandardBodyWrites = false } = options;
  const { optimizeEmptyRequests = false } = options;
  return {
    highWaterMark: highWaterMark ?? getDefaultHighWaterMark(false),
    joinDuplicateHeaders,
    rejectNonStandardBodyWrites,
    optimizeEmptyRequests,
  };
}

/** Properties and options of Node's server that are limits of ours, and those. */
const LIMITS = {
  keepAliveTimeout: "idleTimeoutMs",
  headersTimeout: "headerTimeoutMs",
  maxRequestsPerSocket: "requestsMax",
  maxHeaderSize: "headBytesMax",
} as const;

/** The limit of a head by both of Node's: that of whole requests holds for a head, too. */
export function headLimit(headersTimeout: number, requestTimeout: number): number {
  if (headersTimeout === 0 || requestTimeout === 0) return headersTimeout || requestTimeout;
  return Math.min(headersTimeout, requestTimeout);
}

type LimitName = keyof typeof LIMITS;

/** Throws OptionError that names Node's limit. */
export function checkLimit(name: LimitName | "requestTimeout" | "keepAliveTimeoutBuffer", value: number | null): void {
  const isNumber = value === null || (typeof value === "number" && value >= 0);
  if (!isNumber) throw new OptionError(`${name} must be a number that is not negative, not ${String(value)}`);
}

/** The option of ours for a limit of Node's, where 0 is none. Throws OptionError that names Node's. */
export function limitOption(name: LimitName, value: number | null): ServerOptions {
  checkLimit(name, value);
  if (name === "maxHeaderSize") {
    if (Number(value) > HEAD_BYTES_MAX)
      throw new OptionError(`maxHeaderSize is at most ${HEAD_BYTES_MAX}, not ${value}`);
    return value ? { headBytesMax: Math.ceil(value) } : {};
  }
  return { [LIMITS[name]]: Math.min(Math.ceil(value || UINT31_MAX), UINT31_MAX) };
}

/** The number that Node has for one of ours. */
export function nodeLimit(value: number): number {
  return value === UINT31_MAX ? 0 : value;
}

/** Node's limits that are no options of other servers; `limits` are those of the sandbox. */
export function requestLimits({
  requestTimeout = REQUEST_TIMEOUT_MS,
  keepAliveTimeoutBuffer = KEEP_ALIVE_BUFFER_MS,
}: NodeServerOptions): { requestTimeoutMs: number; idleBufferMs: number } {
  checkLimit("requestTimeout", requestTimeout);
  checkLimit("keepAliveTimeoutBuffer", keepAliveTimeoutBuffer);
  return { requestTimeoutMs: requestTimeout, idleBufferMs: keepAliveTimeoutBuffer };
}

/** The options of any server that `options` ask for. Throws OptionError. */
export function serverOptions(options: NodeServerOptions): ServerOptions {
  const { shouldUpgradeCallback, IncomingMessage, ServerResponse, insecureHTTPParser, requestTimeout, ...rest } =
    options;
  const { uniqueHeaders, requireHostHeader, optimizeEmptyRequests, keepAliveTimeoutBuffer, ...given } = rest;
  if (insecureHTTPParser) throw new OptionError("insecureHTTPParser: the sandbox has no lenient parser");
  const { keepAliveTimeout, headersTimeout, maxHeaderSize, ...own } = given;
  const limits = Object.entries({ keepAliveTimeout, headersTimeout, maxHeaderSize }).map(([name, value]) =>
    value === undefined ? {} : limitOption(name as LimitName, value),
  );
  return Object.assign(own, ...limits);
}
