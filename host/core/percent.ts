/**
 * Percent-decoding of paths, queries and forms. Invariant: an escape that is malformed, like `%zz`, stays as it is;
 * text is valid UTF-8, or null.
 * Reference: RFC 3986 2.1; WHATWG URL 1.3.
 */
import { isUtf8 } from "node:buffer";

const ENCODED = /[%\x80-\uffff]/;
const PERCENT = 0x25;

/**
 * `text` (a byte a character) decoded, or null when its bytes are not UTF-8. With `plus` a `+` is a space, as in forms.
 */
export function percentDecode(text: string, plus: boolean): string | null {
  const spaced = plus ? text.replaceAll("+", " ") : text;
  if (!ENCODED.test(spaced)) return spaced;
  const decoded = percentBytes(spaced, false);
  return isUtf8(decoded) ? decoded.toString("utf8") : null;
}

/** The same as bytes, of whatever encoding. */
export function percentBytes(text: string, plus: boolean): Buffer {
  const bytes = Buffer.from(plus ? text.replaceAll("+", " ") : text, "latin1");
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const value = bytes[at] === PERCENT ? hexPair(bytes, at + 1) : -1;
    bytes[length++] = value < 0 ? (bytes[at] as number) : value;
    if (value >= 0) at += 2;
  }
  return bytes.subarray(0, length);
}

function hexPair(bytes: Buffer, at: number): number {
  const high = hexDigit(bytes[at]);
  const low = hexDigit(bytes[at + 1]);
  return high < 0 || low < 0 ? -1 : (high << 4) | low;
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
