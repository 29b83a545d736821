/**
 * Arguments of queries and forms by name, and JSON. Invariants: nothing is parsed before it is asked for; arguments are
 * UTF-8 and of a bounded number, or asking for one throws HTTPInputError 400.
 */
import { FORM_ARGUMENTS_MAX } from "../core/limits.js";
import type { Form, FormFile } from "../http/form/form.js";
import { parseUrlencoded, type ValueDecoder } from "../http/form/urlencoded.js";
import type { HTTPServerRequest } from "../http/request.js";
import { HTTPError, MissingArgumentError } from "./errors.js";

/** How an argument is given out. */
export interface ArgumentOptions {
  /** Without white space at its ends. Default: true. */
  strip?: boolean;
}

/** What follows an argument's name: a value in place of the argument, and how to give it out. */
type PresetAndOptions = [preset?: unknown, options?: ArgumentOptions];

const FORM = /^application\/x-www-form-urlencoded\s*(;|$)/i;
const MULTIPART = /^multipart\/form-data\s*(;|$)/i;

/** The arguments and files of one request. */
export class RequestArguments {
  readonly #request: HTTPServerRequest;
  readonly #decode: ValueDecoder | undefined;
  #query: Arguments | null = null;
  #form: Arguments | null = null;
  files: readonly FormFile[] = [];

  /** `decode`: for values that are not UTF-8. */
  constructor(request: HTTPServerRequest, decode?: ValueDecoder) {
    this.#request = request;
    this.#decode = decode;
  }

  /** Those of the query. */
  get query(): Arguments {
    if (this.#query === null) {
      const { target } = this.#request;
      const mark = target.indexOf("?");
      this.#query = mark < 0 ? NO_VALUES : parseArguments(Buffer.from(target.slice(mark + 1), "latin1"), this.#decode);
    }
    return this.#query;
  }

  /** Those of the form in `body`, or of the multipart form that `takeForm` was given. */
  form(body: Buffer): Arguments {
    if (this.#form === null) {
      const isForm = body.length > 0 && FORM.test(this.#request.headers.get("content-type") ?? "");
      this.#form = isForm ? parseArguments(body, this.#decode) : NO_VALUES;
    }
    return this.#form;
  }

  takeForm({ fields, files }: Form): void {
    this.#form = byName(fields);
    this.files = files;
  }
}

/** Whether the body is a multipart form. */
export function isMultipart(request: HTTPServerRequest): boolean {
  return MULTIPART.test(request.headers.get("content-type") ?? "");
}

/** Values by name, in their order. */
export type Arguments = ReadonlyMap<string, readonly string[]>;

const NO_VALUES: Arguments = new Map();

/** Arguments of a text like `a=1&b=2`. */
export function parseArguments(text: Buffer, decode?: ValueDecoder): Arguments {
  return text.length === 0 ? NO_VALUES : byName(parseUrlencoded(text, FORM_ARGUMENTS_MAX, decode));
}

function byName(pairs: Iterable<readonly [string, string]>): Arguments {
  const found = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const values = found.get(name);
    if (values === undefined) found.set(name, [value]);
    else values.push(value);
  }
  return found;
}

/** The values of both, those of the first before those of the second. */
export function joined(first: Arguments, second: Arguments): Arguments {
  const all = new Map(first);
  for (const [name, values] of second) all.set(name, [...(first.get(name) ?? []), ...values]);
  return all;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\0-\x08\x0e-\x1f]/g;

/** The last of `values`; without any the preset. Throws MissingArgumentError without both. */
export function lastOf(name: string, values: readonly string[] | undefined, rest: PresetAndOptions): unknown {
  const value = values?.at(-1);
  if (value !== undefined) return cleaned(value, rest[1]?.strip !== false);
  if (rest.length === 0) throw new MissingArgumentError(name);
  return rest[0];
}

/** All of `values`, as handlers get them. */
export function allOf(values: readonly string[] | undefined, options: ArgumentOptions = {}): string[] {
  return (values ?? []).map((value) => cleaned(value, options.strip !== false));
}

/** A value as handlers get it: control characters become spaces, and with `strip` outer white space goes. */
export function cleaned(value: string, strip: boolean): string {
  const text = value.replace(CONTROL, " ");
  return strip ? text.trim() : text;
}

/** Throws HTTPError 400 for what is no JSON. */
export function parseJSON(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new HTTPError(400, { logMessage: `the body is not JSON: ${(error as Error).message}`, cause: error });
  }
}
