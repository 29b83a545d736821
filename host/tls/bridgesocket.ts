/**
 * TLS over a stream that the sandbox holds, from `startTls` on: the connection's bytes come from the sandbox, are
 * decrypted by Node, and what they say goes back into the sandbox, which carries out the reads (docs/protocol.md,
 * START_TLS).
 *
 * Invariants: plaintext is fed only while a read is pending, and at most what that may need; nothing is written
 * unencrypted once this exists; when TLS or the connection ends for a reason, both do.
 */
import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Address } from "../core/address.js";
import { type Reason, StreamClosedError } from "../core/errors.js";
import { PIECE_BYTES, READ_CHUNK_BYTES } from "../core/limits.js";
import { startTLS, type TLSPlan } from "./starttls.js";

/** What it needs of its stream. */
export interface RawAccess {
  /** Asks for what the connection brings, at least 1 byte; the answer is `take` or `fail`. */
  readRaw(bytesMax: number): void;
  /** Resolves when `bytes` have left. */
  writeRaw(bytes: Uint8Array): Promise<void>;
  /** Decrypted bytes; null: their end. */
  feed(bytes: Uint8Array | null): void;
  /** Closes the connection once everything written has left. */
  closeRaw(): void;
  /** TLS has failed. */
  failed(): void;
}

/** The connection as the TLS engine sees it. */
class RawSide extends Duplex {
  readonly #access: RawAccess;

  constructor(access: RawAccess) {
    super({ writableHighWaterMark: PIECE_BYTES, readableHighWaterMark: READ_CHUNK_BYTES });
    this.#access = access;
    this.on("error", () => {}); // the TLS engine handles it
  }

  override _read(): void {
    this.#access.readRaw(READ_CHUNK_BYTES);
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#access.writeRaw(bytes).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.#access.closeRaw();
    done();
  }
}

export class BridgeSocket {
  readonly #access: RawAccess;
  readonly #raw: RawSide;
  readonly #given = new AbortController();
  #socket: TLSSocket | null = null;
  /** The pending read may need that much, 0: there is none; and what the sandbox has of it. */
  #wanted = 0;
  #fed = 0;
  #endFed = false;
  #waiting = 0;

  constructor(access: RawAccess) {
    this.#access = access;
    this.#raw = new RawSide(access);
  }

  /** Bytes that were written and have not left. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether TLS has been agreed on. */
  get agreed(): boolean {
    return this.#socket !== null;
  }

  /** Rejects with TLSHandshakeError, TimeoutError, or what `end` was given. `early`: bytes that had come before. */
  async handshake(plan: TLSPlan, peer: Address | null, early: Buffer | null): Promise<TLSSocket> {
    if (early !== null) this.#raw.push(early);
    const socket = await startTLS(this.#raw, plan, peer, this.#given.signal);
    this.#socket = socket;
    socket.on("readable", () => this.#pump());
    socket.on("end", () => this.#feedEnd());
    socket.on("error", () => this.#access.failed());
    socket.on("close", () => this.#access.failed());
    this.#pump();
    return socket;
  }

  // --- what the sandbox reports ---

  /** Bytes of the connection. */
  take(bytes: Buffer): void {
    this.#raw.push(bytes);
  }

  /** The connection brings nothing more. */
  fail(reason: Reason): void {
    if (reason === "END") this.#raw.push(null);
    else this.#raw.destroy(new StreamClosedError(reason));
  }

  /** Bytes of what was fed have come back as a read's result. */
  taken(bytes: number): void {
    this.#fed -= bytes;
    this.#pump();
  }

  // --- what the stream asks for ---

  /** A read is pending that may need so many bytes to be in the sandbox; 0: none is. */
  want(bytes: number): void {
    this.#wanted = bytes;
    if (bytes > 0) this.#pump();
  }

  write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return Promise.resolve();
    this.#waiting += bytes.length;
    return new Promise((resolve, reject) => {
      const socket = this.#socket as TLSSocket;
      socket.write(bytes, (error) => {
        this.#waiting -= bytes.length;
        // A write that destroying the socket has cut off comes back without an error.
        if (error || socket.destroyed) reject(error ?? new StreamClosedError("CLOSED"));
        else resolve();
      });
    });
  }

  /** Says TLS's goodbye behind everything that was written. */
  end(): void {
    this.#socket?.end();
    this.#socket?.removeAllListeners("readable").resume(); // what still comes is read and dropped
  }

  /** Ends it at once. */
  destroy(error: Error): void {
    this.#given.abort(error);
    this.#socket?.destroy();
    this.#raw.destroy(error);
  }

  #pump(): void {
    const socket = this.#socket;
    if (socket === null) return;
    while (this.#wanted > this.#fed) {
      if (socket.readableLength === 0) socket.read(0); // asks for more, which may be there at once
      const bytes: Buffer | null = socket.read();
      if (bytes === null) return;
      this.#fed += bytes.length;
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) this.#access.feed(bytes.subarray(at, at + PIECE_BYTES));
    }
    if (socket.readableLength === 0) socket.read(0); // the end comes without a read
  }

  #feedEnd(): void {
    if (this.#endFed) return;
    this.#endFed = true;
    this.#access.feed(null);
  }
}
