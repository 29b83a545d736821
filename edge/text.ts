/**
 * UTF-8. The engine has no converter of its own but inside others, which are compiled code: far quicker than a loop.
 * Reference: encoding.spec.whatwg.org.
 */

interface Base64 {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
}
/** Of the language's older days: `%XX` for each character of latin-1, and back. */
const { escape: percentOf, unescape: unpercented } = globalThis as unknown as Record<
  "escape" | "unescape",
  (text: string) => string
>;

export function encode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = unpercented(encodeURIComponent(text.toWellFormed()));
  return (Uint8Array as unknown as Base64).fromBase64(btoa(bytes));
}

/** A character for each byte. */
export function latin1Of(bytes: Uint8Array): string {
  return atob((bytes as unknown as { toBase64(): string }).toBase64());
}

/** What is no UTF-8 becomes U+FFFD. A byte order mark in front is left out. */
export function decode(bytes: Uint8Array, fatal = false, keepsMark = false): string {
  const latin1 = latin1Of(bytes);
  let text = latin1;
  if (/[\x80-\xff]/.test(latin1)) {
    try {
      text = decodeURIComponent(percentOf(latin1));
    } catch {
      if (fatal) throw new TypeError("the bytes are not UTF-8");
      text = replaced(bytes);
    }
  }
  return text.charCodeAt(0) === 0xfeff && !keepsMark ? text.slice(1) : text;
}

/** Each longest beginning of a character that goes on wrongly is one U+FFFD. */
function replaced(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = sequence(bytes, at);
    parts.push(size > 0 ? decodeURIComponent(percent(bytes.subarray(at, at + size))) : "\ufffd");
    at += Math.abs(size);
  }
  return parts.join("");
}

function percent(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

/** Bytes of the character at `at`; of one that is wrong: of its right beginning, less than 0. */
function sequence(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  const size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (size === 0) return -1;
  for (let i = 1; i < size; i++) {
    const byte = bytes[at + i] ?? 0;
    const lowest = i > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const highest = i > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (byte < lowest || byte > highest) return -i;
  }
  return size;
}

export function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}

export class TextEncoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    return encode(String(text));
  }

  encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    let [read, written] = [0, 0];
    for (const character of String(text)) {
      const bytes = encode(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

const UTF8_LABELS = /^(?:utf-?8|unicode-1-1-utf-8|unicode11utf8|unicode20utf8|x-unicode20utf8)$/i;

export class TextDecoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** The beginning of a character, whose end comes with the next piece. */
  #rest = new Uint8Array(0);
  #begun = false;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!UTF8_LABELS.test(String(label).trim())) throw new RangeError(`TextDecoder knows utf-8 only, not ${label}`);
    this.fatal = fatal;
    this.ignoreBOM = ignoreBOM;
  }

  decode(input?: ArrayBuffer | ArrayBufferView, { stream = false } = {}): string {
    let bytes = input === undefined ? new Uint8Array(0) : bytesOf(input);
    if (this.#rest.length > 0) bytes = joined([this.#rest, bytes]);
    const end = stream ? completeEnd(bytes) : bytes.length;
    this.#rest = bytes.slice(end);
    const text = decode(bytes.subarray(0, end), this.fatal, this.ignoreBOM || this.#begun);
    this.#begun = stream && (this.#begun || end > 0);
    return text;
  }
}

/** Where a last character begins that is not complete; else the end. */
function completeEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte >= 0xc0) {
      const size = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return size > back ? bytes.length - back : bytes.length;
    }
    if (byte < 0x80) break;
  }
  return bytes.length;
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
