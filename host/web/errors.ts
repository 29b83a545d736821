/**
 * What a RequestHandler throws to end its request with another answer. Reference: Tornado's web.HTTPError, Finish and
 * MissingArgumentError.
 */
import { WaterspoutError } from "../core/errors.js";
import type { HeadersInput } from "../http/headers.js";
import { PHRASES } from "../http/phrases.js";

/** What an HTTPError is made with besides its status. */
export interface HTTPErrorOptions extends ErrorOptions {
  /** For the log, and for the page in debug mode; clients do not see it. */
  logMessage?: string;
  /** The phrase behind the status; default: the standard one. */
  reason?: string;
  /** Further header fields of the answer, such as `Allow` or `Retry-After`. */
  headers?: HeadersInput;
}

/** Ends the request with `status` and the error page of its handler. */
export class HTTPError extends WaterspoutError {
  /** The status of the answer. Default 500. */
  readonly status: number;
  /** The phrase behind the status; null: the standard one. */
  readonly reason: string | null;
  /** For the log, and for the page in debug mode; null: none. */
  readonly logMessage: string | null;
  /** Further header fields of the answer; null: none. */
  readonly headers: HeadersInput | null;

  constructor(status = 500, options: HTTPErrorOptions | string = {}) {
    const { logMessage, reason, headers, cause } = typeof options === "string" ? { logMessage: options } : options;
    const phrase = reason ?? reasonPhrase(status);
    const about = logMessage === undefined ? "" : ` (${logMessage})`;
    super("HTTP_ERROR", `HTTP ${status}: ${phrase}${about}`, cause === undefined ? {} : { cause });
    this.status = status;
    this.reason = reason ?? null;
    this.logMessage = logMessage ?? null;
    this.headers = headers ?? null;
  }
}

/** An argument without a default that the request does not have: 400. */
export class MissingArgumentError extends HTTPError {
  /** The name of the argument. */
  readonly argument: string;

  constructor(argument: string) {
    super(400, { logMessage: `Missing argument ${argument}` });
    this.argument = argument;
  }
}

/** What is wrong with a part of a request. */
export interface ValidationIssue {
  /** The part. */
  readonly in: "params" | "query" | "body";
  /** Where in the part: keys from the outside in, at most 32. */
  readonly path: readonly (string | number)[];
  /** What is wrong, in the words of the schema; at most 200 characters. */
  readonly message: string;
}

/** A request that has not passed its schemas: 422, with the issues as JSON. */
export class ValidationError extends HTTPError {
  /** What is wrong; at most 100. */
  readonly issues: readonly ValidationIssue[];

  constructor(issues: readonly ValidationIssue[]) {
    super(422);
    this.issues = issues;
  }

  /** What the client gets. */
  get report(): { readonly status: number; readonly issues: readonly ValidationIssue[] } {
    return { status: this.status, issues: this.issues };
  }
}

/** Ends the request with what has been written so far, and `chunk`. Not an error: nothing is logged. */
export class Finish extends Error {
  /** The last piece of the answer, as `write` takes it; undefined: none. */
  readonly chunk: string | Uint8Array | object | undefined;

  constructor(chunk?: string | Uint8Array | object) {
    super("the request is finished");
    this.name = "Finish";
    this.chunk = chunk;
  }
}

/** The registered phrase of a status, as the sandbox writes it; `"Unknown"` for one that has none. */
export function reasonPhrase(status: number): string {
  return PHRASES.get(status) ?? "Unknown";
}
