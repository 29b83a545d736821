/**
 * What the sandbox's descriptors stand for inside Node: listeners and connections of node:net, with their readiness.
 *
 * Invariants: `table.ready` counts the marks that are set, so a poll may stop when it has found that many; a connection holds at
 * most QUEUE_BYTES_MAX and one chunk that the sandbox has not read, and Node holds about SEND_BYTES_MAX that its peer has not.
 */
import type { Socket } from "node:net";
import { type Address, familyOf } from "../address.js";
import type { Peer } from "../bridge.js";
import { type TLSInfo, tlsOf } from "../tls.js";

export const ERRNO_AGAIN = 6;
export const ERRNO_BADF = 8;
export const ERRNO_CONNRESET = 15;
export const ERRNO_IO = 29;
export const ERRNO_MFILE = 33;
export const ERRNO_PIPE = 64;
export const ERRNO_TIMEDOUT = 73;

const QUEUE_BYTES_MAX = 64 << 10;
const SEND_BYTES_MAX = 64 << 10;
/** How long what is unsent at close may take to leave; the kernel would take longer, but this is our memory. */
const LINGER_MS = 60_000;

/**
 * What is sent in larger pieces goes through one block that is used again and again: memory outside of V8's heap costs a collection
 * each few hundred blocks. For smaller pieces Node has a pool; a socket with TLS keeps what it is given.
 */
const SCRATCH_BYTES = 64 << 10;
const SCRATCH_BYTES_MIN = 4 << 10;
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

export const KIND_CHANNEL = 0;
export const KIND_LISTENER = 1;
export const KIND_CONNECTION = 2;

/** A number of the sandbox's and what is behind it. Its marks are set through its table. */
export abstract class Descriptor {
  abstract readonly kind: number;
  readable = false;
  writable = false;
  /** Bytes that can be read, at least 1 while it is readable. */
  abstract available(): number;
  /** Whether the other side has ended. */
  abstract hungUp(): boolean;
  abstract close(): void;
}

/** Small whole numbers for descriptors, the lowest free ones first used last. */
export class DescriptorTable {
  readonly entries: (Descriptor | undefined)[] = [];
  /** Marks that are set. */
  ready = 0;
  /** Closed connections whose last bytes have not left yet. */
  readonly lingering = new Set<Connection>();
  readonly #free: number[] = [];
  readonly #wake: () => void;

  /** `wake` is called whenever a mark is set. */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  add(descriptor: Descriptor): number {
    const fd = this.#free.pop() ?? this.entries.length;
    this.entries[fd] = descriptor;
    return fd;
  }

  /** Forgets `fd` and closes what is behind it; returns whether there was anything. */
  close(fd: number): boolean {
    const descriptor = this.entries[fd];
    if (descriptor === undefined) return false;
    this.entries[fd] = undefined;
    this.#free.push(fd);
    this.setReadable(descriptor, false);
    this.setWritable(descriptor, false);
    descriptor.close();
    return true;
  }

  setReadable(descriptor: Descriptor, yes: boolean): void {
    if (descriptor.readable === yes) return;
    descriptor.readable = yes;
    this.ready += yes ? 1 : -1;
    if (yes) this.#wake();
  }

  setWritable(descriptor: Descriptor, yes: boolean): void {
    if (descriptor.writable === yes) return;
    descriptor.writable = yes;
    this.ready += yes ? 1 : -1;
    if (yes) this.#wake();
  }
}

/** An accepted connection. */
export class Connection extends Descriptor implements Peer {
  readonly kind = KIND_CONNECTION;
  readonly #socket: Socket;
  readonly #table: DescriptorTable;
  /** The chunk that is being read, what was taken of it, and those behind it. */
  #chunk: Buffer | null = null;
  #offset = 0;
  #more: Buffer[] = [];
  #queued = 0;
  #ended = false;
  #errno = 0;
  #paused = false;
  #blocked = false;
  #closed = false;
  #address: Address | null = null;

