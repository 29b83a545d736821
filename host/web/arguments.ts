/**
 * Arguments of queries and forms, by name. Invariant: they are UTF-8 and of a bounded number, or asking for one throws
 * HTTPInputError 400.
 */
import { FORM_ARGUMENTS_MAX } from "../core/limits.js";
import { parseUrlencoded } from "../http/form/urlencoded.js";

/** Values by name, in their order. */
export type Arguments = ReadonlyMap<string, readonly string[]>;

export const NO_VALUES: Arguments = new Map();

/** Arguments of a text like `a=1&b=2`. */
export function parseArguments(text: Buffer): Arguments {
  return text.length === 0 ? NO_VALUES : byName(parseUrlencoded(text, FORM_ARGUMENTS_MAX));
}

export function byName(pairs: Iterable<readonly [string, string]>): Arguments {
  const found = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const values = found.get(name);
    if (values === undefined) found.set(name, [value]);
    else values.push(value);
  }
  return found;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\0-\x08\x0e-\x1f]/g;

/** A value as handlers get it: control characters become spaces, and with `strip` outer white space goes. */
export function cleaned(value: string, strip: boolean): string {
  const text = value.replace(CONTROL, " ");
  return strip ? text.trim() : text;
}
