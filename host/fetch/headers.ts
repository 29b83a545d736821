/**
 * Header fields of light objects, which are a table by name until code asks for `Headers`.
 *
 * Invariant: a table holds what `Headers` would hold of the same fields; fields for which that is not sure are left to
 * `Headers`.
 */
import { isFieldText, isToken, withoutOuterSpace } from "../core/grammar.js";
import { LastObjects } from "../core/lastobjects.js";
import { NameTable } from "../core/nametable.js";

/** By name in lower case. Several values of a field are several fields. */
export type Fields = Readonly<Record<string, string | string[]>>;
export type WritableFields = Record<string, string | string[]>;

/** Makes tables of header fields, which have `type` as their Content-Type unless they have one themselves. */
export class PlainFields {
  /** A table of nothing else. */
  readonly none: Fields;
  readonly #type: string | null;
  readonly #last = new LastObjects<Fields>();

  constructor(type: string | null) {
    this.#type = type;
    this.none = this.#typed(new NameTable());
  }

  /** The fields of anything that is plain enough; null otherwise, also when one of them must not be sent. */
  of(headers: unknown): Fields | null {
    if (typeof headers !== "object" || headers === null) return null;
    const prototype: unknown = Object.getPrototypeOf(headers);
    if (prototype === Object.prototype || prototype === null) {
      if (Symbol.iterator in headers || Object.getOwnPropertySymbols(headers).length > 0) return null;
      return this.#last.find(headers) ?? this.#ofObject(headers as Record<string, unknown>);
    }
    if (!Array.isArray(headers) && prototype !== Headers.prototype) return null;
    const fields: WritableFields = new NameTable();
    for (const pair of headers as Iterable<unknown>) {
      if (!Array.isArray(pair) || pair.length !== 2 || !put(fields, pair[0], pair[1])) return null;
    }
    return this.#typed(fields);
  }

  #ofObject(headers: Record<string, unknown>): Fields | null {
    const fields: WritableFields = new NameTable();
    const names = Object.keys(headers);
    const values: unknown[] = [];
    for (const name of names) {
      const value = headers[name];
      if (!put(fields, name, value)) return null;
      values.push(value);
    }
    this.#last.keep(names, values, this.#typed(fields));
    return fields;
  }

  #typed(fields: WritableFields): Fields {
    if (this.#type !== null) fields["content-type"] ??= this.#type;
    return fields;
  }
}

/** Takes text that may be sent; white space around it is left to the genuine class, which removes it. */
function put(fields: WritableFields, name: unknown, value: unknown): boolean {
  if (!isToken(name) || typeof value !== "string") return false;
  if (!isFieldText(value) || withoutOuterSpace(value) !== value) return false;
  const key = name.toLowerCase();
  const before = fields[key];
  if (before === undefined) fields[key] = value;
  else if (key === "set-cookie") fields[key] = [before, value].flat();
  else fields[key] = `${String(before)}, ${value}`;
  return true;
}

export function headersOf(fields: Fields): Headers {
  const headers = new Headers();
  for (const name of Object.keys(fields)) {
    for (const value of [fields[name] ?? []].flat()) headers.append(name, value);
  }
  return headers;
}

/** The fields of `headers`, whatever they hold: what must not be sent is refused when it is. */
export function fieldsOf(headers: Iterable<[string, string]>): Fields {
  const fields: WritableFields = new NameTable();
  for (const [name, value] of headers) add(fields, name, value);
  return fields;
}

/** The same of names and values, one after the other. */
export function fieldsOfList(list: readonly string[]): Fields {
  const fields: WritableFields = new NameTable();
  for (let at = 0; at < list.length; at += 2) add(fields, list[at] as string, list[at + 1] as string);
  return fields;
}

function add(fields: WritableFields, name: string, value: string): void {
  const before = fields[name];
  if (before === undefined) fields[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else fields[name] = [before, value];
}

/** Makes `to`, of a genuine object, hold what `from` does, which code may have changed since. */
export function copyHeaders(from: Headers, to: Headers): void {
  for (const name of [...to.keys()]) to.delete(name);
  for (const [name, value] of from) to.append(name, value);
}
