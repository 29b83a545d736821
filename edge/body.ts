/**
 * Bodies of `Request` and `Response`: text or bytes that are there, or a stream, which is made of them only when it is
 * asked for. Reference: fetch.spec.whatwg.org 5.3.
 */
import { ReadableStream } from "web-streams-polyfill";
import { bytesOf, decode, encode, joined } from "./text.js";

export type Bytes = string | Uint8Array;

/** A body that comes piece by piece without being a stream. */
export interface Source {
  /** The next piece; null: it has ended. */
  read(): Promise<Uint8Array | null>;
  cancel(reason: unknown): void;
}

export type BodyInit = string | ArrayBuffer | ArrayBufferView | URLSearchParams | ReadableStream | null | undefined;
interface URLSearchParams {
  toString(): string;
}

function isSource(content: object): content is Source {
  return "read" in content;
}

/** What `new Response(init)` takes, and the Content-Type that follows from it. */
export function contentOf(init: BodyInit): { content: Bytes | ReadableStream | null; type: string | null } {
  if (init === null || init === undefined) return { content: null, type: null };
  if (typeof init === "string") return { content: init, type: "text/plain;charset=UTF-8" };
  if (init instanceof ArrayBuffer || ArrayBuffer.isView(init)) return { content: bytesOf(init).slice(), type: null };
  if (init instanceof ReadableStream) {
    if (init.locked) throw new TypeError("a body that is a stream must not be locked");
    return { content: init, type: null };
  }
  const { URLSearchParams } = globalThis as unknown as { URLSearchParams: new () => object };
  if (init instanceof URLSearchParams)
    return { content: String(init), type: "application/x-www-form-urlencoded;charset=UTF-8" };
  return { content: String(init), type: "text/plain;charset=UTF-8" };
}

export class Body {
  #content: Bytes | ReadableStream | Source | null;
  #used = false;

  constructor(content: Bytes | ReadableStream | Source | null) {
    this.#content = content;
  }

  get body(): ReadableStream | null {
    const content = this.#content;
    if (content === null || content instanceof ReadableStream) return content;
    const stream = streamOf(content);
    this.#content = stream;
    return stream;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#content instanceof ReadableStream && isDisturbed(this.#content));
  }

  async text(): Promise<string> {
    const bytes = this.#take();
    if (typeof bytes === "string") return bytes.toWellFormed();
    return decode(bytes instanceof Uint8Array ? bytes : await bytes);
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array> {
    const bytes = this.#take();
    if (typeof bytes === "string") return encode(bytes);
    return bytes instanceof Uint8Array ? bytes.slice() : bytes;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer as ArrayBuffer;
  }

  /** Whether it is there, or how it comes, for who sends it or hands it on; it is used then. */
  take(): Bytes | ReadableStream | Source | null {
    if (this.bodyUsed) throw new TypeError("the body has been read");
    if (this.#content !== null) this.#used = true;
    return this.#content;
  }

  /** For a clone: text and bytes are shared, a stream is divided. */
  tee(): Bytes | ReadableStream | null {
    if (this.bodyUsed) throw new TypeError("the body has been read");
    const content = this.#content;
    if (content === null || typeof content === "string" || content instanceof Uint8Array) return content;
    const [own, other] = (this.body as ReadableStream).tee();
    this.#content = own;
    return other;
  }

  #take(): Bytes | Promise<Uint8Array> {
    const content = this.take();
    if (content === null) return "";
    if (typeof content === "string" || content instanceof Uint8Array) return content;
    return isSource(content) ? readSource(content) : readStream(content);
  }
}

/** The polyfill keeps it there; no public member says it. */
function isDisturbed(stream: ReadableStream): boolean {
  return stream.locked || (stream as unknown as { _disturbed: boolean })._disturbed;
}

async function readSource(source: Source): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let piece = await source.read(); piece !== null; piece = await source.read()) pieces.push(piece);
  return joined(pieces);
}

async function readStream(stream: ReadableStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(pieceOf(next.value));
  return joined(pieces);
}

/** A piece of a body's stream. Only bytes may be one. */
export function pieceOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError("a piece of a body must be a Uint8Array");
}

function streamOf(content: Bytes | Source): ReadableStream {
  if (typeof content === "string" || content instanceof Uint8Array) {
    return new ReadableStream({
      start(controller) {
        const bytes = typeof content === "string" ? encode(content) : content;
        if (bytes.length > 0) controller.enqueue(bytes);
        controller.close();
      },
    });
  }
  return new ReadableStream(
    {
      async pull(controller) {
        const piece = await content.read();
        if (piece === null) controller.close();
        else controller.enqueue(piece);
      },
      cancel: (reason) => content.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
