/**
 * Patterns of paths and hosts: plain ones with `:name`, and regular expressions as in Tornado. Invariant: everything is
 * compiled when a route is made, and a plain pattern without names costs a request one comparison.
 *
 * A string is a regular expression when it holds a character that only those need: one of `( ) [ ] { } * + ? \ | ^ $`.
 * Otherwise it is plain: its characters stand for themselves, and `:name` for everything up to the next slash.
 */

import { HTTPInputError, OptionError } from "../core/errors.js";
import { NameTable } from "../core/nametable.js";
import { percentDecode } from "../core/percent.js";

/** What stands in a path where its pattern has groups: several texts, or one object when the groups have names. */
export type PathArgument = string | undefined | PathGroups;
/** What a path can be made from. */
export type PathValue = string | number;
/** Values for the groups of a pattern, in their order or by name. */
export type PathValues = readonly PathValue[] | Readonly<Record<string, PathValue>>;
/** What the named groups of a pattern hold, decoded; undefined for a group that took no part in the match. */
export type PathGroups = Readonly<Record<string, string | undefined>>;

/** What a handler is called with when its path has no groups. */
export const NO_ARGUMENTS: readonly PathArgument[] = [];

const EXPRESSION = /[()[\]{}*+?\\|^$]/;
const NAME = /:([A-Za-z_]\w*)/g;
const ESCAPED = /[.*+?^${}()|[\]\\/]/g;

export class Pattern {
  /** The text itself, where it is the only one that matches. */
  readonly #literal: string | null = null;
  readonly #regexp: RegExp | null = null;
  /** The groups are given out by their names. */
  readonly #named: boolean = false;
  /** The parts between groups; null where no text can be made from it. */
  readonly #parts: readonly string[] | null;
  /** The groups' names, in their order; "" for one without. */
  readonly #names: readonly string[] = [];

  /** Throws OptionError for a regular expression that is none, or one with both named and unnamed groups. */
  constructor(pattern: string | RegExp, flags = "") {
    if (typeof pattern === "string" && !EXPRESSION.test(pattern)) {
      const pieces = pattern.split(NAME);
      this.#parts = pieces.filter((_, index) => index % 2 === 0);
      this.#names = pieces.filter((_, index) => index % 2 === 1);
      if (this.#names.length === 0 && flags === "") {
        this.#literal = pattern;
        return;
      }
      this.#named = this.#names.length > 0;
      if (new Set(this.#names).size < this.#names.length) throw new OptionError(`${pattern}: two groups have one name`);
      const source = pieces.map((piece, index) => (index % 2 ? "([^/]+)" : piece.replace(ESCAPED, "\\$&")));
      this.#regexp = compile(source.join(""), flags, pattern);
      return;
    }
    const source = typeof pattern === "string" ? pattern.replaceAll("(?P<", "(?<") : pattern.source;
    const given = typeof pattern === "string" ? flags : pattern.flags.replace(/[gy]/g, "");
    this.#regexp = compile(source, given, String(pattern));
    const groups = groupsOf(source);
    this.#parts = groups?.parts ?? null;
    // The expression itself knows best what its groups are: with an empty alternative it matches anything.
    const match = new RegExp(`${source}|`, given).exec("") as RegExpExecArray;
    this.#named = match.groups !== undefined;
    this.#names = match.groups === undefined ? (groups?.names ?? []) : Object.keys(match.groups);
    if (match.groups !== undefined && Object.keys(match.groups).length !== match.length - 1) {
      throw new OptionError(`${pattern}: either all groups have names or none has`);
    }
  }

  /**
   * What the groups of a whole match hold, decoded; null without a match. Throws HTTPInputError when one is not UTF-8.
   */
  match(text: string): readonly PathArgument[] | null {
    if (this.#literal !== null) return text === this.#literal ? NO_ARGUMENTS : null;
    const match = (this.#regexp as RegExp).exec(text);
    if (match === null) return null;
    if (match.length === 1) return NO_ARGUMENTS;
    if (!this.#named) return match.slice(1).map(decode);
    const groups = new NameTable<string | undefined>();
    for (const [index, name] of this.#names.entries()) groups[name] = decode(match[index + 1]);
    return [groups];
  }

  /**
   * The text that matches with these values in its groups, escaped; an object gives them by name. Throws OptionError
   * when there is no such text.
   */
  reverse(values: PathValues): string {
    if (this.#literal !== null) return this.#literal;
    if (this.#parts === null) throw new OptionError("a pattern this complicated cannot be turned into a path");
    const ordered: readonly (PathValue | undefined)[] = isList(values)
      ? values
      : this.#names.map((name) => (Object.hasOwn(values, name) ? values[name] : undefined));
    if (ordered.length !== this.#names.length || ordered.includes(undefined)) {
      throw new OptionError(`the path needs ${this.#names.length} values`);
    }
    const escaped = ordered.map((value) => encodeURIComponent(String(value)));
    return this.#parts.map((part, index) => part + (escaped[index] ?? "")).join("");
  }
}

function isList(values: readonly unknown[] | object): values is readonly PathValue[] {
  return Array.isArray(values);
}

function compile(source: string, flags: string, given: string): RegExp {
  try {
    return new RegExp(`^(?:${source.replace(/^\^/, "").replace(/(?<!\\)\$$/, "")})$`, flags);
  } catch (error) {
    throw new OptionError(`${given} is not a regular expression: ${(error as Error).message}`);
  }
}

function decode(group: string | undefined): string | undefined {
  if (group === undefined) return undefined;
  const text = percentDecode(group, false);
  if (text === null) throw new HTTPInputError("the path is not UTF-8");
  return text;
}

/**
 * The texts around the groups of a simple expression; null when it has anything else than groups and plain characters.
 */
function groupsOf(source: string): { parts: string[]; names: string[] } | null {
  const parts: string[] = [];
  const names: string[] = [];
  let rest = source.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  for (;;) {
    const group = /\((\?<(\w+)>)?(?:[^()\\[]|\\.|\[(?:[^\]\\]|\\.)*\])*\)/.exec(rest);
    const text = group === null ? rest : rest.slice(0, group.index);
    if (/\\\w|[()[\]{}*+?|^$]/.test(text.replace(/\\\W/g, ""))) return null;
    parts.push(text.replace(/\\(\W)/g, "$1"));
    if (group === null) return { parts, names };
    if (group[0].startsWith("(?") && group[1] === undefined) return null;
    names.push(group[2] ?? "");
    rest = rest.slice(group.index + group[0].length);
    if (/^[*+?{]/.test(rest)) return null;
  }
}
