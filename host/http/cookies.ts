/**
 * Cookies: what a request sent, and the value of a Set-Cookie field.
 *
 * Invariants: reading never fails and takes time in proportion to the text, whatever the text is; what `setCookie`
 * gives is one field that holds this one cookie, and `parseCookies` reads its value back.
 * Reference: RFC 6265; Tornado's httputil.parse_cookie for what browsers send beyond it.
 */
import { HeaderError } from "../core/errors.js";
import { isFieldText, isToken } from "../core/grammar.js";
import { CLEARED_COOKIES_BYTES_MAX } from "../core/limits.js";

/** Attributes of a cookie; those that are not given are left out. */
export interface CookieAttributes {
  /** The domain that it is for, with those below it. Default: the host that sets it, alone. */
  domain?: string | undefined;
  /** The path that it is for, with those below it. */
  path?: string | undefined;
  /** When it ends. Without this and `maxAge` it ends with the browser's session. */
  expires?: Date | undefined;
  /** In how many seconds it ends; 0 or less: now. Counts more than `expires`. */
  maxAge?: number | undefined;
  /** Sent over https only. */
  secure?: boolean | undefined;
  /** Hidden from scripts. */
  httpOnly?: boolean | undefined;
  /** Whether other sites' requests carry it. `"None"` needs `secure`. */
  sameSite?: "Strict" | "Lax" | "None" | undefined;
  /** Kept apart for each site that embeds this one. Needs `secure`. */
  partitioned?: boolean | undefined;
}

/** RFC 6265 4.1.1, cookie-octet. */
const PLAIN_VALUE = /^[!#-+\--:<-[\]-~]*$/;
/** What is no cookie-octet. */
const TO_ESCAPE = /[^!#-+\--:<-[\]-~]/g;
const OCTAL = /^[0-3][0-7][0-7]$/;
/** RFC 6265 4.1.1, path-value: neither a control character nor what ends an attribute. */
const PATH = /^[\x20-\x3a\x3c-\x7e]*$/;
/** The name of a host; browsers pass over a leading dot. */
const DOMAIN = /^[0-9A-Za-z._-]+$/;
/** RFC 6265 5.1.1; later ones have no form that browsers read. */
const YEAR_MIN = 1601;
const YEAR_MAX = 9999;

/** The cookies of a Cookie field. Of several with one name the last counts; one without `=` has the empty name. */
export function parseCookies(text: string): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of text.split(";")) {
    const mark = pair.indexOf("=");
    const name = mark < 0 ? "" : pair.slice(0, mark).trim();
    const value = pair.slice(mark + 1).trim();
    if (name !== "" || value !== "") cookies.set(name, unquote(value));
  }
  return cookies;
}

function unquote(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  const inner = value.slice(1, -1);
  let text = "";
  let copied = 0;
  for (let at = inner.indexOf("\\"); at >= 0 && at + 1 < inner.length; at = inner.indexOf("\\", copied)) {
    const digits = inner.slice(at + 1, at + 4);
    const isOctal = OCTAL.test(digits);
    text += inner.slice(copied, at) + (isOctal ? String.fromCharCode(parseInt(digits, 8)) : inner[at + 1]);
    copied = at + (isOctal ? 4 : 2);
  }
  return text + inner.slice(copied);
}

/**
 * The value of a Set-Cookie field: `respond(200, { "Set-Cookie": [setCookie("a", "1"), setCookie("b", "2")] })`. A
 * value with characters that RFC 6265 does not allow is quoted, each of them as a backslash and three octal digits,
 * which Tornado reads, too; it may hold latin-1 without control characters other than TAB. Throws HeaderError for a
 * name, a value or an attribute that must not be sent.
 */
export function setCookie(name: string, value: string, attributes: CookieAttributes = {}): string {
  if (!isToken(name)) throw invalid(`${show(name)} is not a cookie's name`);
  if (typeof value !== "string" || !isFieldText(value)) {
    throw invalid(`the value of the cookie ${name} holds a character that must not be in it`);
  }
  return `${name}=${PLAIN_VALUE.test(value) ? value : quote(value)}${attributesOf(name, attributes)}`;
}

/**
 * Of the names of cookies that came, those that `setCookie` takes, as many as there is room for in an answer that
 * clears them all.
 */
export function clearableCookies(names: Iterable<string>): string[] {
  const found: string[] = [];
  let bytes = 0;
  for (const name of names) {
    if (!isToken(name)) continue;
    bytes += name.length + CLEARING_BYTES;
    if (bytes > CLEARED_COOKIES_BYTES_MAX) break;
    found.push(name);
  }
  return found;
}

/** What a field that clears a cookie has beside its name; a domain or a path may make it longer. */
const CLEARING_BYTES = 128;

function quote(value: string): string {
  return `"${value.replace(TO_ESCAPE, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`)}"`;
}

/** In the order of their names, as Tornado has them. */
function attributesOf(name: string, given: CookieAttributes): string {
  let text = "";
  if (given.domain !== undefined) text += `; Domain=${attribute(name, "domain", given.domain, DOMAIN)}`;
  if (given.expires !== undefined) text += `; Expires=${date(name, given.expires)}`;
  if (given.httpOnly === true) text += "; HttpOnly";
  if (given.maxAge !== undefined) {
    if (!Number.isSafeInteger(given.maxAge)) throw invalid(`maxAge of the cookie ${name} is no whole number`);
    text += `; Max-Age=${given.maxAge}`;
  }
  if (given.partitioned === true) {
    if (given.secure !== true) throw invalid(`the cookie ${name} is partitioned, which needs secure`);
    text += "; Partitioned";
  }
  if (given.path !== undefined) text += `; Path=${attribute(name, "path", given.path, PATH)}`;
  if (given.sameSite !== undefined) text += `; SameSite=${sameSite(name, given)}`;
  if (given.secure === true) text += "; Secure";
  return text;
}

function attribute(name: string, key: string, value: string, form: RegExp): string {
  if (typeof value === "string" && form.test(value)) return value;
  throw invalid(`${key} of the cookie ${name} cannot be ${show(value)}`);
}

function date(name: string, value: Date): string {
  const year = value instanceof Date ? value.getUTCFullYear() : Number.NaN;
  if (year >= YEAR_MIN && year <= YEAR_MAX) return value.toUTCString();
  throw invalid(`expires of the cookie ${name} is no date`);
}

function sameSite(name: string, { sameSite, secure }: CookieAttributes): string {
  if (sameSite === "None" && secure !== true)
    throw invalid(`the cookie ${name} has sameSite "None", which needs secure`);
  if (sameSite === "Strict" || sameSite === "Lax" || sameSite === "None") return sameSite;
  throw invalid(`sameSite of the cookie ${name} cannot be ${show(sameSite)}`);
}

function invalid(message: string): HeaderError {
  return new HeaderError(message);
}

function show(value: unknown): string {
  return JSON.stringify(String(value));
}
