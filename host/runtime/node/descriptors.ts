/**
 * What the sandbox's descriptors stand for inside Node: listeners and connections of node:net, with their readiness.
 *
 * Invariants: `table.ready` counts the marks that are set, so a poll may stop when it has found that many; a connection
 * holds at most QUEUE_BYTES_MAX and one read that the sandbox has not taken, all together READ_AHEAD_BYTES_MAX and one
 * read each. Of what its peer does not read Node holds one write, at most SEND_BYTES_MAX (with TLS twice as much), and
 * the sandbox sees that its peer is slow: everything else waits there or behind it, and has a time limit.
 */

import type { Socket } from "node:net";
import type { Peer } from "../../bridge/bridge.js";
import type { Accepted, Address } from "../../core/address.js";
import { BlockPool } from "../../core/blockpool.js";
import { type TLSInfo, tlsOf } from "../../tls/contexts.js";
import { ERRNO_AGAIN, ERRNO_CONNRESET, ERRNO_IO, ERRNO_PIPE, ERRNO_TIMEDOUT } from "./preview1.js";
import { copyOfRead, countAhead, giveBack, readShared } from "./socketreads.js";

const QUEUE_BYTES_MAX = 64 << 10;
/**
 * Smaller chunks that wait are gathered in blocks of so many bytes: Node has some hundred bytes of its own for each
 * chunk.
 */
const GATHERED_BYTES = 1 << 10;
const SEND_BYTES_MAX = 64 << 10;
/**
 * How long what is unsent at an orderly close may take to leave; the kernel would take longer, but this is our memory.
 */
const LINGER_MS = 60_000;

/**
 * What is sent goes through blocks of a pool. For small pieces Node has its own; a socket with TLS keeps what it gets.
 */
const BLOCK_BYTES_MIN = 4 << 10;
const SPARE_BLOCKS = 64;
const blocks = new BlockPool(SEND_BYTES_MAX, SPARE_BLOCKS);
/** A slow peer keeps its block for long: one that is not larger than needed. */
const halfBlocks = new BlockPool(SEND_BYTES_MAX / 2, SPARE_BLOCKS);
const NOTHING = Buffer.alloc(0);

export const KIND_CHANNEL = 0;
export const KIND_LISTENER = 1;
export const KIND_CONNECTION = 2;
export const KIND_FOLDER = 3;
export const KIND_FILE = 4;

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
  /**
   * The peers of connections that have been closed, by descriptor. The sandbox accepts nothing while frames about one
   * are on their way.
   */
  readonly #former: (Peer | undefined)[] = [];
  readonly #wake: () => void;
  readonly #turn: () => boolean;

  /**
   * `wake` is called whenever a mark is set. `turn` has the sandbox take a turn at once; it returns false when that
   * cannot be.
   */
  constructor(wake: () => void, turn: () => boolean = () => false) {
    this.#wake = wake;
    this.#turn = turn;
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
    this.#former[fd] =
      descriptor instanceof Connection
        ? { address: descriptor.address, tls: descriptor.tls, accepted: descriptor.accepted }
        : undefined;
    this.setReadable(descriptor, false);
    this.setWritable(descriptor, false);
    descriptor.close();
    return true;
  }

  /**
   * The peer of a connection, also when it is closed and its descriptor has not been used again; null: it is no
   * connection.
   */
  peer(fd: number): Peer | null {
    const entry = this.entries[fd];
    if (entry === undefined) return this.#former[fd] ?? null;
    return entry instanceof Connection ? entry : null;
  }

  setReadable(descriptor: Descriptor, yes: boolean): void {
    if (descriptor.readable === yes) return;
    descriptor.readable = yes;
    this.ready += yes ? 1 : -1;
    if (yes) this.#wake();
  }

  /** Marks it readable, and the sandbox takes a turn at once if it can. */
  readNow(descriptor: Descriptor): void {
    if (!descriptor.readable) this.ready++;
    descriptor.readable = true;
    if (!this.#turn()) this.#wake();
  }

  setWritable(descriptor: Descriptor, yes: boolean): void {
    if (descriptor.writable === yes) return;
    descriptor.writable = yes;
    this.ready += yes ? 1 : -1;
    if (yes) this.#wake();
  }
}

const OWNER = Symbol("connection");

/** A socket whose errors are heard, and once there is one, the connection that it belongs to. */
type OwnedSocket = Socket & { [OWNER]?: Connection | null };

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER]?.take(chunk);
}

function onRead(this: OwnedSocket, bytes: number, buffer: Buffer): boolean {
  const owner = this[OWNER];
  if (owner == null) return false;
  // Who sends as much as can be read sends more: it is not worth while to wait for what others send.
  return bytes === buffer.length ? owner.takeNow(buffer) : owner.take(copyOfRead(buffer, bytes));
}

