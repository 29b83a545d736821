/**
 * `Headers`. They are one text, as they come and as they are sent (wit/waterspout.wit, `fields`): a request costs no
 * object for each field, and a field that is asked for is searched.
 *
 * Invariant: names are in lower case, and no value has a line feed; so a line feed, a name and a colon stand nowhere but
 * at the beginning of a field. Reference: fetch.spec.whatwg.org 5.1.
 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Fields about one connection, and those that frame the message: the core writes them. */
const OF_CONNECTION = new Set("connection keep-alive proxy-connection te transfer-encoding content-length".split(" "));

export function isOfConnection(name: string): boolean {
  return OF_CONNECTION.has(name);
}

/** Names that have been checked before, with what they are in lower case: checking again costs more than looking up. */
const known = new Map<string, string>();
const KNOWN_MAX = 256;
const KNOWN_LENGTH_MAX = 64;

export type HeadersInit = Headers | Record<string, string> | Iterable<readonly [string, string]>;

export function fieldNameOf(name: unknown): string {
  const text = String(name);
  const before = known.get(text);
  if (before !== undefined) return before;
  if (!TOKEN.test(text)) throw new TypeError(`${JSON.stringify(text)} is no name of a header field`);
  const lower = text.toLowerCase();
  if (known.size < KNOWN_MAX && text.length <= KNOWN_LENGTH_MAX) known.set(text, lower);
  return lower;
}

export function fieldValueOf(value: unknown): string {
  let text = String(value);
  const isTrimmed = text === "" || (text.charCodeAt(0) > 0x20 && text.charCodeAt(text.length - 1) > 0x20);
  if (!isTrimmed) text = trimmed(text);
  if (NOT_IN_VALUE.test(text)) throw new TypeError(`${JSON.stringify(text)} is no value of a header field`);
  return text;
}

function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && "\t\n\r ".includes(text[start] as string)) start++;
  while (end > start && "\t\n\r ".includes(text[end - 1] as string)) end--;
  return text.slice(start, end);
}

/** The values of a field in `text`. */
function valuesOf(text: string, name: string): string[] {
  const mark = `\n${name}:`;
  const values: string[] = [];
  for (let at = text.indexOf(mark); at >= 0; ) {
    const end = text.indexOf("\n", at + mark.length);
    values.push(text.slice(at + mark.length, end < 0 ? text.length : end));
    at = end < 0 ? -1 : text.indexOf(mark, end);
  }
  return values;
}

/** The first value of a field in `text`; null: there is none. */
export function firstValueOf(text: string, name: string): string | null {
  const mark = `\n${name}:`;
  const at = text.indexOf(mark);
  if (at < 0) return null;
  const end = text.indexOf("\n", at + mark.length);
  return text.slice(at + mark.length, end < 0 ? text.length : end);
}

/** Without the fields that `goes` names. */
function without(text: string, goes: (name: string) => boolean): string {
  const [, ...fields] = text.split("\n");
  return fields.map((field) => (goes(field.slice(0, field.indexOf(":"))) ? "" : `\n${field}`)).join("");
}

export class Headers {
  #text: string;
  /** One of OF_CONNECTION may be among them. */
  #ofConnection: boolean;

  constructor(init?: HeadersInit) {
    this.#text = "";
    this.#ofConnection = false;
    if (init === undefined || init === null) return;
    if (typeof init !== "object") throw new TypeError("Headers are made of an object");
    if (init instanceof Headers) {
      this.#text = init.#text;
      this.#ofConnection = init.#ofConnection;
    } else if (Symbol.iterator in init) {
      for (const pair of init) {
        const [name, value, ...rest] = pair as readonly unknown[];
        if (value === undefined || rest.length > 0) throw new TypeError("a header field is a name and a value");
        this.append(name as string, value as string);
      }
    } else for (const name of Object.keys(init)) this.append(name, init[name] as string);
  }

  /** Of fields that have been checked. */
  static of(text: string, ofConnection: boolean): Headers {
    const headers = new Headers();
    headers.#text = text;
    headers.#ofConnection = ofConnection;
    return headers;
  }

  append(name: string, value: string): void {
    const key = fieldNameOf(name);
    this.#text += `\n${key}:${fieldValueOf(value)}`;
    if (isOfConnection(key)) this.#ofConnection = true;
  }

  set(name: string, value: string): void {
    const text = fieldValueOf(value);
    this.delete(name);
    this.append(name, text);
  }

  delete(name: string): void {
    const key = fieldNameOf(name);
    if (this.has(key)) this.#text = without(this.#text, (other) => other === key);
  }

  has(name: string): boolean {
    return this.#text.includes(`\n${fieldNameOf(name)}:`);
  }

  get(name: string): string | null {
    const key = fieldNameOf(name);
    const values = valuesOf(this.#text, key);
    if (values.length < 2) return values[0] ?? null;
    return values.join(key === "cookie" ? "; " : ", ");
  }

  getSetCookie(): string[] {
    return valuesOf(this.#text, "set-cookie");
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  /** In the order of their names, each name but Set-Cookie once. */
  #pairs(): [string, string][] {
    const [, ...fields] = this.#text.split("\n");
    const names = [...new Set(fields.map((field) => field.slice(0, field.indexOf(":"))))].sort();
    return names.flatMap((name): [string, string][] =>
      name === "set-cookie" ? this.getSetCookie().map((cookie) => [name, cookie]) : [[name, this.get(name) as string]],
    );
  }

  entries(): IterableIterator<[string, string]> {
    return this.#pairs().values();
  }

  keys(): IterableIterator<string> {
    return this.#pairs()
      .map(([name]) => name)
      .values();
  }

  values(): IterableIterator<string> {
    return this.#pairs()
      .map(([, value]) => value)
      .values();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return "Headers";
  }

  /** As they are sent: several values of a name are several fields. */
  get fields(): string {
    return this.#ofConnection ? without(this.#text, isOfConnection) : this.#text;
  }
}
