/**
 * The eleven functions of wasi_snapshot_preview1 that core.wasm imports (those for files are in files.ts), over linear
 * memory and a table of descriptors.
 *
 * Invariants: nothing here waits; every range that the sandbox names is checked against its memory before it is used,
 * and a bad one is a GuestFault, which ends the instance; an event is reported only when there is something.
 * A poll costs what is ready where it can: it stops when as many subscriptions as there are marks have been found. A
 * descriptor is marked writable when it has become so after a send that answered EAGAIN, which is when it is worth
 * asking for.
 *
 * Reference: WASI snapshot 01, wasi_snapshot_preview1.witx.
 */

import {
  type Connection,
  type Descriptor,
  type DescriptorTable,
  KIND_CONNECTION,
  KIND_LISTENER,
  type Listener,
} from "./descriptors.js";
import {
  ERRNO_BADF,
  ERRNO_INVAL,
  ERRNO_NOTSUP,
  FILETYPE_CHARACTER_DEVICE,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR,
  FILETYPE_SOCKET_STREAM,
} from "./preview1.js";

export const WASI_MODULE = "wasi_snapshot_preview1";

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const TAG_CLOCK = 0;
const TAG_READ = 1;
const HANGUP = 1;
/** What a write event offers: the amount that a connection takes before it says EAGAIN. */
const WRITE_ROOM_BYTES = 65536;

const FDSTAT_BYTES = 24;

const CLOCK_REALTIME = 0;
const SHUT_READ = 1;
const SHUT_WRITE = 2;

/** By the kinds of descriptors. */
const FILETYPES = [
  FILETYPE_CHARACTER_DEVICE,
  FILETYPE_SOCKET_STREAM,
  FILETYPE_SOCKET_STREAM,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR,
];

/** The sandbox did what no correct module does; its instance ends. */
export class GuestFault extends Error {}

/** The sandbox called proc_exit. */
export class GuestExit extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`it exited with status ${status}`);
    this.status = status;
  }
}

/** Descriptors 0, 1 and 2. */
export interface StandardStreams {
  /** Copies up to `size` bytes of input to `target`. Returns their number, 0 at its end, or -errno. */
  readInput(memory: Uint8Array, target: number, size: number): number;
  /** Takes output; `bytes` is a view of the sandbox's memory. */
  write(fd: number, bytes: Uint8Array): void;
}

export class Wasi {
  readonly #table: DescriptorTable;
  readonly #streams: StandardStreams;
  #memory: WebAssembly.Memory | null = null;
  #bytes = new Uint8Array(0);
  #words = new Int32Array(0);

  constructor(table: DescriptorTable, streams: StandardStreams) {
    this.#table = table;
    this.#streams = streams;
  }

  /** Takes the instance's memory; no import may be called before. */
  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  /** The functions by their names. */
  imports(): Record<string, (...values: never[]) => number> {
    return {
      poll_oneoff: (input: number, output: number, count: number, countOut: number) =>
        this.#poll(input, output, count, countOut),
      sock_accept: (fd: number, _flags: number, fdOut: number) => this.#accept(fd, fdOut),
      sock_recv: (fd: number, iovs: number, count: number, flags: number, sizeOut: number, flagsOut: number) =>
        this.#receive(fd, iovs, count, flags, sizeOut, flagsOut),
      sock_send: (fd: number, iovs: number, count: number, _flags: number, sizeOut: number) =>
        this.#send(fd, iovs, count, sizeOut),
      sock_shutdown: (fd: number, how: number) => this.#shutdown(fd, how),
      fd_read: (fd: number, iovs: number, count: number, sizeOut: number) => this.#read(fd, iovs, count, sizeOut),
      fd_write: (fd: number, iovs: number, count: number, sizeOut: number) => this.#write(fd, iovs, count, sizeOut),
      fd_close: (fd: number) => (this.#table.close(fd) ? 0 : ERRNO_BADF),
      fd_fdstat_get: (fd: number, statOut: number) => this.#stat(fd, statOut),
      clock_time_get: (clock: number, _precision: bigint, timeOut: number) => this.#time(clock, timeOut),
      proc_exit: (status: number) => {
        throw new GuestExit(status);
      },
    };
  }

  // --- memory ---

  /** Views of the memory as it is now: growing it makes another buffer. */
  #refresh(): void {
    const buffer = this.#memory?.buffer as ArrayBuffer;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
  }