function onEnd(this: OwnedSocket): void {
  this[OWNER]?.end();
}

function onError(this: OwnedSocket, error: NodeJS.ErrnoException): void {
  this[OWNER]?.fail(error.code);
}

function onDrain(this: OwnedSocket): void {
  this[OWNER]?.unblock();
}

/** Makes sure that an error of `socket` ends nothing but it. */
export function hearErrors(socket: OwnedSocket): void {
  if (socket[OWNER] !== undefined) return;
  socket[OWNER] = null;
  socket.on("error", onError);
}

/**
 * An accepted connection.
 *
 * There may be many thousands that do nothing. So they share their listeners, none of which is ever removed (that would
 * turn the socket's table of listeners into a dictionary), and own no list before there is something to put into it.
 */
export class Connection extends Descriptor implements Peer {
  readonly #socket: Socket;
  readonly #table: DescriptorTable;
  /** The chunk that is being read, what was taken of it, and those behind it. */
  #chunk: Buffer | null = null;
  #offset = 0;
  #more: Buffer[] | null = null;
  /** What the last of `#more` is in, if that was gathered here. */
  #gathered: Buffer | null = null;
  #queued = 0;
  /** The block that the socket has and the kernel had not taken. */
  #lent: Buffer | null = null;
  /** Bytes that the socket has, but that the sandbox will give again. */
  #unacknowledged = 0;
  #ended = false;
  #errno = 0;
  #paused = false;
  #blocked = false;
  #closed = false;
  readonly address: Address;
  readonly accepted: Accepted;

  constructor(accepted: Accepted, table: DescriptorTable) {
    super();
    const { socket, address } = accepted;
    this.#socket = socket;
    this.address = address;
    this.accepted = accepted;
    this.#table = table;
    hearErrors(socket);
    (socket as OwnedSocket)[OWNER] = this;
    if (!readShared(socket, onRead)) socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("close", onEnd);
    socket.on("drain", onDrain);
    socket.resume();
  }

