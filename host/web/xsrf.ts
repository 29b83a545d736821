/**
 * Tokens against cross-site request forgery, and the check of a request's origin. Reference: Tornado's `xsrf_cookies`
 * and `cross_origin_protection`.
 *
 * Invariant: a token of version 2 is masked anew each time it is shown, so that compressing a page tells nothing of it
 * (BREACH). One of version 1 is the token itself.
 */
import { randomBytes } from "node:crypto";
import { isSameOrigin } from "../http/origins.js";
import type { HTTPServerRequest } from "../http/request.js";
import { HTTPError } from "./errors.js";
import { equal } from "./signedvalue.js";

const VERSION = "2";
const TOKEN_BYTES = 16;
const MASK_BYTES = 4;
/** `2|mask|masked token|seconds` in hexadecimal digits; longer tokens than ours may be Tornado's. */
const TOKEN = /^2\|([0-9a-f]{8})\|((?:[0-9a-f]{2}){1,64})\|([0-9]{1,15})$/i;

/** What begins a token of version 2, or of one that is not known. */
const VERSIONED = /^[1-9][0-9]*\|/;
const PLAIN_CHARS_MAX = 128;

/** The form of a token. */
export type XSRFVersion = 1 | 2;

interface XSRFToken {
  readonly bytes: Buffer;
  /** When it was made, in seconds since 1970. */
  readonly timestamp: number;
}

/** The token of one client, and how it is written into a page. */
export class PageToken {
  readonly #token: XSRFToken;
  readonly #version: XSRFVersion;
  #text: string | null = null;
  /** Whether the client has its cookie, or the answer sets it. */
  hasCookie: boolean;

  /** `cookie`: what the client has sent as the token's cookie; a new token is made in place of what is none. */
  constructor(cookie: string, version: XSRFVersion = 2) {
    this.#version = version;
    const sent = decodeXSRFToken(cookie);
    this.hasCookie = sent !== null;
    this.#token = sent ?? newToken();
  }

  /** For forms, scripts and the cookie of this page: the same text each time; another one on another page. */
  get text(): string {
    this.#text ??= this.#version === 1 ? this.#token.bytes.toString("hex") : encode(this.#token);
    return this.#text;
  }

  /** Throws HTTPError 403 unless `given`, which came beside the cookie, is the same token. */
  check(given: string | null): void {
    if (!given) throw new HTTPError(403, "'_xsrf' argument missing from the request");
    const token = decodeXSRFToken(given);
    if (token === null) throw new HTTPError(403, "'_xsrf' argument has invalid format");
    if (!equal(token.bytes, this.#token.bytes)) throw new HTTPError(403, "XSRF cookie does not match the argument");
  }
}

function newToken(): XSRFToken {
  return { bytes: randomBytes(TOKEN_BYTES), timestamp: Math.floor(Date.now() / 1000) };
}

/** The token as it is sent, under a mask of its own. */
function encode({ bytes, timestamp }: XSRFToken): string {
  const mask = randomBytes(MASK_BYTES);
  return [VERSION, mask.toString("hex"), masked(bytes, mask).toString("hex"), timestamp].join("|");
}

/** The token that was sent; null for a text that is none. */
export function decodeXSRFToken(text: string): XSRFToken | null {
  if (text !== "" && text.length <= PLAIN_CHARS_MAX && !VERSIONED.test(text)) return plainToken(text);
  const match = TOKEN.exec(text);
  if (match === null) return null;
  const [, mask, token, timestamp] = match as unknown as [string, string, string, string];
  return { bytes: masked(Buffer.from(token, "hex"), Buffer.from(mask, "hex")), timestamp: Number(timestamp) };
}

/** A token of version 1: hexadecimal digits, or text that the application's page has made up. */
function plainToken(text: string): XSRFToken {
  const isHex = /^(?:[0-9a-f]{2})+$/i.test(text);
  return { bytes: Buffer.from(text, isHex ? "hex" : "utf8"), timestamp: Math.floor(Date.now() / 1000) };
}

function masked(bytes: Buffer, mask: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (mask[index % MASK_BYTES] as number)));
}

/**
 * Why a request that changes something is not let in: it comes from another origin, which `isTrusted` does not know.
 * Null when it may come in. Browsers tell by Sec-Fetch-Site; without it Origin has to be the request's own host;
 * clients that are no browsers send neither.
 */
export function foreignOrigin(request: HTTPServerRequest, isTrusted: (origin: string) => boolean): string | null {
  const { headers } = request;
  const site = headers.get("sec-fetch-site");
  if (site === "same-origin" || site === "none") return null;
  const origin = headers.get("origin");
  if (origin !== null && isTrusted(origin)) return null;
  if (site !== null) return `Sec-Fetch-Site ${site} & origin ${origin} not allowed`;
  if (origin === null || isSameOrigin(origin, request.host)) return null;
  return `Origin ${origin} not allowed`;
}
