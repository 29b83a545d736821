/** `Blob` and `File`, whose bytes are in memory. Reference: w3.org/TR/FileAPI 3 and 4. */
import { ReadableStream } from "web-streams-polyfill";
import { CONTENT, TYPE } from "./body.js";
import { bytesOf, decode, encode, joined } from "./text.js";

export type BlobPart = string | ArrayBuffer | ArrayBufferView | Blob;

interface BlobOptions {
  type?: string;
}

/** In lower case; of other characters than ASCII it has none. */
function typeOf(type: unknown): string {
  const text = String(type ?? "");
  return /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : "";
}

export class Blob {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #type: string;

  constructor(parts: Iterable<BlobPart> = [], options: BlobOptions = {}) {
    if (typeof parts !== "object" || !(Symbol.iterator in parts)) throw new TypeError("a Blob is made of a sequence");
    this.#bytes = joined(Array.from(parts, pieceOf));
    this.#type = typeOf(options?.type);
  }

  get size(): number {
    return this.#bytes.length;
  }

  get type(): string {
    return this.#type;
  }

  slice(start?: number, end?: number, type?: string): Blob {
    return new Blob([this.#bytes.subarray(start ?? 0, end)], { type: type ?? "" });
  }

  async text(): Promise<string> {
    return decode(this.#bytes);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer;
  }

  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice();
  }

  stream(): ReadableStream<Uint8Array> {
    const bytes = this.#bytes;
    return new ReadableStream({
      start(controller) {
        if (bytes.length > 0) controller.enqueue(bytes.slice());
        controller.close();
      },
    });
  }

  [CONTENT](): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  get [TYPE](): string | null {
    return this.#type === "" ? null : this.#type;
  }

  get [Symbol.toStringTag](): string {
    return "Blob";
  }
}

function pieceOf(part: BlobPart): Uint8Array {
  if (part instanceof Blob) return part[CONTENT]();
  return part instanceof ArrayBuffer || ArrayBuffer.isView(part) ? bytesOf(part) : encode(String(part));
}

export class File extends Blob {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly lastModified: number;

  constructor(parts: Iterable<BlobPart>, name: string, options: BlobOptions & { lastModified?: number } = {}) {
    if (name === undefined) throw new TypeError("a File has a name");
    super(parts, options);
    this.name = String(name).toWellFormed();
    this.lastModified = Number(options?.lastModified ?? Date.now());
  }

  override get [Symbol.toStringTag](): string {
    return "File";
  }
}
