/**
 * Text as pages, addresses and JSON hold it, and back. Invariant: each takes time in proportion to its text.
 * Reference: Tornado's escape module.
 */
import type { Data } from "./data.js";
import { percentBytes } from "./percent.js";

const HTML: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
/** Anything but what RFC 3986 2.3 calls unreserved. */
const TO_ESCAPE = /[^0-9A-Za-z_.~-]/g;
/** Each byte escaped. */
const ESCAPES = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`);

/** `text` as the text of an HTML page or the value of an attribute: Tornado's `xhtml_escape`. */
export function escapeHTML(text: Data): string {
  return toUnicode(text).replace(/[&<>"']/g, (character) => HTML[character] as string);
}

/**
 * The text that `escapeHTML` was given. Of references with names the usual ones are known, and those by number; others
 * stay as they are.
 */
export function xhtmlUnescape(text: Data): string {
  return toUnicode(text).replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return NAMED[name] ?? all;
    const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

/** `value`, text as UTF-8, for a part of an address; a space is `+` in a query and a form, `%20` without `plus`. */
export function urlEscape(value: Data, plus = true): string {
  const bytes = utf8(value).toString("latin1");
  const escaped = bytes.replace(TO_ESCAPE, (character) => ESCAPES[character.charCodeAt(0)] as string);
  return plus ? escaped.replaceAll("%20", "+") : escaped;
}

/** What `urlEscape` was given, as text, or with the encoding null as bytes. Text that is not UTF-8 throws TypeError. */
export function urlUnescape(value: Data, encoding?: string, plus?: boolean): string;
export function urlUnescape(value: Data, encoding: null, plus?: boolean): Buffer;
export function urlUnescape(value: Data, encoding: string | null = "utf8", plus = true): string | Buffer {
  const bytes = percentBytes(utf8(value).toString("latin1"), plus);
  return encoding === null ? bytes : new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** `value` as JSON, safe inside of a page's script. */
export function jsonEncode(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes("</") ? text.replaceAll("</", "<\\/") : text;
}

/** The value of a JSON text. Throws SyntaxError for what is none. */
export function jsonDecode(text: Data): unknown {
  return JSON.parse(toUnicode(text));
}

/** `text` with one space in place of each run of white space and control characters, and none at its ends. */
export function squeeze(text: string): string {
  return text.replace(/[\0- ]+/g, " ").trim();
}

/** Text as UTF-8; bytes as they are. */
export function utf8(value: Data): Buffer {
  return typeof value === "string" ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** UTF-8 as text; text as it is. Throws TypeError for bytes that are not UTF-8. */
export function toUnicode(value: Data): string {
  return typeof value === "string" ? value : strict.decode(value);
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
