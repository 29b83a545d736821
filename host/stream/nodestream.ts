/**
 * The same stream over any Duplex of Node's: a socket that TCPClient has connected, a child's pipes, a pair of Web
 * Streams. Its bytes do not go through the sandbox.
 *
 * Invariants: bytes stay in the Duplex until a read asks, so its own high-water mark is what is buffered; at most one
 * read is pending; a closed stream settles every promise, and the close callback comes after them, once.
 */
import { Duplex } from "node:stream";
import { type Data, toBytes } from "../core/data.js";
import { OptionError, type Reason, StreamClosedError } from "../core/errors.js";
import { tooMuchToHold } from "../core/heldwrites.js";
import { CLIENT_LINGER_MS } from "../core/limits.js";
import { defaultLogger, type Logger } from "../core/log.js";
import { ignore } from "../core/promises.js";
import { type TLSInfo, tlsOf } from "../tls/contexts.js";
import { startTLS, type TLSPlan } from "../tls/starttls.js";
import { BaseIOStream } from "./baseiostream.js";
import type { WebStreams } from "./conversion.js";
import { resolveStream, type StreamOptions, type StreamSettings } from "./settings.js";

interface Read {
  bytesMax: number;
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
}

export class NodeStream extends BaseIOStream {
  #duplex: Duplex;
  /** What is listened to at the Duplex, to be taken back when TLS takes its place. */
  #listeners: readonly [string, (error: NodeJS.ErrnoException) => void][] = [];
  #unsent = 0;
  #lastWrite: Promise<void> = Promise.resolve();
  /** Ends the handshake that is under way. */
  #giveUp: ((error: StreamClosedError) => void) | null = null;
  readonly #writeBufferBytesMax: number;
  #read: Read | null = null;
  #error: StreamClosedError | null = null;
  #ended = false;

  /** @internal */
  constructor(duplex: Duplex, settings: StreamSettings) {
    super(settings);
    if (duplex.readableObjectMode || duplex.writableObjectMode || duplex.readableEncoding !== null) {
      throw new OptionError("the Duplex has to carry bytes, not objects or text");
    }
    this.#duplex = duplex;
    this.#writeBufferBytesMax = settings.writeBufferBytesMax;
    this.tls = tlsOf(duplex);
    this.#listen(duplex);
  }

