/**
 * Header values with parameters, `form-data; name="a"`: Content-Type and Content-Disposition.
 *
 * Invariants: time in proportion to the text; a value on whose parameters two readers might disagree is no value.
 * Reference: RFC 9110 5.6.6; RFC 8187 for `name*`.
 */
import { OWS, QUOTED_STRING, TOKEN } from "../../core/grammar.js";

/** A value and its parameters. */
export interface Parameterized {
  /** In lower case. */
  readonly value: string;
  /** By name in lower case; values are not quoted any more. */
  readonly parameters: ReadonlyMap<string, string>;
}

const VALUE = new RegExp(`${TOKEN}(?:/${TOKEN})?`, "y");
/** A quoted value may hold a backslash that stands for itself, as browsers send it in file names. */
const PARAMETER = new RegExp(`${OWS};${OWS}(${TOKEN})=(?:${QUOTED_STRING}|([^\\t ";,]+))`, "y");

/** The parts of `text`; null when it is malformed or names a parameter twice. */
export function parseParameters(text: string): Parameterized | null {
  VALUE.lastIndex = 0;
  const value = VALUE.exec(text)?.[0].toLowerCase();
  if (value === undefined) return null;
  const parameters = new Map<string, string>();
  let at = VALUE.lastIndex;
  for (;;) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (match === null) break;
    const name = (match[1] as string).toLowerCase();
    if (parameters.has(name)) return null;
    parameters.set(name, match[3] ?? (match[2] as string).replace(/\\(["\\])/g, "$1"));
    at = PARAMETER.lastIndex;
  }
  const rest = text.slice(at).trim();
  return rest === "" || rest === ";" ? { value, parameters } : null;
}

/** What `UTF-8''na%C3%AFve` says; null when it is malformed or another charset. */
export function decodeExtended(text: string): string | null {
  const match = /^utf-8'[A-Za-z0-9-]*'((?:[^%'*]|%[0-9a-f]{2})*)$/i.exec(text);
  if (match === null) return null;
  try {
    return decodeURIComponent(match[1] as string);
  } catch {
    return null;
  }
}
