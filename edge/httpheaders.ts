/**
 * Header fields as handlers of Tornado's kind know them: `HTTPHeaders` of requests, and what they give for an answer.
 * Reference: host/http/headers.ts, of which this is the part that such handlers use.
 */
import { HeaderError } from "../host/core/errors.js";
import { fieldNameOf, fieldValueOf, Headers, isOfConnection } from "./headers.js";

export class HTTPHeaders {
  #fields: readonly (readonly [string, string])[];

  constructor(entries: Iterable<readonly [string, string]> = []) {
    this.#fields = Array.from(entries, ([name, value]) => [name.toLowerCase(), value] as const);
  }

  /** Of the fields of a request (wit/waterspout.wit, `fields`). */
  static of(text: string): HTTPHeaders {
    const [, ...lines] = text.split("\n");
    return new HTTPHeaders(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1)];
      }),
    );
  }

  add(name: string, value: string): void {
    this.#fields = [...this.#fields, checked(name, value)];
  }

  set(name: string, value: string): void {
    const field = checked(name, value);
    this.delete(name);
    this.#fields = [...this.#fields, field];
  }

  delete(name: string): boolean {
    const before = this.#fields.length;
    this.#fields = this.#fields.filter(([other]) => other !== name.toLowerCase());
    return this.#fields.length < before;
  }

  copy(): HTTPHeaders {
    return new HTTPHeaders(this.#fields);
  }

  get(name: string): string | null {
    const values = this.getList(name);
    return values.length === 0 ? null : values.join(name.toLowerCase() === "cookie" ? "; " : ", ");
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  getList(name: string): string[] {
    const key = name.toLowerCase();
    return this.#fields.filter(([other]) => other === key).map(([, value]) => value);
  }

  getAll(): IterableIterator<[string, string]> {
    return this.entries();
  }

  get size(): number {
    return this.#fields.length;
  }

  entries(): IterableIterator<[string, string]> {
    return this.#fields.map(([name, value]): [string, string] => [name, value]).values();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    return this.#fields.map(([name, value]) => `${name}: ${value}\n`).join("");
  }
}

function checked(name: string, value: string | number): [name: string, value: string] {
  try {
    return [fieldNameOf(name), fieldValueOf(value)];
  } catch (error) {
    throw new HeaderError((error as Error).message);
  }
}

export type HeadersInput =
  | Readonly<Record<string, string | number | readonly string[]>>
  | Iterable<readonly [string, string | number]>;

/** What is sent of them. The Content-Length is the core's; that of a body that goes piece by piece is beside them. */
export function answerFields(headers: HeadersInput | undefined): { fields: string; length: number | null } {
  let fields = "";
  let length: number | null = null;
  const take = (name: string, value: string | number): void => {
    const [key, text] = checked(name, value);
    if (!isOfConnection(key)) fields += `\n${name}:${text}`;
    else if (key === "content-length") length = lengthOf(text);
    else if (key === "transfer-encoding") throw new HeaderError("Transfer-Encoding is the server's own; leave it out");
  };
  if (headers === undefined) return { fields, length };
  if (headers instanceof Headers || Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<readonly [string, string]>) take(name, value);
    return { fields, length };
  }
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (Array.isArray(value)) for (const single of value) take(name, single);
    else take(name, value as string | number);
  }
  return { fields, length };
}

function lengthOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new HeaderError(`Content-Length cannot be ${JSON.stringify(text)}`);
}