  #listen(duplex: Duplex): void {
    this.#duplex = duplex;
    this.#listeners = [
      ["readable", () => this.#serve()],
      ["end", () => this.#end()],
      ["error", (error) => this.#finish(reasonOf(error), error)],
      ["close", () => this.#finish(duplex.readableEnded ? "END" : "CLOSED")],
    ];
    for (const [event, listener] of this.#listeners) duplex.on(event, listener);
  }

  override get closed(): boolean {
    return this.#error !== null;
  }

  override get ended(): boolean {
    return this.#ended;
  }

  override get error(): StreamClosedError | null {
    return this.#error;
  }

  override setNodelay(on: boolean): boolean {
    const duplex = this.#duplex as Duplex & { setNoDelay?(on: boolean): void };
    if (this.closed || duplex.setNoDelay === undefined) return false;
    duplex.setNoDelay(on);
    return true;
  }

  // --- reading ---

  protected override get pulling(): boolean {
    return this.#read !== null;
  }

  protected override pull(bytesMax: number): Promise<Buffer> {
    const bytes = this.#error === null ? this.#take(bytesMax) : null;
    if (bytes !== null) return Promise.resolve(bytes);
    if (this.#error !== null) return Promise.reject(this.#error);
    if (this.#ended) return Promise.reject(new StreamClosedError("END"));
    return new Promise((resolve, reject) => {
      this.#read = { bytesMax, resolve, reject };
    });
  }

  /** What the Duplex has, at most `bytesMax`; null: nothing now. */
  #take(bytesMax: number): Buffer | null {
    this.#ask();
    const waiting = this.#duplex.readableLength;
    if (waiting === 0) return null;
    const bytes: Buffer | null = this.#duplex.read(Math.min(waiting, bytesMax));
    this.#ask();
    return bytes;
  }

  /** Asks an empty Duplex for more, which may be there at once, or for the end. */
  #ask(): void {
    if (this.#duplex.readableLength === 0) this.#duplex.read(0);
  }

  #serve(): void {
    const read = this.#read;
    if (this.closed) this.#discard();
    if (read === null) return this.#ask();
    const bytes = this.#take(read.bytesMax);
    if (bytes === null) return;
    this.#read = null;
    read.resolve(bytes);
  }

  #end(): void {
    this.#ended = true;
    this.#settleRead(new StreamClosedError("END"));
    this.announceClose();
  }

  protected override get logger(): Logger {
    return defaultLogger;
  }

  #settleRead(error: Error): void {
    const read = this.#read;
    this.#read = null;
    read?.reject(error);
  }

  // --- writing ---

  override write(data: Data): Promise<void> {
    const bytes = toBytes(data);
    if (this.#error !== null) return ignore(Promise.reject(this.#error));
    if (this.securing !== null) return ignore(Promise.reject(this.securing));
    const bytesMax = this.#writeBufferBytesMax;
    if (bytesMax > 0 && this.#duplex.writableLength + bytes.length > bytesMax) throw tooMuchToHold(bytesMax);
    if (bytes.length === 0) return Promise.resolve();
    this.#unsent += bytes.length;
    const duplex = this.#duplex;
    const done = new Promise<void>((resolve, reject) => {
      duplex.write(bytes, (error) => {
        this.#unsent -= bytes.length;
        if (!error && !duplex.destroyed) return resolve();
        // node:net reports no error for a write that destroying the socket has cut off.
        const cause = error ?? duplex.errored;
        reject(
          this.#error ?? (cause ? new StreamClosedError(reasonOf(cause), { cause }) : new StreamClosedError("CLOSED")),
        );
      });
    });
    this.#lastWrite = done;
    return ignore(done);
  }

  protected override flushed(): Promise<void> {
    return this.#lastWrite;
  }

  protected override get unsent(): number {
    return this.#unsent;
  }

  // --- TLS ---

  protected override async secure(plan: TLSPlan, early: Buffer | null): Promise<TLSInfo | null> {
    const duplex = this.#duplex;
    for (const [event, listener] of this.#listeners) duplex.removeListener(event, listener);
    duplex.on("error", () => {}); // the TLS engine handles it
    if (early !== null) duplex.unshift(early);
    const given = new AbortController();
    this.#giveUp = (error) => given.abort(error);
    try {
      this.#listen(await startTLS(duplex, plan, null, given.signal));
    } catch (error) {
      this.#finish("IO", error as Error);
      throw error;
    } finally {
      this.#giveUp = null;
    }
    return tlsOf(this.#duplex);
  }

  // --- closing ---

  override close(): void {
    if (this.closed) return;
    if (this.#giveUp !== null) return this.closeFor("CLOSED");
    this.#finish("CLOSED");
    const duplex = this.#duplex;
    duplex.end(() => {
      if (duplex.destroyed) return;
      if (this.#ended) return void duplex.destroy();
      const linger = setTimeout(() => duplex.destroy(), CLIENT_LINGER_MS).unref();
      duplex.once("close", () => clearTimeout(linger));
      duplex.once("end", () => duplex.destroy());
      this.#discard();
    });
  }

  /** Takes what still comes, so that closing with unread input does not reset the connection under our last bytes. */
  #discard(): void {
    while (this.#duplex.read() !== null);
  }

  override abort(): void {
    this.closeFor("CLOSED");
  }

  protected override closeFor(reason: Reason): void {
    this.#finish(reason);
    this.#giveUp?.(this.#error as StreamClosedError);
    this.#duplex.destroy();
  }

  #finish(reason: Reason, cause?: Error): void {
    if (this.#error !== null) return;
    this.#error = new StreamClosedError(reason, cause === undefined ? undefined : { cause });
    if (reason === "CLOSED" || reason === "TOO_LONG") this.dropHeld();
    this.#settleRead(this.#error);
    this.announceClose();
  }
}

/** A stream over any Duplex of Node's that carries bytes. It is the Duplex's only reader and writer from now on. */
export function streamFromNode(duplex: Duplex, options: StreamOptions = {}): BaseIOStream {
  return new NodeStream(duplex, resolveStream(options));
}

/** A stream over a pair of Web Streams that carry bytes. It is their only reader and writer from now on. */
export function streamFromWeb(streams: WebStreams, options: StreamOptions = {}): BaseIOStream {
  const settings = resolveStream(options);
  return new NodeStream(Duplex.fromWeb(streams), settings);
}

function reasonOf(error: NodeJS.ErrnoException): Reason {
  if (error.code === "ECONNRESET" || error.code === "EPIPE" || error.code === "ECONNABORTED") return "RESET";
  return error.code === "ETIMEDOUT" ? "TIMEOUT" : "IO";
}
