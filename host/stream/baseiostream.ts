/**
 * What every stream can do, whatever its bytes come from: Tornado's BaseIOStream. `iostream.ts` is a connection that
 * the sandbox holds, `nodestream.ts` any Duplex of Node's.
 *
 * Invariants: at most one read is pending. What a read took and did not use is held here and is what the next read sees
 * first. Reads that a stream carries out itself (`startUntil`, `startBytes`) are only started while nothing is held.
 */
import type { Duplex } from "node:stream";
import { wholeNumber } from "../core/check.js";
import { type Data, toBytes } from "../core/data.js";
import {
  AlreadyReadingError,
  OptionError,
  type Reason,
  StreamBufferFullError,
  StreamClosedError,
  StreamNotIdleError,
  UnsatisfiableReadError,
} from "../core/errors.js";
import { DELIMITER_BYTES_MAX, READ_UNTIL_BYTES_MAX, READ_UNTIL_CLOSE_BYTES_MAX } from "../core/limits.js";
import type { Logger } from "../core/log.js";
import type { TLSInfo } from "../tls/contexts.js";
import { planTLS, type StartTLSOptions, type TLSPlan } from "../tls/starttls.js";
import { toNode, toWeb, type WebStreams } from "./conversion.js";
import { ReadBuffer } from "./readbuffer.js";
import type { StreamSettings } from "./settings.js";

/**
 * Where the bytes up to an end lie within `bytes`, of which those before `searched` had none; -1: there is none yet.
 */
type FindEnd = (bytes: Buffer, searched: number) => number;

const UINT32_MAX = 0xffffffff;

/** Reads and writes of one connection, whatever holds it: Tornado's BaseIOStream. */
export abstract class BaseIOStream implements AsyncIterable<Buffer> {
  readonly #settings: StreamSettings;
  #held: ReadBuffer | null = null;
  #closeCallback: (() => void) | null = null;
  /** A read that takes several steps is pending. */
  #stepping = false;
  /** A TLS handshake is under way. */
  #securing = false;
  /** Another kind of stream does its reading and writing, and ends it. */
  protected isConverted = false;

  /** @internal */
  constructor(settings: StreamSettings) {
    this.#settings = settings;
  }

  /** What TLS has agreed on; null without TLS. */
  tls: TLSInfo | null = null;

  // --- what each kind of stream does in its own way ---

  /** Whether the stream is closed, by either side. */
  abstract get closed(): boolean;

  /** Whether the peer has ended its side and everything that it sent has been taken. Writing may still work. */
  abstract get ended(): boolean;

  /** What every further call rejects with, and why the stream was closed; null while it is open. */
  abstract get error(): StreamClosedError | null;

  /**
   * Calls `callback` once when the stream is closed, after its pending promises, whether or not everything that had
   * come was read; soon if it is closed already. Null removes it. It is called also when the peer has ended its side
   * and all has been read; such a stream can still be written to, see `ended`.
   */
  setCloseCallback(callback: (() => void) | null): void {
    this.#closeCallback = callback;
    if (this.closed) this.announceClose();
  }

  /**
   * Sends `data` (text as UTF-8). Several writes may be pending; they go out in order.
   *
   * Resolves when all of `data` has been given to the peer's connection, so awaiting it is the back-pressure. Rejects
   * with StreamClosedError when it never will be; it need not be awaited. Throws StreamBufferFullError when more
   * than `writeBufferBytesMax` would wait with it: nothing of it is sent, and the stream stays open. On a server's
   * streams a single write of any size may wait.
   */
  abstract write(data: Data): Promise<void>;

  /**
   * Closes the stream once everything written has been sent. A pending read gets StreamClosedError. May be called
   * again.
   */
  abstract close(): void;

  /** Closes the stream at once; what was written and not sent is lost. */
  abstract abort(): void;

  /**
   * Sends small pieces at once (true) or lets the kernel gather them (false): TCP_NODELAY, which is on by default.
   * Returns whether it could be set: only where Node holds the socket, so not under wasmtime.
   */
  abstract setNodelay(on: boolean): boolean;

