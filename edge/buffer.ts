/**
 * `Buffer`, as far as the package's own modules and most handlers use it: bytes with Node's conversions of text.
 *
 * Invariant: encodings are utf8, latin1, ascii, hex, base64 and base64url; any other throws a TypeError.
 * Reference: Node's documentation of `buffer`.
 */
import { bytesOf, decode, encode } from "./text.js";

/** The engine's own converters, which are compiled code. */
interface Converters {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
  fromHex(text: string): Uint8Array<ArrayBuffer>;
}
interface Convertible {
  toBase64(options?: { alphabet: "base64url"; omitPadding: boolean }): string;
  toHex(): string;
}
const converters = Uint8Array as unknown as Converters;
const convertible = (bytes: Uint8Array): Convertible => bytes as unknown as Convertible;

/** Without the types of its static functions: `from` of a Buffer takes more. */
const Bytes = Uint8Array as unknown as new (...given: unknown[]) => Uint8Array<ArrayBuffer>;

type Source = string | ArrayBuffer | ArrayLike<number> | { type: "Buffer"; data: number[] };

export class Buffer extends Bytes {
  /** Throws a TypeError for anything else, also for a number: that it would be a size is a known trap. */
  static from(source: Source, encoding?: unknown, length?: number): Buffer {
    if (typeof source === "string")
      return viewOf(bytesOfText(source, typeof encoding === "string" ? encoding : "utf8"));
    if (source instanceof ArrayBuffer) return new Buffer(source, typeof encoding === "number" ? encoding : 0, length);
    const { type, data, length: count } = (source ?? {}) as { type?: unknown; data?: unknown; length?: unknown };
    if (typeof source === "object" && count !== undefined) return new Buffer(source);
    if (type === "Buffer" && Array.isArray(data)) return new Buffer(data); // what toJSON gives
    throw new TypeError("a Buffer is made of text, bytes or an array");
  }

  static alloc(size: number, fill?: string | number | Uint8Array, encoding?: unknown): Buffer {
    const buffer = new Buffer(size);
    return fill === undefined ? buffer : buffer.fill(fill as never, 0, size, encoding as never);
  }

  static allocUnsafe(size: number): Buffer {
    return new Buffer(size);
  }

  static allocUnsafeSlow(size: number): Buffer {
    return new Buffer(size);
  }

