/** `URLSearchParams`. Reference: url.spec.whatwg.org 5.2 and 6.2. */
import { decode, encode } from "./text.js";

export type SearchInit = string | Iterable<readonly [string, string]> | Record<string, string> | undefined;

let setPairs: (params: URLSearchParams, text: string) => void;

/** The address that `params` belong to has another query. */
export function renew(params: URLSearchParams, query: string): void {
  setPairs(params, query);
}

export class URLSearchParams {
  #pairs: [name: string, value: string][] = [];
  /** Has the address that these are of take them over. */
  readonly #onChange: ((text: string) => void) | null;

  static {
    setPairs = (params, text) => {
      params.#pairs = pairsOf(text);
    };
  }

  constructor(init?: SearchInit, onChange: ((text: string) => void) | null = null) {
    this.#onChange = onChange;
    if (typeof init === "object" && init !== null) {
      const given = Symbol.iterator in init ? init : Object.entries(init);
      for (const pair of given as Iterable<readonly unknown[]>) {
        const [name, value, ...rest] = pair;
        if (value === undefined || rest.length > 0) throw new TypeError("a parameter is a name and a value");
        this.#pairs.push([textOf(name), textOf(value)]);
      }
    } else if (init !== undefined) {
      const text = textOf(init);
      this.#pairs = pairsOf(text.startsWith("?") ? text.slice(1) : text);
    }
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: string, value: string): void {
    this.#pairs.push([textOf(name), textOf(value)]);
    this.#changed();
  }

  delete(name: string, value?: string): void {
    this.#pairs = this.#pairs.filter((pair) => !isOf(pair, name, value));
    this.#changed();
  }

  get(name: string): string | null {
    return this.#pairs.find(([other]) => other === textOf(name))?.[1] ?? null;
  }

  getAll(name: string): string[] {
    return this.#pairs.filter((pair) => isOf(pair, name)).map(([, value]) => value);
  }

  has(name: string, value?: string): boolean {
    return this.#pairs.some((pair) => isOf(pair, name, value));
  }

  set(name: string, value: string): void {
    const [key, text] = [textOf(name), textOf(value)];
    const at = this.#pairs.findIndex(([other]) => other === key);
    if (at < 0) this.#pairs.push([key, text]);
    else {
      this.#pairs = this.#pairs.filter((pair, index) => index <= at || pair[0] !== key);
      this.#pairs[at] = [key, text];
    }
    this.#changed();
  }

  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }

  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  /** As they are while they are gone through. */
  *entries(): IterableIterator<[string, string]> {
    for (let i = 0; i < this.#pairs.length; i++) {
      const [name, value] = this.#pairs[i] as [string, string];
      yield [name, value];
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

  toString(): string {
    return this.#pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");
  }

  get [Symbol.toStringTag](): string {
    return "URLSearchParams";
  }

  #changed(): void {
    this.#onChange?.(this.toString());
  }
}

function textOf(value: unknown): string {
  return String(value).toWellFormed();
}

function isOf([name, value]: readonly [string, string], wanted: unknown, wantedValue?: unknown): boolean {
  return name === textOf(wanted) && (wantedValue === undefined || value === textOf(wantedValue));
}

function pairsOf(text: string): [string, string][] {
  const pairs: [string, string][] = [];
  if (text === "") return pairs;
  for (const part of text.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    pairs.push(at < 0 ? [decoded(part), ""] : [decoded(part.slice(0, at)), decoded(part.slice(at + 1))]);
  }
  return pairs;
}

function decoded(part: string): string {
  const text = part.indexOf("+") < 0 ? part : part.replaceAll("+", " ");
  if (text.indexOf("%") < 0) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return decode(percentDecoded(encode(text)), false, true);
  }
}

/** What is no `%` with two digits behind it stays as it is. */
function percentDecoded(bytes: Uint8Array): Uint8Array {
  let size = 0;
  for (let at = 0; at < bytes.length; at++) {
    const value = bytes[at] === 0x25 ? digit(bytes[at + 1]) * 16 + digit(bytes[at + 2]) : Number.NaN;
    if (Number.isNaN(value)) bytes[size++] = bytes[at] as number;
    else {
      bytes[size++] = value;
      at += 2;
    }
  }
  return bytes.subarray(0, size);
}

function digit(byte = 0): number {
  const at = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return at < 0 ? Number.NaN : at;
}

function encoded(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replace(/[!~'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
