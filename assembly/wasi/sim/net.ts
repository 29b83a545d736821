// The scripted network that sim/index.ts shows the sandbox, and that a test controls.
//
//   network()   the one network: faults, listeners, the clock, counters, what was logged, the host at the channel
//   connect()   a connection in a listener's queue, as the peer sees it: send, end, reset, what came, how much it takes
//
// Invariants: the same seed and the same script give the same run; time passes only while the sandbox waits; a wrong
// use of the platform (a closed handle, bytes after shutdown, a read that blocks) fails the test at once.
// Reference: src/testing/io.zig of TigerBeetle. Nothing here is in a module that is built for WASI.

import { Address } from "../../core/address";

/** Bytes on their way. */
@final
export class Pipe {
  private block: StaticArray<u8> = new StaticArray<u8>(256);
  private start: i32 = 0;
  size: i32 = 0;

  get source(): usize {
    return changetype<usize>(this.block) + usize(this.start);
  }

  push(source: usize, size: i32): void {
    if (this.start + this.size + size > this.block.length) this.makeRoom(size);
    memory.copy(this.source + usize(this.size), source, usize(size));
    this.size += size;
  }

  drop(size: i32): void {
    this.size -= size;
    this.start = this.size ? this.start + size : 0;
  }

  private makeRoom(size: i32): void {
    let room = this.block.length;
    while (room < this.size + size) room <<= 1;
    const block = new StaticArray<u8>(room);
    memory.copy(changetype<usize>(block), this.source, usize(this.size));
    this.block = block;
    this.start = 0;
  }

  pushText(text: string): void {
    const bytes = new StaticArray<u8>(text.length);
    for (let i = 0; i < text.length; i++) unchecked((bytes[i] = u8(text.charCodeAt(i))));
    this.push(changetype<usize>(bytes), text.length);
  }

  /** A character a byte. */
  text(): string {
    const units = new StaticArray<u16>(this.size);
    for (let i = 0; i < this.size; i++) unchecked((units[i] = load<u8>(this.source + usize(i))));
    return String.UTF16.decodeUnsafe(changetype<usize>(units), usize(this.size) << 1);
  }
}

/** How often what may go wrong does, in a thousand times. */
@final
export class Faults {
  /** A read or write moves less than it could. */
  shortReads: i32 = 0;
  shortWrites: i32 = 0;
  /** What is ready answers AGAIN. */
  again: i32 = 0;
  /** What is not ready is said to be. */
  spurious: i32 = 0;
  /** What is ready is reported a turn later. */
  late: i32 = 0;
  /** A connection is reset when it is read or written. */
  resets: i32 = 0;
  /** An accept finds the process out of descriptors. */
  full: i32 = 0;

  clear(): void {
    this.shortReads = this.shortWrites = this.again = this.spurious = this.late = this.resets = this.full = 0;
  }
}

/** One connection: the peer's side of it, and what the platform must know of it. */
@final
export class Peer {
  /** From the peer to the sandbox. */
  readonly input: Pipe = new Pipe();
  /** From the sandbox to the peer. */
  readonly output: Pipe = new Pipe();
  /** Where the platform says that it is; null: it cannot tell. */
  address: Address | null = null;
  /** How many more bytes the peer takes. */
  room: i32 = i32.MAX_VALUE;
  /** The sandbox sends no more. */
  ended: bool = false;
  /** The sandbox has closed the connection. */
  closed: bool = false;
  /**
   * It closed while bytes of the peer's were unread or still coming: a real peer may lose the last answer to the reset.
   */
  wasReset: bool = false;
  /** The connection was reset, by the peer or by a fault. */
  broken: bool = false;
  /** Calls of write() that took bytes. */
  writes: i32 = 0;
  /** For one that the sandbox connects to: AGAIN, 0 once it is connected, or -REASON. See outgoing.ts. */
  answer: i32 = 0;
  inputEnded: bool = false;
  private gone: bool = false;

  /** The sandbox is connected. */
  accept(): void {
    this.answer = 0;
  }

  /** The sandbox cannot connect, for a reason. */
  refuse(reason: i32): void {
    this.answer = -reason;
  }

  send(text: string): void {
    if (this.closed) this.wasReset = true;
    else if (!this.broken) this.input.pushText(text);
  }

  /** Sends no more, and still reads: a half-close. */
  end(): void {
    this.inputEnded = true;
  }

  /** Closes both sides: what the sandbox sends from now on meets a reset. */
  close(): void {
    this.inputEnded = true;
    this.gone = true;
  }

  reset(): void {
    this.broken = true;
    this.input.drop(this.input.size);
  }

  /** All that came and was not taken with take(). */
  get received(): string {
    return this.output.text();
  }

  take(): string {
    const text = this.output.text();
    this.output.drop(this.output.size);
    return text;
  }

  // --- for the platform ---

  get readable(): bool {
    return this.input.size > 0 || this.inputEnded || this.broken;
  }

  get writable(): bool {
    return this.room > 0 || this.broken;
  }

  /** Bytes of the sandbox's arrive, or are lost when the peer has gone. */
  deliver(source: usize, size: i32): void {
    if (this.gone) this.reset();
    else this.output.push(source, size);
    this.room -= size;
    this.writes++;
  }

  closeBySandbox(): void {
    this.ended = this.closed = true;
    if (this.input.size) this.wasReset = true;
  }
}

/** The host at the other end of the channel. */
@final
export class Host {
  /** To the sandbox and from it. */
  readonly input: Pipe = new Pipe();
  readonly output: Pipe = new Pipe();
  /** What the pipe to the host holds: a write beyond it would block the sandbox. The default of a socket pair. */
  room: i32 = 208 << 10;
  gone: bool = false;
}


@final
export class Listener {
  readonly queue: Array<Peer> = [];
  closed: bool = false;
}


@final
export class Network {
  readonly faults: Faults = new Faults();
  readonly host: Host = new Host();
  readonly listeners: Array<Listener> = [new Listener()];
  /** Monotonic nanoseconds; it begins anywhere. */
  clock: i64 = 5_000_000_000;
  /** Descriptors that the process may have open. */
  descriptorsMax: i32 = 1000;
  /** Waits, those among them that nothing can end but the test, and calls of accept. */
  waits: i32 = 0;
  waitsForEver: i32 = 0;
  accepts: i32 = 0;
  logged: string = "";
  private random: u64 = 1;

  seed(value: u64): void {
    this.random = value * 0x9e3779b97f4a7c15 + 1;
  }

  /** Seeded chance, from 0 to below `limit`: xorshift64*. */
  below(limit: i32): i32 {
    this.random ^= this.random >> 12;
    this.random ^= this.random << 25;
    this.random ^= this.random >> 27;
    return i32(((this.random * 0x2545f4914f6cdd1d) >> 33) % u64(limit));
  }

  chance(thousandths: i32): bool {
    return thousandths > 0 && this.below(1000) < thousandths;
  }

  /** The sandbox finds `count` listeners; to be said before its first turn. */
  listen(count: i32): void {
    while (this.listeners.length < count) this.listeners.push(new Listener());
    this.listeners.length = count;
  }
}

let instance: Network | null = null;

export function network(): Network {
  let net = instance;
  if (!net) instance = net = new Network();
  return net;
}

/** A connection that waits to be accepted; one to a closed listener is refused. */
export function connect(listener: i32 = 0): Peer {
  const peer = new Peer();
  const target = network().listeners[listener];
  if (target.closed) peer.closed = peer.ended = peer.wasReset = true;
  else target.queue.push(peer);
  return peer;
}
