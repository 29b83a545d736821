/**
 * A request's body that came compressed (`decompressRequest`), inflated as its handler takes it.
 *
 * Invariants: what is inflated ahead is what Node's stream holds, some 32 KiB; the inflated size has the bound that
 * every body has, so a small body cannot become a large one; one that is cut or damaged is an error, never a shorter
 * body.
 * Reference: RFC 1952, of which several members make one body; Tornado's http1connection._GzipMessageDelegate.
 */
import { pipeline } from "node:stream";
import { createGunzip, type Gunzip } from "node:zlib";
import { AlreadyReadingError, BodyTooLargeError, HTTPInputError } from "../../core/errors.js";
import { BodyReader } from "../bodyreader.js";

/** What Content-Encoding is called once the coding has been taken away; Tornado's name. */
export const CONSUMED = "x-consumed-content-encoding";

/** Each side of the stream holds so much. Node's default is 64 KiB from Node 22 on. */
const GUNZIP_OPTIONS = { highWaterMark: 16_384, chunkSize: 16_384 };

/** Whether a Content-Encoding is one that is taken away. */
export function isGzip(contentEncoding: string | null): boolean {
  const coding = contentEncoding?.toLowerCase();
  return coding === "gzip" || coding === "x-gzip";
}

/**
 * Names and values of the header fields as a handler sees them whose body is inflated: a client cannot claim that it
 * was.
 */
export function consumedFields(fields: readonly string[]): string[] {
  const codings = fields.filter((_text, at) => at % 2 === 1 && isCoding(fields[at - 1] as string));
  const consumed = isGzip(codings.join(", "));
  const seen: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (name.toLowerCase() === CONSUMED) continue;
    seen.push(consumed && isCoding(name) ? CONSUMED : name, fields[at + 1] as string);
  }
  return seen;
}

function isCoding(name: string): boolean {
  return name.toLowerCase() === "content-encoding";
}

export class GzipBody extends BodyReader {
  readonly #source: BodyReader;
  readonly #bytesMax: number;
  #blocks: AsyncIterator<Buffer> | null = null;
  #gunzip: Gunzip | null = null;
  #bytes = 0;
  #reading = false;

  /** `bytesMax`: of the inflated body. */
  constructor(source: BodyReader, bytesMax: number) {
    super();
    this.#source = source;
    this.#bytesMax = bytesMax;
  }

  override hold(bytes: number): void {
    this.#source.hold(bytes);
  }

  override async next(): Promise<Buffer | null> {
    if (this.#reading) throw new AlreadyReadingError();
    this.#reading = true;
    try {
      this.#blocks ??= await this.#open();
      const { done, value } = await this.#blocks.next();
      if (done === true) return null;
      this.#bytes += value.length;
      if (this.#bytes > this.#bytesMax) throw this.#stop(new BodyTooLargeError(this.#bytesMax));
      return value;
    } catch (error) {
      throw explained(error);
    } finally {
      this.#reading = false;
    }
  }

  /** Not a byte is no gzip: an empty body has twenty. (zlib itself takes it for an empty body.) */
  async #open(): Promise<AsyncIterator<Buffer>> {
    const first = await this.#source.next();
    if (first === null) throw malformed(new Error("it has no byte"));
    const gunzip = createGunzip(GUNZIP_OPTIONS);
    this.#gunzip = gunzip;
    pipeline(startingWith(first, this.#source), gunzip, () => {}); // an error reaches the reader
    return gunzip[Symbol.asyncIterator]();
  }

  #stop(error: Error): Error {
    this.#gunzip?.destroy(error);
    return error;
  }
}

async function* startingWith(first: Buffer, source: BodyReader): AsyncIterable<Buffer> {
  yield first;
  for (let block = await source.next(); block !== null; block = await source.next()) yield block;
}

/** zlib's own errors say what is wrong with the body. */
function explained(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code.startsWith("Z_") ? malformed(error) : error;
}

function malformed(cause: unknown): HTTPInputError {
  return new HTTPInputError("the request's body is not well-formed gzip", 400, "HTTP_INPUT", { cause });
}
