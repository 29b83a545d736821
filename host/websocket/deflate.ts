/**
 * Whole messages through raw deflate, as permessage-deflate wants them (RFC 7692 7.2).
 *
 * There is no zlib stream a connection. What "context takeover" needs is the last window of text, and zlib takes that
 * as a dictionary: so a connection keeps at most two windows of bytes (32 KiB each), not two contexts of 300 KiB, and
 * nothing has to be released.
 *
 * Invariants: messages come out in the order in which they went in; what is inflated never exceeds its bound by more
 * than one of zlib's chunks. Small messages are done at once, those of all peers together within INFLATE_TURN_BYTES_MAX
 * a turn; larger ones in other threads, ZLIB_JOBS_MAX at a time in the process.
 */
import { promisify } from "node:util";
import zlib from "node:zlib";
import {
  DEFLATE_AT_ONCE_BYTES_MAX,
  INFLATE_AT_ONCE_BYTES_MAX,
  INFLATE_MESSAGE_COST,
  INFLATE_PIECE_BYTES,
  INFLATE_TURN_BYTES_MAX,
  ZLIB_JOBS_MAX,
} from "../core/limits.js";
import { TurnShare } from "./turnbudget.js";

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

/** Whether there is a zlib at all: a component has none. */
export const HAS_DEFLATE: boolean = true;

let takesDictionaries: boolean | null = null;

/**
 * Whether a message can refer to those before it. Deno's zlib does not look at a dictionary for raw deflate. False, for
 * now, when there is no memory to try it.
 */
export function canTakeOver(): boolean {
  if (takesDictionaries !== null) return takesDictionaries;
  const text = Buffer.from("a text that is longer than a reference to it");
  try {
    const alone = zlib.deflateRawSync(text);
    takesDictionaries = zlib.deflateRawSync(text, { dictionary: text }).length < alone.length;
  } catch {
    return false;
  }
  return takesDictionaries;
}

// --- deflating ---

interface Job {
  readonly message: Uint8Array;
  readonly done: (deflated: Buffer | null) => void;
}

/** Deflates the messages of one connection. */
export class Deflater {
  readonly #zlibOptions: zlib.ZlibOptions;
  readonly #history: History;
  #jobs: Job[] = [];
  #busy = false;

  constructor(parameters: DeflateParameters) {
    const { windowBits, level, memLevel } = parameters;
    this.#zlibOptions = { windowBits, level, memLevel, finishFlush: Z_SYNC_FLUSH };
    this.#history = new History(parameters);
  }

  /**
   * Calls `done`, at once or later and in order, with what to send; with null when the message is to be sent as it is:
   * it would not become smaller, or zlib has failed, for want of memory.
   */
  push(message: Uint8Array, done: (deflated: Buffer | null) => void): void {
    if (!this.#busy && message.length <= DEFLATE_AT_ONCE_BYTES_MAX) {
      done(this.#deflateAtOnce(message));
    } else {
      this.#jobs.push({ message, done });
      if (!this.#busy) void this.#work();
    }
  }

  /** Drops what waits: the websocket is closed. */
  close(): void {
    this.#jobs = [];
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      const { message, done } = job;
      done(await this.#deflateElsewhere(message));
    }
    this.#busy = false;
  }

  #deflateAtOnce(message: Uint8Array): Buffer | null {
    try {
      return this.#finish(message, zlib.deflateRawSync(message, this.#options()));
    } catch {
      return null;
    }
  }

  async #deflateElsewhere(message: Uint8Array): Promise<Buffer | null> {
    try {
      return this.#finish(message, await inTurn(() => deflateRaw(message, this.#options())));
    } catch {
      return null;
    }
  }

  #options(): zlib.ZlibOptions {
    return { ...this.#zlibOptions, ...this.#history.option };
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

const inflateShare = new TurnShare(INFLATE_TURN_BYTES_MAX);

/** Inflates the messages of one connection; asked for the next one when the last one is done. */
export class Inflater {
  readonly #windowBits: number;
  readonly #bytesMax: number;
  readonly #history: History;

  /** `bytesMax`: of one message when it is inflated. */
  constructor(parameters: ZlibParameters, bytesMax: number) {
    this.#windowBits = parameters.windowBits;
    this.#bytesMax = bytesMax;
    this.#history = new History(parameters);
  }

  /**
   * The message, at once when it is small and the turn's share lasts; throws or rejects with zlib's error, see
   * `isTooLarge`.
   */
  inflate(deflated: Buffer): Buffer | Promise<Buffer> {
    const input = Buffer.concat([deflated, TAIL]);
    if (input.length > INFLATE_AT_ONCE_BYTES_MAX) return this.#inflateElsewhere(input);
    return inflateShare.run(() => this.#inflateAtOnce(input));
  }

  #inflateAtOnce(input: Buffer): Buffer | Promise<Buffer> {
    const bytesMax = Math.min(INFLATE_AT_ONCE_BYTES_MAX, this.#bytesMax);
    let bytes = bytesMax;
    try {
      const message = zlib.inflateRawSync(input, this.#options(bytesMax));
      bytes = message.length;
      return this.#keep(message);
    } catch (error) {
      if (bytesMax < this.#bytesMax && isTooLarge(error)) return this.#inflateElsewhere(input);
      throw error;
    } finally {
      inflateShare.spend(INFLATE_MESSAGE_COST + bytes);
    }
  }

  async #inflateElsewhere(input: Buffer): Promise<Buffer> {
    const options = { ...this.#options(this.#bytesMax), chunkSize: INFLATE_PIECE_BYTES };
    return this.#keep(await inTurn(() => inflateRaw(input, options)));
  }

  #options(maxOutputLength: number): zlib.ZlibOptions {
    return {
      windowBits: this.#windowBits,
      finishFlush: Z_SYNC_FLUSH,
      maxOutputLength,
      ...this.#history.option,
    };
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