  constructor(socket: Socket, table: DescriptorTable) {
    super();
    this.#socket = socket;
    this.#table = table;
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("end", () => this.#end());
    socket.on("error", (error: NodeJS.ErrnoException) => this.#fail(error.code));
    socket.on("close", () => this.#end());
    socket.on("drain", () => this.#unblock());
    socket.resume();
  }

  get address(): Address | null {
    const { remoteAddress, remotePort } = this.#socket;
    if (this.#address === null && remoteAddress !== undefined && remotePort !== undefined) {
      this.#address = { address: remoteAddress, port: remotePort, family: familyOf(remoteAddress) };
    }
    return this.#address;
  }

  get tls(): TLSInfo | null {
    return tlsOf(this.#socket);
  }

  setNodelay(on: boolean): boolean {
    this.#socket.setNoDelay(on);
    return true;
  }

  available(): number {
    return this.#queued || 1;
  }

  hungUp(): boolean {
    return this.#ended || this.#errno !== 0;
  }

  /** Copies up to `size` bytes into `memory`. Returns their number, 0 at the end, or -errno. */
  receive(memory: Uint8Array, target: number, size: number): number {
    const chunk = this.#chunk;
    if (chunk === null) return this.#receiveNothing();
    const rest = chunk.length - this.#offset;
    const bytes = rest < size ? rest : size;
    memory.set(bytes === chunk.length ? chunk : chunk.subarray(this.#offset, this.#offset + bytes), target);
    this.#queued -= bytes;
    if (bytes < rest) {
      this.#offset += bytes;
      return bytes;
    }
    this.#offset = 0;
    this.#chunk = this.#more.length === 0 ? null : (this.#more.shift() as Buffer);
    if (this.#chunk === null) this.#drained();
    return bytes;
  }

  /** Sends a copy of `bytes`. Returns 0, or an errno: all of it is taken, or nothing. */
  send(bytes: Uint8Array): number {
    this.#table.setWritable(this, false);
    const socket = this.#socket;
    if (this.#errno !== 0) return this.#errno;
    if (!socket.writable) return ERRNO_PIPE;
    if (socket.writableLength >= Math.max(SEND_BYTES_MAX, socket.writableHighWaterMark)) {
      this.#blocked = true;
      return ERRNO_AGAIN;
    }
    if (bytes.length < SCRATCH_BYTES_MIN || bytes.length > SCRATCH_BYTES || tlsOf(socket) !== null) {
      socket.write(Buffer.from(bytes));
      return 0;
    }
    // Nearly always the kernel takes it at once and the scratch is free again; else it belongs to the socket.
    scratch.set(bytes);
    socket.write(scratch.subarray(0, bytes.length));
    if (socket.writableLength > 0) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    return 0;
  }

  /** Whether `send` would take something now, as far as is known. */
  canSend(): boolean {
    return !this.#blocked;
  }

  /** Nothing more will be sent. */
  shutdownSending(): void {
    this.#socket.end();
  }

  /** Nothing more will be read: the sandbox finds the end of the stream. */
  shutdownReading(): void {
    this.#chunk = null;
    this.#more = [];
    this.#queued = 0;
    this.#end();
  }

  /** Lets go of the connection; what was sent is still delivered. */
  close(): void {
    this.#closed = true;
    this.#chunk = null;
    this.#more = [];
    const socket = this.#socket;
    if (socket.writableLength > 0) {
      const { lingering } = this.#table;
      const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
      lingering.add(this);
      socket.once("close", () => {
        clearTimeout(timer);
        lingering.delete(this);
      });
    }
    socket.destroySoon();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#closed || this.#ended) return;
    if (this.#chunk === null) this.#chunk = chunk;
    else this.#more.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued > QUEUE_BYTES_MAX && !this.#paused) {
      this.#paused = true;
      this.#socket.pause();
    }
    this.#table.setReadable(this, true);
  }

  #drained(): void {
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
    if (!this.#ended && this.#errno === 0) this.#table.setReadable(this, false);
  }

  /** The end and an error are told once; after that there is nothing to wait for. */
  #receiveNothing(): number {
    if (this.#errno === 0 && !this.#ended) return -ERRNO_AGAIN;
    this.#table.setReadable(this, false);
    return this.#errno === 0 ? 0 : -this.#errno;
  }

  #end(): void {
    if (this.#closed || this.#ended) return;
    this.#ended = true;
    this.#table.setReadable(this, true);
    this.#unblock();
  }

  #fail(code: string | undefined): void {
    if (this.#closed) return;
    this.#errno = errnoOf(code);
    this.#table.setReadable(this, true);
    this.#unblock();
  }

  #unblock(): void {
    if (this.#closed || !this.#blocked) return;
    this.#blocked = false;
    this.#table.setWritable(this, true);
  }
}

function errnoOf(code: string | undefined): number {
  if (code === "ECONNRESET") return ERRNO_CONNRESET;
  if (code === "EPIPE") return ERRNO_PIPE;
  return code === "ETIMEDOUT" ? ERRNO_TIMEDOUT : ERRNO_IO;
}

/** Where a listener's accepted sockets wait for the sandbox. */
export interface AcceptQueue {
  readonly waiting: number;
  shift(): Socket | undefined;
  /** Names who is told of every socket that comes; null: nobody. */
  watch(changed: (() => void) | null): void;
  close(): void;
}

/** A listening socket. */
export class Listener extends Descriptor {
  readonly kind = KIND_LISTENER;
  readonly #queue: AcceptQueue;
  readonly #table: DescriptorTable;

  constructor(queue: AcceptQueue, table: DescriptorTable) {
    super();
    this.#queue = queue;
    this.#table = table;
    queue.watch(() => table.setReadable(this, queue.waiting > 0));
    table.setReadable(this, queue.waiting > 0);
  }

  available(): number {
    return 1;
  }

  hungUp(): boolean {
    return false;
  }

  /** The next connection's descriptor, or -errno. */
  accept(): number {
    const socket = this.#queue.shift();
    if (this.#queue.waiting === 0) this.#table.setReadable(this, false);
    return socket === undefined ? -ERRNO_AGAIN : this.#table.add(new Connection(socket, this.#table));
  }

  /** Stops listening: the sandbox, when it closes its descriptor, means the port. */
  close(): void {
    this.#queue.watch(null);
    this.#queue.close();
  }

  /** Leaves the listener to another instance. */
  detach(): void {
    this.#queue.watch(null);
  }
}