  /** Checks a range and returns where it begins, as an index of 32-bit words. */
  #words32(pointer: number, bytes: number): number {
    if (this.#bytes.length === 0) this.#refresh();
    const start = pointer >>> 0;
    if ((start & 3) !== 0 || start + bytes > this.#bytes.length) throw new GuestFault("a pointer out of its memory");
    return start >>> 2;
  }

  /** The start of the vector's `index`th piece; its size is in the next word. Throws unless it lies in memory. */
  #piece(vector: number, index: number): number {
    const start = (this.#words[vector + index * 2] as number) >>> 0;
    const size = (this.#words[vector + index * 2 + 1] as number) >>> 0;
    if (start + size > this.#bytes.length) throw new GuestFault("a buffer out of its memory");
    return start;
  }

  #pieceSize(vector: number, index: number): number {
    return (this.#words[vector + index * 2 + 1] as number) >>> 0;
  }

  // --- readiness ---

  #poll(input: number, output: number, count: number, countOut: number): number {
    if (count <= 0) return ERRNO_INVAL;
    const subscriptions = this.#words32(input, count * SUBSCRIPTION_BYTES);
    const events = this.#words32(output, count * EVENT_BYTES);
    const result = this.#words32(countOut, 4);
    const words = this.#words;
    const { entries } = this.#table;
    let marks = this.#table.ready;
    let clock = -1;
    let found = 0;
    for (let index = 0; index < count; index++) {
      const at = subscriptions + index * (SUBSCRIPTION_BYTES / 4);
      const tag = (words[at + 2] as number) & 0xff;
      if (tag === TAG_CLOCK) {
        clock = at;
        continue;
      }
      if (marks <= 0 && (clock >= 0 || found > 0)) break;
      const descriptor = entries[words[at + 4] as number];
      const reading = tag === TAG_READ;
      if (descriptor === undefined) {
        this.#event(events, found++, at, tag, 0, 0, ERRNO_BADF);
      } else if (reading ? descriptor.readable : canSend(descriptor)) {
        if (reading || descriptor.writable) marks--;
        const bytes = reading ? descriptor.available() : WRITE_ROOM_BYTES;
        this.#event(events, found++, at, tag, bytes, descriptor.hungUp() ? HANGUP : 0, 0);
      }
    }
    if (found === 0 && clock >= 0) this.#event(events, found++, clock, TAG_CLOCK, 0, 0, 0);
    words[result] = found;
    return 0;
  }

  #event(events: number, index: number, from: number, type: number, bytes: number, flags: number, errno: number): void {
    const words = this.#words;
    const at = events + index * (EVENT_BYTES / 4);
    words[at] = words[from] as number;
    words[at + 1] = words[from + 1] as number;
    words[at + 2] = errno | (type << 16);
    words[at + 4] = bytes;
    words[at + 5] = 0;
    words[at + 6] = flags;
  }

  // --- sockets ---

  #connection(fd: number): Connection | null {
    const descriptor = this.#table.entries[fd];
    return descriptor !== undefined && descriptor.kind === KIND_CONNECTION ? (descriptor as Connection) : null;
  }

