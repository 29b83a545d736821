/**
 * Texts of HTTP that programs make and read beside requests and answers: addresses with arguments, dates, first lines,
 * credentials. Invariant: each takes time in proportion to its text. Reference: Tornado's httputil module.
 */
import type { Data } from "../core/data.js";
import { HTTPInputError } from "../core/errors.js";
import { utf8 } from "../core/escape.js";
import { isFieldText, TOKEN } from "../core/grammar.js";

/** What a request begins with. */
export interface RequestStartLine {
  /** Such as `"GET"`. */
  readonly method: string;
  /** The request-target as it came, with its query. */
  readonly path: string;
  /** `"HTTP/1.1"` or another one of HTTP/1. */
  readonly version: string;
}

/** What an answer begins with. */
export interface ResponseStartLine {
  /** `"HTTP/1.1"` or another one of HTTP/1. */
  readonly version: string;
  /** The status, such as 200. */
  readonly code: number;
  /** The phrase behind the status; may be empty. */
  readonly reason: string;
}

/** Arguments by name, or as pairs, which may have a name several times. */
export type UrlArguments = Readonly<Record<string, string>> | Iterable<readonly [string, string]>;

const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([!-~\\x80-\\xff]+) (HTTP/1\\.[0-9])$`);
const STATUS_LINE = /^(HTTP\/1\.[0-9]) ([0-9]{3}) (.*)$/s;

/** The address with further arguments behind those of its query, before its fragment; as it is for null. */
export function urlConcat(url: string, args: UrlArguments | null | undefined): string {
  if (args === null || args === undefined) return url;
  const hash = url.indexOf("#");
  const [place, fragment] = hash < 0 ? [url, ""] : [url.slice(0, hash), url.slice(hash)];
  const mark = place.indexOf("?");
  const query = new URLSearchParams(mark < 0 ? "" : place.slice(mark));
  for (const [name, value] of Symbol.iterator in args ? args : Object.entries(args)) query.append(name, value);
  return `${mark < 0 ? place : place.slice(0, mark)}${query.size === 0 ? "" : `?${query}`}${fragment}`;
}

/** Values by name as pairs, one for each value. */
export function* qsToQsl<Value>(qs: Readonly<Record<string, Iterable<Value>>>): IterableIterator<[string, Value]> {
  for (const [name, values] of Object.entries(qs)) for (const value of values) yield [name, value];
}

/** A time, a Date or milliseconds since 1970, as header fields have it: `"Sun, 27 Jan 2013 18:43:20 GMT"`. */
export function formatTimestamp(time: Date | number): string {
  return new Date(time).toUTCString();
}

/** The parts of a request's first line, without its end. Throws HTTPInputError for one that is malformed. */
export function parseRequestStartLine(line: string): RequestStartLine {
  const [, method, path, version] = REQUEST_LINE.exec(line) ?? [];
  if (method === undefined || path === undefined || version === undefined) {
    throw new HTTPInputError("Malformed HTTP request line");
  }
  return { method, path, version };
}

/** The parts of an answer's first line, without its end. Throws HTTPInputError for one that is malformed. */
export function parseResponseStartLine(line: string): ResponseStartLine {
  const [, version, code, reason] = STATUS_LINE.exec(line) ?? [];
  if (version === undefined || reason === undefined || !isFieldText(reason)) {
    throw new HTTPInputError("Malformed HTTP status line");
  }
  return { version, code: Number(code), reason };
}

/** `"example.org:8888"` as its host and port; the port is null when there is none. */
export function splitHostAndPort(netloc: string): [host: string, port: number | null] {
  const colon = netloc.lastIndexOf(":");
  const port = netloc.slice(colon + 1);
  return colon > 0 && /^[0-9]+$/.test(port) ? [netloc.slice(0, colon), Number(port)] : [netloc, null];
}

/** A name and a password as Basic authentication sends them before base64 (RFC 7617 2.1: text is normalized). */
export function encodeUsernamePassword(username: Data, password: Data): Buffer {
  return Buffer.concat([normalized(username), Buffer.from(":"), normalized(password)]);
}

function normalized(value: Data): Buffer {
  return utf8(typeof value === "string" ? value.normalize("NFC") : value);
}
