/**
 * Bodies of `Request` and `Response`: text or bytes that are there, or a stream, which is made of them only when it is
 * asked for. Reference: fetch.spec.whatwg.org 5.3.
 */
import { ReadableStream } from "web-streams-polyfill";
import { BodiesFullError } from "../host/core/errors.js";
import { BODIES_SHARE, memoryShare } from "./memory.js";
import { URLSearchParams } from "./searchparams.js";
import { bytesOf, decode, encode, joined } from "./text.js";

const BODIES_BYTES_MAX = memoryShare(BODIES_SHARE, Number.POSITIVE_INFINITY);

export type Bytes = string | Uint8Array;

/** A body that comes piece by piece without being a stream. */
export interface Source {
  /** The next piece; null: it has ended. */
  read(): Promise<Uint8Array | null>;
  cancel(reason: unknown): void;
}

/** What an object has that becomes a body in a way of its own (edge/forms.ts): its bytes, and their Content-Type. */
export const CONTENT = Symbol("content");
export const TYPE = Symbol("type");
interface OfItsOwn {
  [CONTENT](): Uint8Array;
  readonly [TYPE]: string | null;
}

type Plain = string | ArrayBuffer | ArrayBufferView | URLSearchParams | ReadableStream | null | undefined;
export type BodyInit = Plain | OfItsOwn;
type Content = Bytes | ReadableStream | Source | null;

const USED = Symbol("used");
export const TEXT_TYPE = "text/plain;charset=UTF-8";

function isSource(content: object): content is Source {
  return "read" in content;
}

/** What `new Response(init)` takes. */
export function contentOf(init: BodyInit): Bytes | ReadableStream | null {
  if (typeof init === "string") return init;
  if (init === null || init === undefined) return null;
  if (init instanceof ArrayBuffer || ArrayBuffer.isView(init)) return bytesOf(init).slice();
  if (init instanceof ReadableStream && init.locked) throw new TypeError("a body that is a stream must not be locked");
  if (init instanceof ReadableStream) return init;
  return isOfItsOwn(init) ? init[CONTENT]() : String(init);
}

function isOfItsOwn(init: object): init is OfItsOwn {
  return CONTENT in init;
}

/** The Content-Type that follows from it. */
export function typeOf(init: BodyInit): string | null {
  if (typeof init === "string") return TEXT_TYPE;
  if (init === null || init === undefined || init instanceof ArrayBuffer || ArrayBuffer.isView(init)) return null;
  if (init instanceof ReadableStream) return null;
  if (isOfItsOwn(init)) return init[TYPE];
  return init instanceof URLSearchParams ? "application/x-www-form-urlencoded;charset=UTF-8" : TEXT_TYPE;
}

export class Body {
  #content: Content | typeof USED;

  constructor(content: Content) {
    this.#content = content;
  }

  get body(): ReadableStream | null {
    const content = this.#content;
    if (content === null || content instanceof ReadableStream) return content;
    const stream = content === USED ? lockedStream() : streamOf(content);
    this.#content = stream;
    return stream;
  }

  get bodyUsed(): boolean {
    const content = this.#content;
    return content === USED || (content instanceof ReadableStream && isDisturbed(content));
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
  take(): Content {
    const content = this.#content;
    if (content === USED || this.bodyUsed) throw new TypeError("the body has been read");
    if (content !== null) this.#content = USED;
    return content;
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

/** The stream of a body that has been read. */
function lockedStream(): ReadableStream {
  const stream = new ReadableStream();
  stream.getReader();
  return stream;
}

/** The polyfill keeps it there; no public member says it. */
function isDisturbed(stream: ReadableStream): boolean {
  return stream.locked || (stream as unknown as { _disturbed: boolean })._disturbed;
}

async function readSource(source: Source): Promise<Uint8Array> {
  return (await bytesOfSource(source, Number.POSITIVE_INFINITY)) as Uint8Array;
}

/** Bytes of all bodies that are being gathered; a client may let the end of its own wait. */
let gathered = 0;

/**
 * All of it; null: it is more than `maxBytes`. Rejects with BodiesFullError when there is no memory for it beside the
 * others that come.
 */
export async function bytesOfSource(source: Source, maxBytes: number): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (let piece = await source.read(); piece !== null; piece = await source.read()) {
      bytes += piece.length;
      gathered += piece.length;
      if (bytes > maxBytes) return null;
      if (gathered > BODIES_BYTES_MAX) throw new BodiesFullError(BODIES_BYTES_MAX);
      pieces.push(piece);
    }
    return joined(pieces);
  } finally {
    gathered -= bytes;
  }
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
