/**
 * `CompressionStream` and `DecompressionStream`, over fflate. An application that names neither goes without.
 *
 * Invariant: however little data says that it is much, what has come out of it and was not read is at most what one
 * slice of the input can become: half a MiB. Reference: compression.spec.whatwg.org.
 */
import { Deflate, Gunzip, Gzip, Inflate, Unzlib, Zlib } from "fflate";
import { ReadableStream, type ReadableStreamDefaultController, WritableStream } from "web-streams-polyfill";
import { bytesOf } from "./text.js";

/** Of the input at once: each byte becomes at most 1,032. */
const SLICE_BYTES = 512;
const NOTHING = new Uint8Array(0);

interface Coder {
  ondata: (bytes: Uint8Array) => void;
  push(bytes: Uint8Array, isLast: boolean): void;
}
type Coders = ReadonlyMap<string, new () => Coder>;

const COMPRESSORS = new Map<string, unknown>([
  ["gzip", Gzip],
  ["deflate", Zlib],
  ["deflate-raw", Deflate],
]) as Coders;
const DECOMPRESSORS = new Map<string, unknown>([
  ["gzip", Gunzip],
  ["deflate", Unzlib],
  ["deflate-raw", Inflate],
]) as Coders;

/** One direction: what is written comes out coded. */
class CodingStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<unknown>;
  readonly #coder: Coder;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #wake: (() => void) | null = null;
  #error: unknown = null;
  #isEmpty = true;
  readonly #needsData: boolean;

  constructor(coders: Coders, format: unknown) {
    this.#needsData = coders === DECOMPRESSORS;
    const Coding = coders.get(String(format));
    if (Coding === undefined) throw new TypeError(`there is no format ${String(format)}`);
    this.#coder = new Coding();
    this.#coder.ondata = (bytes) => {
      if (bytes.length > 0) this.#controller.enqueue(bytes);
    };
    this.readable = new ReadableStream(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#goOn(),
        cancel: (reason) => this.#end(reason ?? new TypeError("the stream is cancelled")),
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream({
      write: (chunk) => this.#write(chunk),
      close: () => this.#close(),
      abort: (reason) => {
        this.#end(reason);
        this.#controller.error(reason);
      },
    });
  }

  async #write(chunk: unknown): Promise<void> {
    if (!(chunk instanceof ArrayBuffer || ArrayBuffer.isView(chunk))) throw this.#fail(new TypeError("no bytes"));
    const bytes = bytesOf(chunk);
    if (bytes.length > 0) this.#isEmpty = false;
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      // A copy: the coder keeps what it cannot use yet, and the piece is the caller's.
      this.#push(bytes.slice(at, at + SLICE_BYTES), false);
      while ((this.#controller.desiredSize ?? 0) < 0 && this.#error === null) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      if (this.#error !== null) throw this.#error;
    }
  }

  #close(): void {
    if (this.#isEmpty && this.#needsData) throw this.#fail(new TypeError("there are no data"));
    this.#push(NOTHING, true);
    this.#controller.close();
  }

  #push(bytes: Uint8Array, isLast: boolean): void {
    try {
      this.#coder.push(bytes, isLast);
    } catch (error) {
      throw this.#fail(new TypeError((error as Error).message));
    }
  }

  #fail(error: TypeError): TypeError {
    this.#controller.error(error);
    return error;
  }

  #end(reason: unknown): void {
    this.#error = reason;
    this.#goOn();
  }

  #goOn(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

class CompressionStream extends CodingStream {
  constructor(format: string) {
    super(COMPRESSORS, format);
  }
}

class DecompressionStream extends CodingStream {
  constructor(format: string) {
    super(DECOMPRESSORS, format);
  }
}

Object.assign(globalThis, { CompressionStream, DecompressionStream });
