/**
 * What `upgrade` and `connect` give: the connection itself as a Duplex with the members of `net.Socket` that can be
 * kept here.
 *
 * Invariants: bytes are taken from the connection as far as a stream reads ahead. A write is done at once while at most
 * READ_CHUNK_BYTES wait for the peer's connection, as in a kernel's buffer, else when the connection has the bytes:
 * so back-pressure works both ways. An error without a listener only ends the connection.
 */
import { Duplex } from "node:stream";
import type { Address } from "../core/address.js";
import { StreamClosedError } from "../core/errors.js";
import { READ_CHUNK_BYTES } from "../core/limits.js";
import type { Answered } from "../http/requestnotes.js";
import type { IOStream } from "../stream/iostream.js";
import { type LocalAddress, localOf, type ServerSocket } from "./localaddress.js";
import { asNetSocket } from "./netsocket.js";
import { statusIn } from "./rawconnection.js";

type Callback = (error?: Error | null) => void;

export class UpgradedSocket extends Duplex {
  static {
    asNetSocket(UpgradedSocket.prototype);
  }

  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  /** True over TLS. */
  encrypted: boolean;
  /** Members of `net.Socket` that never change here. */
  readonly connecting = false;
  readonly pending = false;
  bytesRead = 0;
  bytesWritten = 0;
  timeout: number | undefined;
  readonly #stream: IOStream;
  /** The server that it came to. */
  readonly server: ServerSocket;
  #timer: NodeJS.Timeout | null = null;
  /** A read of the stream is under way. */
  #isReading = false;
  #isReset = false;
  #answered: Answered | null;
  /** Bytes of writes that the peer's connection does not have yet. */
  #unsent = 0;

  /** `answered` is called at the first write, with the status that it begins with, or when there was none. */
  constructor(stream: IOStream, address: Address | null, server: ServerSocket, answered: Answered | null = null) {
    super({ allowHalfOpen: true, emitClose: false });
    this.remoteAddress = address?.family === "unix" ? undefined : address?.address;
    this.remotePort = address?.family === "unix" ? undefined : address?.port;
    this.remoteFamily = address?.family === "unix" ? undefined : address?.family;
    this.encrypted = stream.tls !== null;
    this.#stream = stream;
    this.server = server;
    this.#answered = answered;
    stream.setCloseCallback(() => this.#closed());
  }

  // --- bytes ---

  override _read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#stream.readBytes(READ_CHUNK_BYTES, { partial: true }).then(
      (bytes) => {
        this.#isReading = false;
        this.bytesRead += bytes.length;
        this.active();
        this.push(bytes);
      },
      (error) => {
        this.#isReading = false;
        this.#ended(error);
      },
    );
  }

  override _write(chunk: Buffer, _encoding: string, callback: Callback): void {
    this.active();
    this.#tell(statusIn(chunk));
    const { length } = chunk; // not the bytes: they need not stay here until they have left
    this.#unsent += length;
    const isTaken = this.#unsent <= READ_CHUNK_BYTES;
    this.#stream.write(chunk).then(
      () => {
        this.#unsent -= length;
        this.bytesWritten += length;
        this.active();
        if (!isTaken) callback();
      },
      () => {
        this.#unsent -= length;
        if (!isTaken) callback(gone("EPIPE", "write EPIPE"));
      },
    );
    if (isTaken) callback();
  }

  /** What has gathered while a write was under way, or under `cork`, leaves as one. */
  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "buffer", callback);
  }

  override _final(callback: Callback): void {
    this.#stream.close();
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.setTimeout(0);
    this.#tell(null);
    const unsent = this.#unsent + this.writableLength;
    if (unsent > 0 && unsent <= READ_CHUNK_BYTES && !this.#isReset) this.#closeBehindWrites();
    else this.#stream.abort();
    callback(error !== null && this.listenerCount("error") > 0 ? error : null);
    process.nextTick(() => this.emit("close", error !== null));
  }

  #tell(status: number | null): void {
    this.#answered?.(status);
    this.#answered = null;
  }

  /** As much as a kernel would have taken by now leaves all the same: `write` and then `destroy` refuses an upgrade. */
  #closeBehindWrites(): void {
    if (this.writableFinished) return; // its end has done so
    // What waits behind a write that is under way. Node's types do not have it.
    const { writableBuffer = [] } = this as { writableBuffer?: { chunk: Buffer }[] };
    try {
      void this.#stream.write(Buffer.concat(writableBuffer.map(({ chunk }) => chunk)));
      this.#stream.close();
    } catch {
      this.#stream.abort(); // too much waits for all peers together
    }
  }

  /** Nothing more can be read. */
  #ended(error: unknown): void {
    if (this.destroyed) return;
    const reason = error instanceof StreamClosedError ? error.reason : "IO";
    if (reason === "END" || reason === "CLOSED") {
      this.push(null);
      this.read(0); // emits `end` when nothing waits to be read
    } else
      this.destroy(reason === "TIMEOUT" ? gone("ETIMEDOUT", "read ETIMEDOUT") : gone("ECONNRESET", "read ECONNRESET"));
  }

  /** The connection is closed, or the peer has ended its side, while the handler does not read. */
  #closed(): void {
    if (!this.#isReading && !this.readableEnded) this.#ended(this.#stream.error ?? new StreamClosedError("END"));
  }

  // --- what net.Socket has beside a Duplex ---

  /** Something was read or written. */
  active(): void {
    this.#timer?.refresh();
  }

  /** As Node's: `timeout` comes when nothing was read or written for `ms`; 0 takes that back. */
  setTimeout(ms: number, callback?: () => void): this {
    this.timeout = ms > 0 ? ms : undefined;
    if (callback !== undefined) {
      if (ms === 0) this.removeListener("timeout", callback);
      else this.once("timeout", callback);
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = ms > 0 && !this.destroyed ? setTimeout(() => this.emit("timeout"), ms).unref() : null;
    return this;
  }

  /** TCP_NODELAY, which is on by default; without effect where Node does not hold the socket. */
  setNoDelay(on = true): this {
    this.#stream.setNodelay(on);
    return this;
  }

  /** Without effect. */
  setKeepAlive(): this {
    return this;
  }

  /** Without effect. */
  ref(): this {
    return this;
  }

  /** Without effect. */
  unref(): this {
    return this;
  }

  /** Ends it when what was written has left. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", this.destroy);
  }

  /** As `destroy`, and what has not left is dropped. */
  resetAndDestroy(): this {
    this.#isReset = true;
    return this.destroy();
  }

  /** The address that the client has connected to, as far as it is known. */
  address(): LocalAddress {
    return localOf(this.server);
  }

  get localAddress(): string | undefined {
    return localOf(this.server).address;
  }

  get localPort(): number | undefined {
    return localOf(this.server).port;
  }

  get localFamily(): string | undefined {
    return localOf(this.server).family;
  }

  /** `"open"`, `"readOnly"`, `"writeOnly"` or `"closed"`. */
  get readyState(): string {
    if (this.readable) return this.writable ? "open" : "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  get bufferSize(): number {
    return this.writableLength;
  }
}

function gone(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}
