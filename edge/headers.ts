/** `Headers`. Reference: fetch.spec.whatwg.org 5.1. */
import type { Field } from "./queue.js";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

export type HeadersInit = Headers | Record<string, string> | Iterable<readonly [string, string]>;

function fieldNameOf(name: unknown): string {
  const text = String(name);
  if (!TOKEN.test(text)) throw new TypeError(`${JSON.stringify(text)} is no name of a header field`);
  return text.toLowerCase();
}

function fieldValueOf(value: unknown): string {
  const text = String(value).replace(/^[\t\n\r ]+/, "");
  let end = text.length;
  while (end > 0 && "\t\n\r ".includes(text[end - 1] as string)) end--;
  const trimmed = text.slice(0, end);
  if (NOT_IN_VALUE.test(trimmed)) throw new TypeError(`${JSON.stringify(trimmed)} is no value of a header field`);
  return trimmed;
}

export class Headers {
  /** By name in lower case. */
  #values = new Map<string, string[]>();
  /** Of a request, until they are looked at. */
  #unread: readonly Field[] | null = null;

  constructor(init?: HeadersInit) {
    if (init === undefined || init === null) return;
    if (typeof init !== "object") throw new TypeError("Headers are made of an object");
    if (init instanceof Headers) {
      for (const [name, values] of init.#all) this.#values.set(name, [...values]);
    } else if (Symbol.iterator in init) {
      for (const pair of init) {
        const [name, value, ...rest] = pair as readonly unknown[];
        if (value === undefined || rest.length > 0) throw new TypeError("a header field is a name and a value");
        this.append(name as string, value as string);
      }
    } else for (const name of Object.keys(init)) this.append(name, init[name] as string);
  }

  /** Those of a request, which have been checked. */
  static of(fields: readonly Field[]): Headers {
    const headers = new Headers();
    headers.#unread = fields;
    return headers;
  }

  get #all(): Map<string, string[]> {
    if (this.#unread !== null) {
      for (const [name, value] of this.#unread) {
        const key = name.toLowerCase();
        const before = this.#values.get(key);
        if (before === undefined) this.#values.set(key, [value]);
        else before.push(value);
      }
      this.#unread = null;
    }
    return this.#values;
  }

  append(name: string, value: string): void {
    const key = fieldNameOf(name);
    const text = fieldValueOf(value);
    const before = this.#all.get(key);
    if (before === undefined) this.#all.set(key, [text]);
    else before.push(text);
  }

  set(name: string, value: string): void {
    this.#all.set(fieldNameOf(name), [fieldValueOf(value)]);
  }

  delete(name: string): void {
    this.#all.delete(fieldNameOf(name));
  }

  has(name: string): boolean {
    return this.#all.has(fieldNameOf(name));
  }

  get(name: string): string | null {
    const key = fieldNameOf(name);
    return this.#all.get(key)?.join(key === "cookie" ? "; " : ", ") ?? null;
  }

  getSetCookie(): string[] {
    return [...(this.#all.get("set-cookie") ?? [])];
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  *entries(): IterableIterator<[string, string]> {
    for (const name of [...this.#all.keys()].sort()) {
      if (name === "set-cookie") for (const cookie of this.getSetCookie()) yield [name, cookie];
      else yield [name, this.get(name) as string];
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return "Headers";
  }

  /** As they are sent: several values of a name are several fields. */
  get fields(): Field[] {
    const fields: Field[] = [];
    for (const [name, values] of this.#all) for (const value of values) fields.push([name, value]);
    return fields;
  }
}