  get kind(): number {
    return KIND_CONNECTION;
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
    countAhead(-bytes);
    if (bytes < rest) {
      this.#offset += bytes;
      return bytes;
    }
    this.#offset = 0;
    giveBack(chunk);
    this.#chunk = this.#more?.shift() ?? null;
    if (this.#chunk === null) this.#drained();
    return bytes;
  }

  /**
   * Sends a copy of the first of the `size` bytes that begin at `from`. Returns their number, or -errno; with
   * -ERRNO_AGAIN, or fewer than all, it will be writable. Node's sockets take everything. So when the kernel has not
   * taken all of it, one byte less is acknowledged, and not sent again: the sandbox waits for the peer, as it does
   * where it has the kernel's own sockets.
   */
  send(memory: Uint8Array, from: number, size: number): number {
    this.#table.setWritable(this, false);
    const socket = this.#socket;
    if (this.#errno !== 0) return -this.#errno;
    if (!socket.writable) return -ERRNO_PIPE;
    const secure = tlsOf(socket) !== null;
    // With TLS nothing ever leaves at once: there the next piece is made ready while the last one is on its way.
    if (socket.writableLength >= (secure ? Math.max(SEND_BYTES_MAX, socket.writableHighWaterMark) : 1)) {
      this.#block();
      return -ERRNO_AGAIN;
    }
    this.#takeBack();
    const start = this.#unacknowledged;
    this.#unacknowledged = 0;
    let at = start;
    while (at < size && (at === start || socket.writableLength === 0)) {
      const piece = memory.subarray(from + at, from + Math.min(size, at + SEND_BYTES_MAX));
      if (secure || piece.length < BLOCK_BYTES_MIN) socket.write(Buffer.from(piece));
      else this.#sendBlock(piece);
      at += piece.length;
    }
    if (at === size) {
      if (secure || socket.writableLength === 0) return at;
      this.#unacknowledged = 1;
      at -= 1;
    }
    this.#block();
    return at === 0 ? -ERRNO_AGAIN : at;
  }

  /**
   * Nearly always the kernel takes it at once and the block is free again; else it is the socket's until that is empty.
   */
  #sendBlock(bytes: Uint8Array): void {
    const pool = bytes.length > halfBlocks.size ? blocks : halfBlocks;
    const block = pool.take();
    block.set(bytes);
    this.#socket.write(block.subarray(0, bytes.length));
    if (this.#socket.writableLength === 0) pool.give(block);
    else this.#lent = block;
  }

  #takeBack(): void {
    const block = this.#lent;
    if (block === null || this.#socket.writableLength > 0) return;
    (block.length === halfBlocks.size ? halfBlocks : blocks).give(block);
    this.#lent = null;
  }

  /**
   * `unblock` is called when what Node holds has left. Below its mark Node has no event for that, so an empty write
   * does.
   */
  #block(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    if (!this.#socket.writableNeedDrain) this.#socket.write(NOTHING, () => this.unblock());
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
    this.#drop();
    this.end();
  }

  /** Forgets what was read. */
  #drop(): void {
    this.#chunk = null;
    this.#more = null;
    countAhead(-this.#queued);
    this.#queued = 0;
  }

  /**
   * The sandbox has closed the connection; what was sent is still delivered. When the sandbox had more than its peer
   * took, it has given that up, for example because a time limit ran out: nothing whole can be delivered any more, and
   * the connection ends at once.
   */
  close(): void {
    this.#closed = true;
    this.#drop();
    const socket = this.#socket;
    if (this.#blocked) return this.destroy();
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
    this.#drop();
    this.#socket.destroy();
  }

  /** Takes what has been read, as memory of its own. False: no more is to be read for now. */
  take(chunk: Buffer): boolean {
    if (this.#closed || this.#ended) return true;
    if (this.#chunk === null) this.#chunk = chunk;
    else this.#append(chunk);
    this.#queued += chunk.length;
    const isTooMuch = countAhead(chunk.length) || this.#queued > QUEUE_BYTES_MAX;
    if (isTooMuch) this.#pause();
    this.#table.setReadable(this, true);
    return !this.#paused;
  }

  /** Takes what has been read, in memory that will be written again: the sandbox reads at once, the rest is copied. */
  takeNow(buffer: Buffer): boolean {
    if (this.#chunk !== null || this.#closed || this.#ended) return this.take(copyOfRead(buffer, buffer.length));
    this.#chunk = buffer;
    this.#queued += buffer.length;
    const isTooMuch = countAhead(buffer.length);
    this.#table.readNow(this);
    if (this.#chunk !== buffer) return !this.#paused;
    this.#chunk = copyOfRead(buffer, buffer.length);
    if (isTooMuch) this.#pause();
    return !this.#paused;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  /** Puts a chunk behind the others: a small one into the block that the last of them is in, where that has room. */
  #append(chunk: Buffer): void {
    this.#more ??= [];
    const more = this.#more;
    const last = more.length - 1;
    const used = this.#gathered === null || last < 0 ? GATHERED_BYTES : (more[last] as Buffer).length;
    if (this.#gathered !== null && used + chunk.length <= GATHERED_BYTES) {
      chunk.copy(this.#gathered, used);
      more[last] = this.#gathered.subarray(0, used + chunk.length);
    } else if (chunk.length < GATHERED_BYTES) {
      this.#gathered = Buffer.allocUnsafeSlow(GATHERED_BYTES);
      more.push(this.#gathered.subarray(0, chunk.copy(this.#gathered)));
    } else {
      this.#gathered = null;
      more.push(chunk);
    }
  }

  #drained(): void {
    this.#gathered = null;
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
    if (!this.#ended && this.#errno === 0) this.#table.setReadable(this, false);
  }

  /** The end and an error are reported once; after that there is nothing to wait for. */
  #receiveNothing(): number {
    if (this.#errno === 0 && !this.#ended) return -ERRNO_AGAIN;
    this.#table.setReadable(this, false);
    return this.#errno === 0 ? 0 : -this.#errno;
  }

  end(): void {
    if (this.#closed || this.#ended) return;
    this.#ended = true;
    this.#table.setReadable(this, true);
    this.unblock();
  }

  fail(code: string | undefined): void {
    if (this.#closed) return;
    this.#errno = errnoOf(code);
    this.#table.setReadable(this, true);
    this.unblock();
  }

  unblock(): void {
    this.#takeBack();
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

/** Where a listener's accepted connections wait for the sandbox. */
export interface AcceptQueue {
  readonly waiting: number;
  shift(): Accepted | undefined;
  /** Sets the listener that is called for every connection; null: none. */
  watch(changed: (() => void) | null): void;
  close(): void;
}

/** A listening socket. */
export class Listener extends Descriptor {
  readonly kind = KIND_LISTENER;
  /** The port stays open when the sandbox closes its descriptor: another instance will accept from it. */
  outlives = false;
  readonly #queue: AcceptQueue;
  readonly #table: DescriptorTable;
  #closed = false;

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
    const accepted = this.#queue.shift();
    if (this.#queue.waiting === 0) this.#table.setReadable(this, false);
    return accepted === undefined ? -ERRNO_AGAIN : this.#table.add(new Connection(accepted, this.#table));
  }

  /** Stops listening: the sandbox, when it closes its descriptor, means the port, unless that outlives it. */
  close(): void {
    this.#closed = true;
    this.#queue.watch(null);
    if (!this.outlives) this.#queue.close();
  }

  /** The port is for no other instance any more. */
  endWithSandbox(): void {
    this.outlives = false;
    if (this.#closed) this.#queue.close();
  }

  /** Leaves the listener to another instance. */
  detach(): void {
    this.#queue.watch(null);
  }
}
