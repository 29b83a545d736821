/**
 * Whole messages through raw deflate, as permessage-deflate wants them (RFC 7692 7.2).
 *
 * There is no zlib stream a connection. What "context takeover" needs is the last window of text, and zlib takes that as a dictionary:
 * so a connection keeps at most two windows of bytes (32 KiB each), not two contexts of 300 KiB, and nothing has to be released.
 *
 * Invariants: messages come out in the order in which they went in; what is inflated never exceeds its bound by more than one of
 * zlib's chunks; small messages are done at once, of larger ones ZLIB_JOBS_MAX at a time in the process.
 */
import { promisify } from "node:util";
import zlib from "node:zlib";
import { DEFLATE_AT_ONCE_BYTES_MAX, INFLATE_AT_ONCE_BYTES_MAX, ZLIB_JOBS_MAX } from "./limits.js";

const deflateRaw = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);
const inflateRaw = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);

/** What a flush ends with, and a message leaves out (RFC 7692 7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const { Z_SYNC_FLUSH } = zlib.constants;

/** One direction of a connection. */
export interface ZlibParameters {
  /** 9 to 15 for deflating, 8 to 15 for inflating. */
  readonly windowBits: number;
  /** Whether a message may refer to those before it. */
  readonly takeover: boolean;
}

/** How to deflate: zlib's own numbers. */
export interface DeflateParameters extends ZlibParameters {
  readonly level: number;
  readonly memLevel: number;
}

/** The last bytes that went through, up to a window of them. */
class History {
  readonly #bytesMax: number;
  #bytes: Buffer | null = null;

  constructor({ windowBits, takeover }: ZlibParameters) {
    this.#bytesMax = takeover ? 2 ** windowBits : 0;
  }

  /** zlib's option for it. */
  get option(): { dictionary?: Buffer } {
    return this.#bytes === null ? {} : { dictionary: this.#bytes };
  }

  add(message: Uint8Array): void {
    if (this.#bytesMax === 0 || message.length === 0) return;
    const kept = Math.min(this.#bytes?.length ?? 0, Math.max(0, this.#bytesMax - message.length));
    const before = this.#bytes === null ? [] : [this.#bytes.subarray(this.#bytes.length - kept)];
    this.#bytes = Buffer.concat([...before, message.subarray(Math.max(0, message.length - this.#bytesMax))]);
  }
}

// --- deflating ---

interface Job {
  readonly message: Uint8Array;
  readonly done: (deflated: Buffer | null) => void;
}

/** Deflates the messages of one connection. */
export class Deflater {
  readonly #options: zlib.ZlibOptions;
  readonly #history: History;
  #jobs: Job[] = [];
  #busy = false;

  constructor(parameters: DeflateParameters) {
    const { windowBits, level, memLevel } = parameters;
    this.#options = { windowBits, level, memLevel, finishFlush: Z_SYNC_FLUSH };
    this.#history = new History(parameters);
  }

  /** Calls `done`, at once or later and in order, with what to send; with null when that would not be smaller. */
  push(message: Uint8Array, done: (deflated: Buffer | null) => void): void {
    if (!this.#busy && message.length <= DEFLATE_AT_ONCE_BYTES_MAX) {
      const deflated = zlib.deflateRawSync(message, { ...this.#options, ...this.#history.option });
      done(this.#finish(message, deflated));
    } else {
      this.#jobs.push({ message, done });
      if (!this.#busy) void this.#work();
    }
  }

  /** Forgets what waits: nobody is there to take it. */
  close(): void {
    this.#jobs = [];
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      const { message, done } = job;
      const options = { ...this.#options, ...this.#history.option };
      const deflated = await inTurn(() => deflateRaw(message, options));
      done(this.#finish(message, deflated));
    }
    this.#busy = false;
  }

  /** The peer's window holds what it was sent deflated, and nothing else. */
  #finish(message: Uint8Array, deflated: Buffer): Buffer | null {
    const bytes = deflated.length - TAIL.length;
    if (bytes >= message.length) return null;
    this.#history.add(message);
    return deflated.subarray(0, bytes);
  }
}

// --- inflating ---

/** Inflates the messages of one connection; asked for the next one when the last one is done. */
export class Inflater {
  readonly #options: zlib.ZlibOptions;
  readonly #history: History;

  /** `bytesMax`: of one message when it is inflated. */
  constructor(parameters: ZlibParameters, bytesMax: number) {
    this.#options = { windowBits: parameters.windowBits, finishFlush: Z_SYNC_FLUSH, maxOutputLength: bytesMax };
    this.#history = new History(parameters);
  }

  /** The message, at once when it is small; throws or rejects with zlib's error, see `isTooLarge`. */
  inflate(deflated: Buffer): Buffer | Promise<Buffer> {
    const input = Buffer.concat([deflated, TAIL]);
    const options = { ...this.#options, ...this.#history.option };
    if (input.length > INFLATE_AT_ONCE_BYTES_MAX) {
      return inTurn(() => inflateRaw(input, options)).then((message) => this.#keep(message));
    }
    return this.#keep(zlib.inflateRawSync(input, options));
  }

  #keep(message: Buffer): Buffer {
    this.#history.add(message);
    return message;
  }
}

/** Whether inflating has stopped at its bound. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
}

// --- not all at once ---

let running = 0;
const waiting: (() => void)[] = [];

/** Runs `job` when fewer than ZLIB_JOBS_MAX others run. */
async function inTurn<T>(job: () => Promise<T>): Promise<T> {
  if (running >= ZLIB_JOBS_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await job();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
