/**
 * The grammar of header fields that several parts of the host read or check: tokens, quoted strings and the characters
 * of a value. A part with a grammar of its own (cookies, ranges, dates) makes its expressions of these sources.
 *
 * Invariant: each expression takes time in proportion to the text (test/host/lineartime).
 * Reference: RFC 9110 5.5 and 5.6.
 */

/** A token, for use inside other expressions. */
export const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/.source;
/** A quoted string, for use inside other expressions. Its one group is what the quotes hold, escapes and all. */
export const QUOTED_STRING = String.raw`"((?:[^"\\]|\\.)*)"`;
/** Optional white space, for use inside other expressions. */
export const OWS = /[\t ]*/.source;

const ONE_TOKEN = new RegExp(`^${TOKEN}$`);
/** Anything but HTAB, SP, visible characters and the upper half of latin-1. */
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether `text` is a token: a field's name, a method, a cookie's name. */
export function isToken(text: unknown): text is string {
  return typeof text === "string" && ONE_TOKEN.test(text);
}

/** Whether each character of `text` may stand in a field's value or a reason phrase. */
export function isFieldText(text: string): boolean {
  return !NOT_IN_VALUE.test(text);
}

/** `text` without spaces and tabs at its ends. (A regular expression takes quadratic time for white space inside.) */
export function withoutOuterSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
