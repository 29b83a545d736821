/**
 * Header fields as handlers of Tornado's kind know them: `HTTPHeaders` of requests, and what they give for an answer.
 * In a component this takes the place of host/http/headers.ts: fields are encoded as one text (wit/waterspout.wit).
 */
import { HeaderError } from "../host/core/errors.js";
import { RESPONSE_HEAD_BYTES_MAX } from "../host/core/limits.js";
import { Buffer } from "./buffer.js";
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

/** The text of a field as it is sent. Throws HeaderError for a name or a value that must not be sent. */
export function checkField(name: string, value: string | number): string {
  return checked(name, value)[1];
}

export type HeadersInput =
  | Readonly<Record<string, string | number | readonly string[]>>
  | Iterable<readonly [string, string | number]>;

/** Fields as they are sent. */
export class HeaderBlock {
  constructor(
    readonly fields: string,
    /** The declared Content-Length, which the core writes; null: there is none. */
    readonly length: number | null,
  ) {}

  /** Of a frame that holds them: here it is the text as it is. */
  get rows(): number {
    return 1;
  }

  get bytes(): Buffer {
    return Buffer.from(this.fields, "latin1");
  }
}

/** Header fields that keep their encoded form with them. */
export abstract class EncodedHeaders implements Iterable<[string, string]> {
  abstract get block(): HeaderBlock;
  abstract [Symbol.iterator](): Iterator<[string, string]>;
}

/** Fields as pairs, one for each. */
export function headerPairs(given: HeadersInput | undefined): (readonly [string, string | number])[] {
  if (given === undefined) return [];
  if (given instanceof Headers || Symbol.iterator in given) {
    return [...(given as Iterable<readonly [string, string | number]>)];
  }
  return Object.entries(given).flatMap(([name, value]): [string, string | number][] =>
    Array.isArray(value) ? value.map((single: string) => [name, single]) : [[name, value as string | number]],
  );
}

/** Checks and encodes header fields. Throws HeaderError for one that must not be sent. */
export function encodeHeaders(headers: HeadersInput | undefined): HeaderBlock {
  if (headers instanceof EncodedHeaders) return headers.block;
  let fields = "";
  let length: number | null = null;
  for (const [name, value] of headerPairs(headers)) {
    const [key, text] = checked(name, value);
    if (!isOfConnection(key)) fields += `\n${name}:${text}`;
    else if (key === "content-length") length = lengthOf(text);
    else if (key === "transfer-encoding") throw new HeaderError("Transfer-Encoding is the server's own; leave it out");
  }
  return blockOf(fields, length);
}

/** The block with one field more, which `checkField` has checked and which says nothing of the message's framing. */
export function appendField({ fields, length }: HeaderBlock, name: string, value: string): HeaderBlock {
  return blockOf(`${fields}\n${name}:${value}`, length);
}

function blockOf(fields: string, length: number | null): HeaderBlock {
  if (fields.length <= RESPONSE_HEAD_BYTES_MAX) return new HeaderBlock(fields, length);
  throw new HeaderError(`the header fields have ${fields.length} bytes; ${RESPONSE_HEAD_BYTES_MAX} are allowed`);
}

function lengthOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new HeaderError(`Content-Length cannot be ${JSON.stringify(text)}`);
}