  static concat(pieces: readonly Uint8Array[], size = pieces.reduce((sum, piece) => sum + piece.length, 0)): Buffer {
    const whole = new Buffer(size);
    let at = 0;
    for (const piece of pieces) {
      const part = piece.length > size - at ? piece.subarray(0, size - at) : piece;
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  static byteLength(value: string | ArrayBuffer | ArrayBufferView, encoding: unknown = "utf8"): number {
    return (typeof value === "string" ? bytesOfText(value, encoding) : bytesOfData(value)).length;
  }

  static isBuffer(value: unknown): value is Buffer {
    return value instanceof Buffer;
  }

  static compare(a: Uint8Array, b: Uint8Array): number {
    const length = Math.min(a.length, b.length);
    for (let at = 0; at < length; at++) {
      if (a[at] !== b[at]) return (a[at] as number) < (b[at] as number) ? -1 : 1;
    }
    return Math.sign(a.length - b.length);
  }

  override toString(encoding: unknown = "utf8", start = 0, end = this.length): string {
    const isWhole = start <= 0 && end >= this.length;
    return textOfBytes(isWhole ? this : this.subarray(Math.max(start, 0), Math.max(end, 0)), encoding);
  }

  toJSON(): { type: "Buffer"; data: number[] } {
    return { type: "Buffer", data: Array.from(this) };
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && Buffer.compare(this, other) === 0;
  }

  compare(other: Uint8Array): number {
    return Buffer.compare(this, other);
  }

  override indexOf(value: never, from?: number, encoding?: unknown): number;
  override indexOf(value: number | string | Uint8Array, from = 0, encoding: unknown = "utf8"): number {
    if (typeof value === "number") return super.indexOf(value & 0xff, from);
    const wanted = typeof value === "string" ? bytesOfText(value, encoding) : value;
    // A byte is a character of latin-1, and the engine searches texts in compiled code.
    return textOfBytes(this, "latin1").indexOf(textOfBytes(wanted, "latin1"), from < 0 ? this.length + from : from);
  }

  override includes(value: never, from?: number, encoding?: unknown): boolean {
    return this.indexOf(value, from, encoding) >= 0;
  }

  copy(target: Uint8Array, at = 0, start = 0, end = this.length): number {
    const part = this.subarray(start, Math.min(end, start + target.length - at));
    target.set(part, at);
    return part.length;
  }

  /** Shares the bytes, as Node's does. */
  override slice(start?: number, end?: number): Buffer {
    return this.subarray(start, end) as Buffer;
  }

  write(text: string, at: unknown = 0, size?: unknown, encoding?: unknown): number {
    const [offset, length, name] = typeof at === "string" ? [0, undefined, at] : [at as number, size, encoding];
    const bytes = bytesOfText(text, typeof length === "string" ? length : (name ?? "utf8"));
    const room = Math.min(this.length - offset, typeof length === "number" ? length : Number.POSITIVE_INFINITY);
    const part = bytes.length > room ? bytes.subarray(0, room) : bytes;
    this.set(part, offset);
    return part.length;
  }

  override fill(value: never, start?: number, end?: number, encoding?: never): this;
  override fill(value: number | string | Uint8Array, start = 0, end = this.length, encoding: unknown = "utf8"): this {
    if (typeof value === "number") return super.fill(value, start, end);
    const bytes = typeof value === "string" ? bytesOfText(value, encoding) : value;
    if (bytes.length < 2) return super.fill(bytes[0] ?? 0, start, end);
    for (let at = start; at < end; at += bytes.length) this.set(bytes.subarray(0, end - at), at);
    return this;
  }
}

/** `readUInt16BE`, `writeInt32LE` and the like, by those of a DataView. */
for (const [name, type, size] of [
  ["UInt8", "Uint8", 1],
  ["Int8", "Int8", 1],
  ["UInt16", "Uint16", 2],
  ["Int16", "Int16", 2],
  ["UInt32", "Uint32", 4],
  ["Int32", "Int32", 4],
] as const) {
  for (const order of size === 1 ? [""] : ["BE", "LE"]) {
    Object.assign(Buffer.prototype, {
      [`read${name}${order}`](this: Buffer, at = 0): number {
        return new DataView(this.buffer, this.byteOffset, this.length)[`get${type}`](at, order === "LE");
      },
      [`write${name}${order}`](this: Buffer, value: number, at = 0): number {
        new DataView(this.buffer, this.byteOffset, this.length)[`set${type}`](at, value, order === "LE");
        return at + size;
      },
    });
  }
}

/** The same bytes as a Buffer. */
export function viewOf(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : new Buffer(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function bytesOfText(text: string, encoding: unknown): Uint8Array<ArrayBuffer> {
  switch (String(encoding).toLowerCase()) {
    case "utf8":
    case "utf-8":
      return encode(text);
    case "latin1":
    case "binary":
    case "ascii":
      return latin1(text);
    case "hex":
      return converters.fromHex(/^(?:[0-9a-f]{2})*/i.exec(text)?.[0] ?? "");
    case "base64":
    case "base64url":
      return fromBase64(text);
    default:
      throw new TypeError(`Unknown encoding: ${String(encoding)}`);
  }
}

export function textOfBytes(bytes: Uint8Array, encoding: unknown): string {
  switch (String(encoding).toLowerCase()) {
    case "utf8":
    case "utf-8":
      return decode(bytes, false, true);
    case "latin1":
    case "binary":
      return atob(convertible(bytes).toBase64());
    case "ascii":
      return atob(convertible(bytes.map((byte) => byte & 0x7f)).toBase64());
    case "hex":
      return convertible(bytes).toHex();
    case "base64":
      return convertible(bytes).toBase64();
    case "base64url":
      return convertible(bytes).toBase64({ alphabet: "base64url", omitPadding: true });
    default:
      throw new TypeError(`Unknown encoding: ${String(encoding)}`);
  }
}

/** The low byte of each character. */
function latin1(text: string): Uint8Array<ArrayBuffer> {
  const low = /[^\0-\xff]/.test(text)
    ? Array.from({ length: text.length }, (_, at) => String.fromCharCode(text.charCodeAt(at) & 0xff)).join("")
    : text;
  return converters.fromBase64(btoa(low));
}

/** Both alphabets, and what stands between their characters is passed over, as Node does. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const [plain = ""] = text.split("=", 1);
  const digits = plain
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .replaceAll(/[^0-9A-Za-z+/]/g, "");
  return converters.fromBase64(digits.length % 4 === 1 ? digits.slice(0, -1) : digits);
}

/** Bytes of text (UTF-8) or of a view. Throws a TypeError for anything else: a key that is undefined is none. */
export function bytesOfData(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return encode(data);
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return bytesOf(data);
  throw new TypeError("data is text or bytes");
}
