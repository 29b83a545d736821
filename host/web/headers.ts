/**
 * The header fields of an answer as handlers build them up: each change gives another set, and a set remembers those
 * that came of it. An application sets the same few fields again and again: it walks over sets that are there, whose
 * checks are done and whose encoded form is kept.
 *
 * Invariants: a set never changes; a field is checked before it is in a set; what is remembered is bounded, whatever is
 * set.
 */
import { appendField, checkField, EncodedHeaders, encodeHeaders, type HeaderBlock } from "../http/headers.js";

/** A value of a header field; a date is written as HTTP wants it. */
export type HeaderValue = string | number | Date;

/** What was set, as it was given, and the set that came of it. */
interface Step {
  readonly name: string;
  readonly value: string | number;
  readonly to: FieldSet;
}

const ETAG = "Etag";
const SET_COOKIE = "Set-Cookie";
const FIRST_FIELDS = ["Content-Type", "text/html; charset=UTF-8"];
/** Steps that a set remembers. */
const STEPS_MAX = 4;
/** Sets that are remembered; when there are more, all are forgotten. */
const SETS_MAX = 256;
/** A longer field is not remembered. */
const LENGTH_MAX = 256;

export class FieldSet extends EncodedHeaders {
  /** name, value, name, value, …; those of one name stand together. */
  readonly #fields: readonly string[];
  #block: HeaderBlock | null;
  #steps: Step[] | null = null;
  #next = 0;
  #tag = "";
  #tagged: FieldSet | null = null;

  constructor(fields: readonly string[], block: HeaderBlock | null = null) {
    super();
    this.#fields = fields;
    this.#block = block;
  }

  /**
   * The encoded form; made when it is first asked for. Throws HeaderError when the fields are too long or do not fit
   * each other.
   */
  get block(): HeaderBlock {
    this.#block ??= encodeHeaders([...this]);
    return this.#block;
  }

  *[Symbol.iterator](): IterableIterator<[string, string]> {
    for (let at = 0; at < this.#fields.length; at += 2) {
      yield [this.#fields[at] as string, this.#fields[at + 1] as string];
    }
  }

  /** The value of a field, the first of several; null without one. */
  get(name: string): string | null {
    const at = this.#indexOf(canonical(name));
    return at < 0 ? null : (this.#fields[at + 1] as string);
  }

  /** With one field of this name, in place of those that it has. Throws HeaderError for what must not be sent. */
  with(name: string, value: HeaderValue): FieldSet {
    const steps = this.#steps;
    if (steps !== null) {
      for (const step of steps) if (step.value === value && step.name === name) return step.to;
    }
    const text = checkField(name, headerText(value));
    const key = canonical(name);
    const to = this.#replaced(key, [key, text]);
    if (typeof value !== "object" && name.length + text.length <= LENGTH_MAX) this.#remember({ name, value, to });
    return to;
  }

  /** With a further field of this name. Throws HeaderError for what must not be sent. */
  withAnother(name: string, value: HeaderValue): FieldSet {
    const key = canonical(name);
    const text = checkField(name, headerText(value));
    return this.#replaced(key, [...this.#allOf(key), key, text]);
  }

  /** Without the fields of this name. */
  without(name: string): FieldSet {
    const key = canonical(name);
    return this.#indexOf(key) < 0 ? this : this.#replaced(key, []);
  }

  /** With the cookies before those that were set as fields. */
  withCookies(cookies: readonly string[]): FieldSet {
    const set = cookies.flatMap((cookie) => [SET_COOKIE, cookie]);
    return this.#replaced(SET_COOKIE, [...set, ...this.#allOf(SET_COOKIE)]);
  }

  /** With an entity tag where it has none. Throws HeaderError for one that must not be sent. */
  tagged(etag: string): FieldSet {
    if (this.#tagged !== null && this.#tag === etag) return this.#tagged;
    const text = checkField(ETAG, etag);
    this.#tagged = new FieldSet([...this.#fields, ETAG, text], appendField(this.block, ETAG, text));
    this.#tag = etag;
    return this.#tagged;
  }

  #indexOf(key: string): number {
    const fields = this.#fields;
    for (let at = 0; at < fields.length; at += 2) if (fields[at] === key) return at;
    return -1;
  }

  /** Names and values of the fields of this name. */
  #allOf(key: string): string[] {
    return this.#fields.filter((_, index) => this.#fields[index & ~1] === key);
  }

  /** The same with other fields of this name, in their place. */
  #replaced(key: string, by: readonly string[]): FieldSet {
    const first = this.#indexOf(key);
    const others = this.#fields.filter((_, index) => this.#fields[index & ~1] !== key);
    others.splice(first < 0 ? others.length : first, 0, ...by);
    return new FieldSet(others);
  }

  #remember(step: Step): void {
    if (++remembered > SETS_MAX) forget();
    this.#steps ??= [];
    this.#steps[this.#next] = step;
    this.#next = (this.#next + 1) % STEPS_MAX;
  }
}

let first = new FieldSet(FIRST_FIELDS);
let remembered = 0;

/** The fields of an answer of which nothing has been said. */
export function firstFields(): FieldSet {
  return first;
}

function forget(): void {
  first = new FieldSet(FIRST_FIELDS);
  remembered = 0;
}

/** The names that were written lately, as they are sent; an application has few. */
const names = new Map<string, string>();
const NAMES_MAX = 256;

/** A name in the spelling that counts: `content-type` and `Content-Type` are one. */
function canonical(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const spelled = String(name)
    .toLowerCase()
    .replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
  if (names.size >= NAMES_MAX) names.clear();
  names.set(name, spelled);
  return spelled;
}

function headerText(value: HeaderValue): string | number {
  return value instanceof Date ? value.toUTCString() : value;
}
