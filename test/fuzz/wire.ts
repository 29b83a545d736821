// One connection of a scripted network: what its client has sent and the sandbox has not read, and what the sandbox has
// sent.

/** Bytes that the client's kernel takes before a send says EAGAIN. */
const WINDOW_BYTES = 64 << 10;

export class Wire {
  /** On its way to the sandbox. */
  #input = Buffer.alloc(0);
  #output: Buffer[] = [];
  /** Bytes that the client has not read. */
  #unread = 0;
  /** The client has ended its side. */
  ended = false;
  /** The client has reset the connection. */
  isReset = false;
  /** The sandbox has ended its side. */
  isShut = false;
  /** The sandbox has closed it. */
  closed = false;
  /** A client that does not read leaves this false. */
  reads = true;

  /** The client sends. */
  send(bytes: Uint8Array): void {
    if (!this.ended && !this.isReset && !this.closed) this.#input = Buffer.concat([this.#input, bytes]);
  }

  /** The client resets: what is on its way is gone. */
  reset(): void {
    this.isReset = true;
    this.#input = Buffer.alloc(0);
  }

  /** The client takes what has come. */
  take(): Buffer {
    if (!this.reads) return Buffer.alloc(0);
    const bytes = Buffer.concat(this.#output);
    this.#output = [];
    this.#unread = 0;
    return bytes;
  }

  // --- the sandbox's side ---

  get waiting(): number {
    return this.#input.length;
  }

  get readable(): boolean {
    return this.#input.length > 0 || this.ended || this.isReset;
  }

  get room(): number {
    return Math.max(0, WINDOW_BYTES - this.#unread);
  }

  receive(size: number): Buffer {
    const bytes = this.#input.subarray(0, size);
    this.#input = this.#input.subarray(size);
    return bytes;
  }

  deliver(bytes: Uint8Array): void {
    this.#output.push(Buffer.from(bytes));
    this.#unread += bytes.length;
  }
}
