/**
 * Compressing the bytes of an answer: at once when they are few, else in Node's own threads, as fast as the peer takes
 * them.
 *
 * Invariants: each write of a streamed answer leaves as a whole, so that what a handler has written can be read at the
 * other end; what is compressed and not sent is at most a window and what zlib holds; COMPRESSORS_MAX answers are
 * compressed at a time, since each holds some hundred KiB.
 */

import type { Transform } from "node:stream";
import { finished } from "node:stream/promises";
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  deflateSync,
  gzipSync,
} from "node:zlib";
import type { WriteWindow } from "../../bridge/writewindow.js";
import { COMPRESSORS_MAX } from "../../core/limits.js";
import { COMPRESSOR_BYTES, memoryShare } from "../../core/memorybudget.js";
import { ignore } from "../../core/promises.js";
import type { ContentCoding } from "./acceptencoding.js";
import type { Compression } from "./options.js";
import { zstdStream, zstdWhole } from "./zstd.js";

/** 256 KiB: as much as gzip looks back on; the library's own 4 MiB would be held for each answer. */
const BROTLI_WINDOW_BITS = 18;

let compressors = 0;

/** Whether one more answer may be compressed as it goes. */
export function hasFreeCompressor(): boolean {
  return compressors < memoryShare(COMPRESSOR_BYTES, COMPRESSORS_MAX);
}

/** All of a small body. */
export function compressWhole(compression: Compression, coding: ContentCoding, body: Uint8Array): Buffer {
  if (coding === "zstd") return zstdWhole(body, compression.zstdLevel);
  if (coding === "br") return brotliCompressSync(body, brotliOptions(compression, body.length));
  const options = { level: compression.gzipLevel };
  return coding === "gzip" ? gzipSync(body, options) : deflateSync(body, options);
}

export class Compressor {
  readonly #stream: Transform;
  readonly #writeWindow: WriteWindow;
  #over = false;
  #error: Error | null = null;

  /**
   * `bytes`: the body's size; -1: it comes in pieces, each of which leaves when it has come. `failed` is called when
   * zlib has failed, for want of memory: the answer cannot be completed.
   */
  constructor(
    compression: Compression,
    coding: ContentCoding,
    bytes: number,
    writeWindow: WriteWindow,
    window: number,
    failed: (error: Error) => void,
  ) {
    this.#writeWindow = writeWindow;
    this.#stream = open(compression, coding, bytes);
    compressors++;
    this.#stream.on("data", (piece: Buffer) => {
      writeWindow.push(piece);
      if (writeWindow.waiting <= window) return;
      this.#stream.pause();
      writeWindow.done().then(
        () => this.#stream.resume(),
        () => {},
      );
    });
    this.#stream.once("end", () => {
      this.#release();
      writeWindow.end();
    });
    this.#stream.on("error", (error) => {
      if (this.#error === null) failed(error);
    });
  }

  /** Bytes that wait to be compressed. */
  get waiting(): number {
    return this.#stream.writableLength;
  }

  /** Resolves when `bytes` have been compressed and have left; rejects when they never will. */
  write(bytes: Uint8Array): Promise<void> {
    return ignore(
      new Promise<void>((resolve, reject) => {
        this.#stream.write(bytes, (error) => {
          if (this.#error !== null || error) reject(this.#error ?? error);
          else resolve(this.#writeWindow.done());
        });
      }),
    );
  }

  /** Resolves, after `end`, when everything has been compressed and has left; rejects when it never will. */
  done(): Promise<void> {
    return ignore(finished(this.#stream).then(() => this.#writeWindow.done()));
  }

  /** Nothing more follows. */
  end(): void {
    this.#stream.end();
  }

  /** What has not left never will. */
  destroy(error: Error): void {
    this.#error = error;
    this.#release();
    this.#stream.destroy(error);
  }

  #release(): void {
    if (!this.#over) compressors--;
    this.#over = true;
  }
}

function open(compression: Compression, coding: ContentCoding, bytes: number): Transform {
  const inPieces = bytes < 0;
  if (coding === "zstd") return zstdStream(compression.zstdLevel, inPieces);
  if (coding === "br") {
    const flush = inPieces ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS;
    return createBrotliCompress({ ...brotliOptions(compression, Math.max(bytes, 0)), flush });
  }
  const options = {
    level: compression.gzipLevel,
    flush: inPieces ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH,
  };
  return coding === "gzip" ? createGzip(options) : createDeflate(options);
}

/** `bytes`: the body's size, 0 when it is not known. */
function brotliOptions({ brotliQuality }: Compression, bytes: number): { params: Record<number, number> } {
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: brotliQuality,
      [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: Math.min(bytes, 0x7fffffff),
    },
  };
}