  /** Where a close callback that fails is logged. */
  protected abstract get logger(): Logger;

  /** Whether a read is pending. */
  get reading(): boolean {
    return this.#stepping || this.pulling;
  }

  /** Whether some of what was written has not been sent. */
  get writing(): boolean {
    return this.unsent > 0;
  }

  /** Whether a read of this stream's own is pending. */
  protected abstract get pulling(): boolean;

  /** Bytes that were written and have not been sent. */
  protected abstract get unsent(): number;

  /** Resolves when all that was written so far has been sent; rejects when it never will be. */
  protected abstract flushed(): Promise<void>;

  /**
   * Agrees on TLS, which what came `early` belongs to; a failure has closed the stream. Resolves with what was agreed.
   */
  protected abstract secure(plan: TLSPlan, early: Buffer | null): Promise<TLSInfo | null>;

  /**
   * What comes next, at least 1 byte and at most `bytesMax`. Rejects with StreamClosedError, `"END"` for the peer's
   * end.
   */
  protected abstract pull(bytesMax: number): Promise<Buffer>;

  /** Closes at once; later calls reject with this reason. */
  protected abstract closeFor(reason: Reason): void;

  /** Reads through `delimiter` while nothing is held. */
  protected startUntil(delimiter: Uint8Array, maxBytes: number): Promise<Buffer> {
    return this.#step(() => this.#scan(maxBytes, findDelimiter(delimiter)));
  }

  /** Reads `bytes` bytes while nothing is held. */
  protected startBytes(bytes: number): Promise<Buffer> {
    return this.#step(() => this.#gather(bytes));
  }

  /** The stream has been closed: its callback comes behind all that is settled now. */
  protected announceClose(): void {
    const callback = this.#closeCallback;
    this.#closeCallback = null;
    if (callback === null) return;
    setImmediate(() => {
      try {
        callback();
      } catch (error) {
        this.logger.error({ err: error }, "a close callback failed");
      }
    });
  }

  /** What is held is not wanted any more. */
  protected dropHeld(): void {
    this.#held = null;
  }

  // --- reading ---