  #accept(fd: number, fdOut: number): number {
    const at = this.#words32(fdOut, 4);
    const descriptor = this.#table.entries[fd];
    if (descriptor === undefined || descriptor.kind !== KIND_LISTENER) return ERRNO_BADF;
    const accepted = (descriptor as Listener).accept();
    if (accepted < 0) return -accepted;
    this.#words[at] = accepted;
    return 0;
  }

  #receive(fd: number, iovs: number, count: number, flags: number, sizeOut: number, flagsOut: number): number {
    const vector = this.#words32(iovs, count * 8);
    const sizeAt = this.#words32(sizeOut, 4);
    const flagsAt = this.#words32(flagsOut, 2);
    const connection = this.#connection(fd);
    if (connection === null) return ERRNO_BADF;
    if (flags !== 0) return ERRNO_NOTSUP;
    let total = 0;
    for (let index = 0; index < count; index++) {
      const size = this.#pieceSize(vector, index);
      const received = connection.receive(this.#bytes, this.#piece(vector, index), size);
      if (received < 0 && total === 0) return -received;
      if (received > 0) total += received;
      if (received < size) break;
    }
    this.#words[sizeAt] = total;
    this.#words[flagsAt] = 0;
    return 0;
  }

  #send(fd: number, iovs: number, count: number, sizeOut: number): number {
    const vector = this.#words32(iovs, count * 8);
    const sizeAt = this.#words32(sizeOut, 4);
    const connection = this.#connection(fd);
    if (connection === null) return ERRNO_BADF;
    let total = 0;
    for (let index = 0; index < count; index++) {
      const start = this.#piece(vector, index);
      const size = this.#pieceSize(vector, index);
      if (size === 0) continue;
      const sent = connection.send(this.#bytes, start, size);
      if (sent < 0 && total === 0) return -sent;
      if (sent > 0) total += sent;
      if (sent < size) break;
    }
    this.#words[sizeAt] = total;
    return 0;
  }

  #shutdown(fd: number, how: number): number {
    const connection = this.#connection(fd);
    if (connection === null) return ERRNO_BADF;
    if ((how & SHUT_WRITE) !== 0) connection.shutdownSending();
    if ((how & SHUT_READ) !== 0) connection.shutdownReading();
    return 0;
  }

  // --- standard streams, clocks ---

  #read(fd: number, iovs: number, count: number, sizeOut: number): number {
    const vector = this.#words32(iovs, count * 8);
    const sizeAt = this.#words32(sizeOut, 4);
    const descriptor = this.#table.entries[fd];
    if (fd !== 0 || descriptor === undefined || count < 1) return ERRNO_BADF;
    const got = this.#streams.readInput(this.#bytes, this.#piece(vector, 0), this.#pieceSize(vector, 0));
    if (got < 0) return -got;
    this.#words[sizeAt] = got;
    return 0;
  }

  #write(fd: number, iovs: number, count: number, sizeOut: number): number {
    const vector = this.#words32(iovs, count * 8);
    const sizeAt = this.#words32(sizeOut, 4);
    if ((fd !== 1 && fd !== 2) || this.#table.entries[fd] === undefined) return ERRNO_BADF;
    let total = 0;
    for (let index = 0; index < count; index++) {
      const start = this.#piece(vector, index);
      const size = this.#pieceSize(vector, index);
      if (size > 0) this.#streams.write(fd, this.#bytes.subarray(start, start + size));
      total += size;
    }
    this.#words[sizeAt] = total;
    return 0;
  }

  #stat(fd: number, statOut: number): number {
    const at = this.#words32(statOut, FDSTAT_BYTES);
    const descriptor = this.#table.entries[fd];
    if (descriptor === undefined) return ERRNO_BADF;
    this.#words.fill(0, at, at + FDSTAT_BYTES / 4);
    this.#words[at] = FILETYPES[descriptor.kind] as number;
    return 0;
  }

  #time(clock: number, timeOut: number): number {
    const at = this.#words32(timeOut, 8);
    const ns = (clock === CLOCK_REALTIME ? Date.now() : performance.now()) * 1e6;
    this.#words[at] = ns % 2 ** 32;
    this.#words[at + 1] = ns / 2 ** 32;
    return 0;
  }
}

function canSend(descriptor: Descriptor): boolean {
  return descriptor.kind === KIND_CONNECTION && (descriptor as Connection).canSend();
}
