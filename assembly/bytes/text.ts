// Bytes to text and back, as the web layer needs it: latin-1 views of a head, percent-decoding, UTF-8 that is valid.
// Invariant: what is decoded is valid UTF-8, or null; a `%` without two digits behind it stands for itself (WHATWG
// URL).

import { UTF8_START, utf8Next } from "./utf8";

/** Bytes as latin-1 text. */
export function latin1Text(source: usize, size: i32): string {
  const units = new StaticArray<u16>(size);
  for (let i = 0; i < size; i++) unchecked((units[i] = load<u8>(source + usize(i))));
  return String.UTF16.decodeUnsafe(changetype<usize>(units), usize(size) << 1);
}

/** Bytes percent-decoded; with `plus` a `+` is a space, as in forms. Null: they are not UTF-8. */
export function percentDecode(source: usize, size: i32, plus: bool): string | null {
  const bytes = new StaticArray<u8>(size);
  const target = changetype<usize>(bytes);
  let length: usize = 0;
  for (let at: usize = 0; at < usize(size); at++) {
    let byte = load<u8>(source + at);
    if (byte == 0x25 && at + 2 < usize(size)) {
      const high = hexDigit(load<u8>(source + at, 1));
      const low = hexDigit(load<u8>(source + at, 2));
      if (high >= 0 && low >= 0) {
        byte = u8((high << 4) | low);
        at += 2;
      }
    } else if (plus && byte == 0x2b) byte = 0x20;
    store<u8>(target + length++, byte);
  }
  if (utf8Next(UTF8_START, target, i32(length)) != UTF8_START) return null;
  return String.UTF8.decodeUnsafe(target, length);
}

/** What percentEncode leaves alone, beside letters and digits. */
export const UNRESERVED: string = "-_.~";
export const WITH_SLASH: string = "-_.~/";
/** Of an address that is one already: everything but blanks and what is not ASCII. */
export const NO_BLANKS: string = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/**
 * The UTF-8 of `text` percent-encoded, but for letters, digits and what stands in `kept`; control characters stay with
 * NO_BLANKS.
 */
export function percentEncode(text: string, kept: string): string {
  const bytes = String.UTF8.encode(text);
  const encoded = new TextBuilder(bytes.byteLength);
  for (let i = 0; i < bytes.byteLength; i++) {
    const byte = load<u8>(changetype<usize>(bytes) + usize(i));
    const isAlphanumeric = u8((byte | 0x20) - 0x61) < 26 || u8(byte - 0x30) < 10;
    if (isAlphanumeric || hasUnit(kept, byte) || (byte < 0x20 && kept == NO_BLANKS)) encoded.addUnit(byte);
    else encoded.addUnit(0x25).addHex(byte, UPPER_DIGITS);
  }
  return encoded.toString();
}

function hasUnit(text: string, unit: u16): bool {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) == unit) return true;
  return false;
}

function hexDigit(byte: u8): i32 {
  if (u8(byte - 0x30) < 10) return i32(byte) - 0x30;
  const letter = byte | 0x20;
  return u8(letter - 0x61) < 6 ? i32(letter) - 0x57 : -1;
}

/** `text` as the text of an HTML page or the value of an attribute. */
export function escapeHTML(text: string): string {
  const escaped = new TextBuilder(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = u16(text.charCodeAt(i));
    if (unit == 0x26) escaped.addText("&amp;");
    else if (unit == 0x3c) escaped.addText("&lt;");
    else if (unit == 0x3e) escaped.addText("&gt;");
    else if (unit == 0x22) escaped.addText("&quot;");
    else if (unit == 0x27) escaped.addText("&#x27;");
    else escaped.addUnit(unit);
  }
  return escaped.toString();
}

/** `text` as a string of JSON, in its quotes; `</` is escaped, so that it may stand in a page. */
export function quoteJSON(text: string): string {
  const quoted = new TextBuilder(text.length + 2);
  quoted.addUnit(0x22);
  for (let i = 0; i < text.length; i++) {
    const unit = u16(text.charCodeAt(i));
    if (unit == 0x22 || unit == 0x5c) quoted.addUnit(0x5c).addUnit(unit);
    else if (unit < 0x20 || unit == 0x3c) quoted.addText("\\u00").addHex(u8(unit), LOWER_DIGITS);
    else quoted.addUnit(unit);
  }
  return quoted.addUnit(0x22).toString();
}

const UPPER_DIGITS: string = "0123456789ABCDEF";
const LOWER_DIGITS: string = "0123456789abcdef";

/** Text that grows at its end. `+=` copies all of a text for each piece; here its memory doubles when it is full. */

@final
class TextBuilder {
  private units: StaticArray<u16>;
  private size: i32 = 0;

  constructor(expected: i32) {
    this.units = new StaticArray<u16>(expected + 16);
  }

  addUnit(unit: u16): TextBuilder {
    if (this.size == this.units.length) this.grow();
    unchecked((this.units[this.size++] = unit));
    return this;
  }

  addText(text: string): TextBuilder {
    for (let i = 0; i < text.length; i++) this.addUnit(u16(text.charCodeAt(i)));
    return this;
  }

  addHex(byte: u8, digits: string): TextBuilder {
    return this.addUnit(u16(digits.charCodeAt(byte >> 4))).addUnit(u16(digits.charCodeAt(byte & 15)));
  }

  toString(): string {
    return String.UTF16.decodeUnsafe(changetype<usize>(this.units), usize(this.size) << 1);
  }

  private grow(): void {
    const units = new StaticArray<u16>(this.size << 1);
    memory.copy(changetype<usize>(units), changetype<usize>(this.units), usize(this.size) << 1);
    this.units = units;
  }
}