  /**
   * Reads up to and including `delimiter` (1 to 256 bytes).
   *
   * Rejects with UnsatisfiableReadError when the delimiter does not end within `maxBytes` (default 64 KiB), or within a
   * `bufferBytesMax` that was set, which closes the stream; with StreamClosedError when the peer ended before it, and
   * with AlreadyReadingError while another read is pending.
   */
  readUntil(delimiter: Data, maxBytes: number = READ_UNTIL_BYTES_MAX): Promise<Buffer> {
    const bytes = toBytes(delimiter);
    if (bytes.length === 0 || bytes.length > DELIMITER_BYTES_MAX) {
      throw new OptionError(`a delimiter has 1 to ${DELIMITER_BYTES_MAX} bytes, not ${bytes.length}`);
    }
    wholeNumber("maxBytes", maxBytes, 1, UINT32_MAX);
    const busy = this.#busy();
    if (busy !== null) return busy;
    const own = typeof delimiter === "string" ? bytes : Uint8Array.from(bytes);
    if (this.#held === null) return this.startUntil(own, maxBytes);
    return this.#step(() => this.#scan(maxBytes, findDelimiter(own)));
  }

  /**
   * Reads up to the end of the first match of `regex`, whose text is the bytes, one character each (latin-1). What came
   * behind it stays for the next read. The match is looked for anew with each piece that comes, so it may be shorter
   * than it would be with more bytes; and it is looked for in this process, so a regex whose time explodes is a way to
   * hold it up, and so is a large `maxBytes`: a peer that sends byte by byte has all that came before looked at again
   * for each of them.
   *
   * Rejects as `readUntil`: the match has to end within `maxBytes` (default 64 KiB).
   */
  readUntilRegex(regex: RegExp, maxBytes: number = READ_UNTIL_BYTES_MAX): Promise<Buffer> {
    wholeNumber("maxBytes", maxBytes, 1, UINT32_MAX);
    return this.#busy() ?? this.#step(() => this.#scan(maxBytes, findRegex(regex)));
  }

  /**
   * Reads `bytes` bytes, or with `partial` whatever there is, at least 1 and at most `bytes`.
   *
   * Rejects with StreamClosedError when the peer ended before that, with AlreadyReadingError while another read is
   * pending, and with StreamBufferFullError when `bytes` is more than a `bufferBytesMax` that was set.
   */
  readBytes(bytes: number, options: { partial?: boolean } = {}): Promise<Buffer> {
    wholeNumber("bytes", bytes, 0, UINT32_MAX);
    if (bytes === 0) return Promise.resolve(Buffer.alloc(0));
    const busy = this.#busy();
    if (busy !== null) return busy;
    const held = this.#held;
    if (options.partial === true) return held === null ? this.pull(bytes) : Promise.resolve(this.#take(held, bytes));
    const { bufferBytesMax } = this.#settings;
    if (bufferBytesMax > 0 && bytes > bufferBytesMax) {
      return Promise.reject(new StreamBufferFullError(`a read may hold ${bufferBytesMax} bytes, not ${bytes}`));
    }
    return held === null ? this.startBytes(bytes) : this.#step(() => this.#gather(bytes));
  }

  /**
   * Fills `target` from its beginning, or with `partial` whatever there is of it, at least 1 byte. Resolves with the
   * number of bytes. Rejects as `readBytes`; what has come until then is in `target`.
   */
  readInto(target: Uint8Array, options: { partial?: boolean } = {}): Promise<number> {
    if (target.length === 0) return Promise.resolve(0);
    return this.#busy() ?? this.#step(() => this.#fill(target, options.partial === true));
  }

  /**
   * Reads until the peer ends its side, and returns all of it. Writing still works after that.
   *
   * Rejects with StreamBufferFullError when it is more than `maxBytes` (default: `bufferBytesMax` if that was set, else
   * 16 MiB), and with StreamClosedError when the connection broke instead of ending.
   */
  async readUntilClose(
    maxBytes: number = this.#settings.bufferBytesMax || READ_UNTIL_CLOSE_BYTES_MAX,
  ): Promise<Buffer> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of this) {
      bytes += part.length;
      if (bytes > maxBytes) throw new StreamBufferFullError(`the peer sent more than ${maxBytes} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts, bytes);
  }

  /**
   * Yields what comes, in pieces of at most `readChunkBytes`, until the peer ends its side. Throws when the connection
   * breaks.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    while (true) {
      let part: Buffer;
      try {
        part = await this.readBytes(this.#settings.readChunkBytes, { partial: true });
      } catch (error) {
        if (error instanceof StreamClosedError && error.reason === "END") return;
        throw error;
      }
      yield part;
    }
  }

  // --- TLS ---

  /**
   * Goes on with TLS over the same connection: STARTTLS of SMTP and IMAP, PostgreSQL's SSLRequest. Resolves with this
   * stream, whose bytes are encrypted from then on; `tls` has what was agreed. What the peer has sent already counts
   * as TLS's, never as if it had come through it.
   *
   * What was written before leaves first, unencrypted. Rejects with StreamNotIdleError while a read is pending or when
   * it has TLS, with OptionError or TLSConfigError for wrong options: then the stream is as before. With
   * TLSHandshakeError, TimeoutError or StreamClosedError it is closed.
   */
  async startTls(options: StartTLSOptions): Promise<this> {
    const plan = planTLS(options);
    if (this.error !== null) throw this.error;
    if (this.ended) throw new StreamClosedError("END");
    this.#checkIdle();
    this.#securing = true;
    try {
      if (this.writing) await this.#flush(plan.timeoutMs);
      const early = this.#held === null ? null : this.#take(this.#held, this.#held.length);
      this.tls = await this.secure(plan, early);
    } finally {
      this.#securing = false;
    }
    return this;
  }

  #checkIdle(): void {
    if (this.#securing) throw new StreamNotIdleError("a TLS handshake is under way");
    if (this.tls !== null) throw new StreamNotIdleError("it has TLS already");
    if (this.reading) throw new StreamNotIdleError("a read is pending");
  }

  /** Waits until all that was written has been sent; a peer that takes longer than `timeoutMs` is closed. */
  async #flush(timeoutMs: number): Promise<void> {
    const late = setTimeout(() => this.closeFor("TIMEOUT"), timeoutMs);
    try {
      await this.flushed();
    } finally {
      clearTimeout(late);
    }
    if (this.error !== null) throw this.error;
  }

  /** Why nothing can be read or written now; null: it can. */
  protected get securing(): StreamNotIdleError | null {
    return this.#securing ? new StreamNotIdleError("a TLS handshake is under way") : null;
  }

  // --- as other kinds of streams ---

  /**
   * The stream as a pair of Web Streams, which then do all its reading and writing. Closing `writable` closes the
   * stream after what was written, so do it when `readable` has ended; cancelling or aborting either side closes it at
   * once.
   */
  toWeb(): WebStreams {
    this.isConverted = true;
    return toWeb(this, this.#settings.readChunkBytes);
  }

  /**
   * The stream as a Duplex of Node's, which then does all its reading and writing. Ending it closes the stream after
   * what was written.
   */
  toNode(): Duplex {
    this.isConverted = true;
    return toNode(this, this.#settings.readChunkBytes);
  }

  // --- reads in several steps ---

  #busy(): Promise<never> | null {
    if (this.#securing) return Promise.reject(this.securing);
    return this.reading ? Promise.reject(new AlreadyReadingError()) : null;
  }

  async #step<T>(steps: () => Promise<T>): Promise<T> {
    this.#stepping = true;
    try {
      return await steps();
    } finally {
      this.#stepping = false;
    }
  }

  async #scan(bytes: number, findEnd: FindEnd): Promise<Buffer> {
    const maxBytes = Math.min(bytes, this.#settings.bufferBytesMax || bytes);
    let searched = 0;
    while (true) {
      const window = this.#held?.view(maxBytes);
      const size = window?.length ?? 0;
      if (window !== undefined && size > searched) {
        const end = findEnd(window, searched);
        if (end >= 0) return this.#take(this.#held as ReadBuffer, end);
        searched = size;
      }
      if (size >= maxBytes) {
        this.closeFor("TOO_LONG");
        throw new UnsatisfiableReadError();
      }
      const chunk = await this.pull(Math.min(maxBytes - size, this.#settings.readChunkBytes));
      this.#held ??= new ReadBuffer();
      this.#held.push(chunk);
    }
  }

  async #gather(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = bytes; left > 0; ) {
      const part = this.#held === null ? await this.pull(left) : this.#take(this.#held, left);
      left -= part.length;
      parts.push(part);
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, bytes);
  }

  async #fill(target: Uint8Array, partial: boolean): Promise<number> {
    let filled = 0;
    do {
      const room = target.length - filled;
      const part = this.#held === null ? await this.pull(room) : this.#take(this.#held, room);
      target.set(part, filled);
      filled += part.length;
    } while (!partial && filled < target.length);
    return filled;
  }

  #take(held: ReadBuffer, bytesMax: number): Buffer {
    const bytes = held.take(bytesMax);
    if (held.length === 0) this.#held = null;
    return bytes;
  }
}

function findDelimiter(delimiter: Uint8Array): FindEnd {
  return (bytes, searched) => {
    const at = bytes.indexOf(delimiter, Math.max(0, searched - delimiter.length + 1));
    return at < 0 ? -1 : at + delimiter.length;
  };
}

function findRegex(regex: RegExp): FindEnd {
  const own = new RegExp(regex.source, regex.flags.replace(/[gy]/g, ""));
  return (bytes) => {
    const match = own.exec(bytes.toString("latin1"));
    return match === null ? -1 : match.index + match[0].length;
  };
}
