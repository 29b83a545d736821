/**
 * A middleware that bounds how many requests a client may send.
 *
 * Invariant: the table has at most `clientsMax` clients, each with one number and a key of bounded length; when it is
 * full the client that has been silent longest is forgotten.
 * Reference: the generic cell rate algorithm, ITU-T I.371.
 */
import { createHash } from "node:crypto";
import { UINT31_MAX, wholeNumber } from "../core/check.js";
import { RATE_LIMIT_CLIENTS_MAX, RATE_LIMIT_KEY_CHARS_MAX } from "../core/limits.js";
import type { HTTPServerRequest } from "../http/request.js";
import { HTTPError } from "./errors.js";
import type { Middleware } from "./middleware.js";

/** What `rateLimit` takes. */
export interface RateLimitOptions {
  /** Requests that a client may send within `windowMs`, all at once or spread. */
  requests: number;
  /** Milliseconds. Default: 60,000. */
  windowMs?: number;
  /** Clients that are counted apart; beyond that the one that was silent longest is forgotten. Default: 10,000. */
  clientsMax?: number;
  /**
   * The key that a request is counted by; null: it is not counted. Default: the client's IPv4 address, or the /64
   * network of its IPv6 address. Clients without one (the runtime `wasmtime` without TLS, PROXY protocol and
   * `xheaders`) are counted as one.
   */
  keyOf?: (request: HTTPServerRequest) => string | null;
}

const WINDOW_MS = 60_000;

/** Answers clients that send too much with 429 and `Retry-After`. Throws OptionError for numbers out of range. */
export function rateLimit({ requests, windowMs = WINDOW_MS, clientsMax, keyOf }: RateLimitOptions): Middleware {
  wholeNumber("rateLimit.requests", requests, 1, UINT31_MAX);
  wholeNumber("rateLimit.windowMs", windowMs, 1, UINT31_MAX);
  const most = wholeNumber("rateLimit.clientsMax", clientsMax ?? RATE_LIMIT_CLIENTS_MAX, 1, 2 ** 24);
  const intervalMs = windowMs / requests;
  /** When each client will be as one that is new, if it sends nothing until then; the last one to come stands last. */
  const clients = new Map<string, number>();
  const find = keyOf ?? networkOfClient();
  return (request, next) => {
    const given = find(request);
    if (given === null) return next();
    const key = given.length > RATE_LIMIT_KEY_CHARS_MAX ? digest(given) : given;
    const now = performance.now();
    const freshAt = Math.max(clients.get(key) ?? 0, now);
    const excessMs = freshAt + intervalMs - now - windowMs;
    // A thousandth of an interval: the sum of many is not exact.
    const isOver = excessMs > intervalMs / 1000;
    clients.delete(key);
    clients.set(key, isOver ? freshAt : freshAt + intervalMs);
    if (clients.size > most) clients.delete(clients.keys().next().value as string);
    if (isOver) throw new HTTPError(429, { headers: { "Retry-After": Math.ceil(excessMs / 1000) } });
    return next();
  };
}

function digest(key: string): string {
  return createHash("sha256").update(key).digest("base64");
}

function networkOfClient(): (request: HTTPServerRequest) => string {
  let isWarned = false;
  return (request) => {
    const address = request.remoteAddress?.address;
    if (address === undefined && !isWarned) {
      isWarned = true;
      request.logger.warn("rateLimit: clients have no address here, so all of them are counted as one");
    }
    return networkOf(address ?? "");
  };
}

/** A client has a whole /64 of IPv6 addresses to itself. */
function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  while (tail !== undefined && groups.length < 8 - tail.split(":").length) groups.push("0");
  return [...groups, ...(tail?.split(":") ?? [])].slice(0, 4).join(":").toLowerCase();
}
