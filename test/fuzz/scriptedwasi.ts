// A module of ours over a scripted WASI preview1: a network, a clock and faults from a seed, and nothing real behind
// them.
//
// Invariants: time moves only when the script says so; every range that the module names is checked; the module never
// waits: a read of its channel that would block, and a write to a full pipe, are Broken, as a trap is.
// Reference: WASI snapshot 01, wasi_snapshot_preview1.witx; wasmtime 36, whose poll reports all that it was asked about
// at once.
import { watchInstance } from "./coverage.js";
import type { Random } from "./random.js";
import { Wire } from "./wire.js";

/** What no module of ours may do. */
export class Broken extends Error {}

/** The module has called proc_exit. */
export class Exited extends Error {
  constructor(readonly status: number) {
    super(`it exited with status ${status}`);
  }
}

/** A file that the module can read. */
export interface ScriptedFile {
  readonly bytes: Buffer;
  readonly mtimeSeconds: number;
}

const AGAIN = 6;
const BADF = 8;
const CONNRESET = 15;
const MFILE = 33;
const NOENT = 44;
const PIPE = 64;
const IO = 29;
const SOCKET = 6;
const FOLDER = 3;
const REGULAR = 4;
const LISTENER_FD = 3;
const FOLDER_FD = 4;
const FIRST_FD = 16;
/** What a pipe, or a socket pair, holds on Linux. */
const PIPE_BYTES_MAX = 208 << 10;

export interface Faults {
  /**
   * Reads and writes of a part, EAGAIN although something is there, descriptors that cannot be had: once in so many, 0
   * never.
   */
  short: number;
  again: number;
  full: number;
}

export class ScriptedWasi {
  readonly faults: Faults = { short: 0, again: 0, full: 0 };
  /** Connections in the listener's queue, and all that were accepted and are not closed. */
  queue: Wire[] = [];
  readonly wires = new Map<number, Wire>();
  readonly log: string[] = [];
  /** So many times sock_accept was called, and so many descriptors were polled in all. */
  accepts = 0;
  polled = 0;
  /** What wasmtime asks of the kernel: once for each call, and once more for each connection that a poll reports. */
  systemCalls = 0;
  readonly files: ReadonlyMap<string, ScriptedFile>;
  readonly #random: Random;
  /** A poll says that everything is ready as soon as one thing is, as wasmtime's does. */
  readonly #asWasmtime: boolean;
  readonly #open = new Map<number, ScriptedFile>();
  readonly #turn: (maxWaitMs: number) => number;
  readonly memory: WebAssembly.Memory;
  #nextFd = FIRST_FD;
  #nowNs = 1_000_000_000;
  #channelIn = Buffer.alloc(0);
  #channelOut: Buffer[] = [];
  #channelOutBytes = 0;

  constructor(
    module: WebAssembly.Module,
    random: Random,
    files: ReadonlyMap<string, ScriptedFile> = new Map(),
    more: WebAssembly.Imports = {},
  ) {
    this.#random = random;
    this.#asWasmtime = random.once(2);
    this.files = files;
    const instance = new WebAssembly.Instance(module, { ...more, wasi_snapshot_preview1: this.#imports() });
    watchInstance(module, instance);
    const { exports } = instance;
    this.memory = exports.memory as WebAssembly.Memory;
    this.#turn = exports.turn as (maxWaitMs: number) => number;
    (exports._initialize as (() => void) | undefined)?.();
  }

  get memoryBytes(): number {
    return this.memory.buffer.byteLength;
  }

  /**
   * One turn; what it waits passes at once. Returns the milliseconds until the next is wanted, -1 when it has ended.
   * Throws Broken, Exited.
   */
  turn(maxWaitMs = 0): number {
    try {
      return this.#turn(maxWaitMs);
    } catch (error) {
      if (error instanceof Broken || error instanceof Exited) throw error;
      throw new Broken(`a trap: ${(error as Error).stack}`);
    }
  }

  pass(ms: number): void {
    this.#nowNs += ms * 1e6;
  }

  connect(): Wire {
    const wire = new Wire();
    this.queue.push(wire);
    return wire;
  }

  // --- the host's end of the channel ---

  /** Bytes for descriptor 0. */
  tell(bytes: Uint8Array): void {
    this.#channelIn = Buffer.concat([this.#channelIn, bytes]);
  }

  get untold(): number {
    return this.#channelIn.length;
  }

  /** What the module has written to descriptor 1. */
  hear(): Buffer {
    const bytes = Buffer.concat(this.#channelOut);
    this.#channelOut = [];
    this.#channelOutBytes = 0;
    return bytes;
  }

  // --- imports ---

  #imports(): Record<string, (...values: never[]) => number> {
    return {
      poll_oneoff: (input: number, output: number, count: number, out: number) => this.#poll(input, output, count, out),
      sock_accept: (_fd: number, _flags: number, out: number) => this.#accept(out),
      sock_recv: (fd: number, iovs: number, _count: number, _flags: number, sizeOut: number, flagsOut: number) => {
        this.#view(flagsOut, 2).setUint16(0, 0, true);
        return this.#receive(fd, iovs, sizeOut);
      },
      sock_send: (fd: number, iovs: number, count: number, _flags: number, out: number) =>
        this.#send(fd, iovs, count, out),
      sock_shutdown: (fd: number) => {
        const wire = this.wires.get(fd);
        if (wire !== undefined) wire.isShut = true;
        return wire === undefined ? BADF : 0;
      },
      fd_read: (_fd: number, iovs: number, _count: number, out: number) => this.#readChannel(iovs, out),
      fd_write: (fd: number, iovs: number, count: number, out: number) => this.#write(fd, iovs, count, out),
      fd_close: (fd: number) => this.#close(fd),
      fd_fdstat_get: (fd: number, out: number) => this.#stat(fd, out),
      clock_time_get: (clock: number, _precision: bigint, out: number) => {
        this.#nowNs += 1000;
        const ns = clock === 0 ? this.#nowNs + 1_700_000_000e9 : this.#nowNs;
        this.#view(out, 8).setBigUint64(0, BigInt(Math.trunc(ns)), true);
        return 0;
      },
      proc_exit: (status: number) => {
        throw new Exited(status);
      },
      ...this.#fileImports(),
    };
  }

  #fileImports(): Record<string, (...values: never[]) => number> {
    return {
      fd_prestat_get: (fd: number, out: number) => {
        if (fd !== FOLDER_FD) return BADF;
        this.#view(out, 8).setBigUint64(0, BigInt("/static".length) << 32n, true);
        return 0;
      },
      fd_prestat_dir_name: (_fd: number, target: number, size: number) => {
        this.#bytes(target, size).set(Buffer.from("/static").subarray(0, size));
        return 0;
      },
      path_filestat_get: (_fd: number, _lookup: number, path: number, size: number, out: number) =>
        this.#lookAt(this.#path(path, size), out),
      path_open: (...values: number[]) => this.#openFile(values[2] as number, values[3] as number, values[8] as number),
      fd_filestat_get: (fd: number, out: number) => this.#fileStat(this.#open.get(fd), out),
      fd_pread: (fd: number, iovs: number, _count: number, offset: bigint, out: number) =>
        this.#readFile(fd, iovs, Number(offset), out),
    };
  }

  #view(pointer: number, size: number): DataView {
    const start = pointer >>> 0;
    if (start + size > this.memory.buffer.byteLength) throw new Broken("a pointer out of its memory");
    return new DataView(this.memory.buffer, start, size);
  }

  #bytes(pointer: number, size: number): Uint8Array {
    const view = this.#view(pointer, size >>> 0);
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  }

  /** The first piece of a vector. */
  #piece(iovs: number): Uint8Array {
    const vector = this.#view(iovs, 8);
    return this.#bytes(vector.getUint32(0, true), vector.getUint32(4, true));
  }

  #happens(fault: keyof Faults): boolean {
    return this.faults[fault] > 0 && this.#random.once(this.faults[fault]);
  }

  #part(size: number): number {
    return size > 1 && this.#happens("short") ? 1 + this.#random.below(size) : size;
  }

  // --- readiness ---

  #poll(input: number, output: number, count: number, out: number): number {
    const subscriptions = this.#view(input, count * 48);
    const events = this.#view(output, count * 32);
    const found: { at: number; type: number; bytes: number; hangUp: boolean; errno: number }[] = [];
    let clock = -1;
    for (let at = 0; at < count * 48; at += 48) {
      const type = subscriptions.getUint8(at + 8);
      if (type === 0) clock = at;
      else found.push({ at, type, ...this.#readiness(subscriptions.getUint32(at + 16, true), type) });
    }
    const certain = found.filter(({ bytes, hangUp, errno }) => bytes > 0 || hangUp || errno !== 0);
    const told = this.#asWasmtime && certain.length > 0 ? found : certain;
    this.polled += found.length;
    this.systemCalls += 1 + told.filter(({ at }) => subscriptions.getUint32(at + 16, true) !== LISTENER_FD).length;
    if (told.length === 0 && clock < 0) throw new Broken("a poll that would wait for ever");
    if (told.length === 0) this.#nowNs += Number(subscriptions.getBigUint64(clock + 24, true));
    const all = told.length > 0 ? told : [{ at: clock, type: 0, bytes: 0, hangUp: false, errno: 0 }];
    for (const [index, { at, type, bytes, hangUp, errno }] of all.entries()) {
      events.setBigUint64(index * 32, subscriptions.getBigUint64(at, true), true);
      events.setUint16(index * 32 + 8, errno, true);
      events.setUint8(index * 32 + 10, type);
      events.setBigUint64(index * 32 + 16, BigInt(this.#asWasmtime ? Math.max(1, bytes) : bytes), true);
      events.setUint16(index * 32 + 24, hangUp ? 1 : 0, true);
    }
    this.#view(out, 4).setUint32(0, all.length, true);
    return 0;
  }

  #readiness(fd: number, type: number): { bytes: number; hangUp: boolean; errno: number } {
    if (fd === 0) return { bytes: this.#channelIn.length, hangUp: false, errno: 0 };
    if (fd === LISTENER_FD) return { bytes: this.queue.length, hangUp: false, errno: 0 };
    const wire = this.wires.get(fd);
    if (wire === undefined) return { bytes: 0, hangUp: false, errno: BADF };
    const bytes = type === 1 ? wire.waiting : wire.room;
    const over = wire.isReset || (type === 1 && wire.ended);
    return { bytes: bytes > 0 ? bytes : over ? 1 : 0, hangUp: over, errno: 0 };
  }

  // --- sockets ---

  #accept(out: number): number {
    this.accepts++;
    this.systemCalls++;
    if (this.#happens("full")) return MFILE;
    const wire = this.queue.shift();
    if (wire === undefined) return AGAIN;
    const fd = this.#nextFd++;
    this.wires.set(fd, wire);
    this.#view(out, 4).setUint32(0, fd, true);
    return 0;
  }

  #receive(fd: number, iovs: number, out: number): number {
    this.systemCalls++;
    const wire = this.wires.get(fd);
    if (wire === undefined) return BADF;
    if (wire.isReset) return CONNRESET;
    if (!wire.readable || this.#happens("again")) return AGAIN;
    const target = this.#piece(iovs);
    const bytes = wire.receive(this.#part(Math.min(target.length, wire.waiting)));
    target.set(bytes);
    this.#view(out, 4).setUint32(0, bytes.length, true);
    return 0;
  }

  #send(fd: number, iovs: number, count: number, out: number): number {
    this.systemCalls++;
    const wire = this.wires.get(fd);
    if (wire === undefined) return BADF;
    if (wire.isReset || wire.isShut) return PIPE;
    if (wire.room === 0 || this.#happens("again")) return AGAIN;
    let total = 0;
    for (let index = 0; index < count; index++) {
      const source = this.#piece(iovs + index * 8);
      const size = this.#part(Math.min(source.length, wire.room));
      wire.deliver(source.subarray(0, size));
      total += size;
      if (size < source.length) break;
    }
    this.#view(out, 4).setUint32(0, total, true);
    return 0;
  }

  #close(fd: number): number {
    const wire = this.wires.get(fd);
    if (wire !== undefined) wire.closed = true;
    return this.wires.delete(fd) || this.#open.delete(fd) ? 0 : BADF;
  }

  // --- the channel ---

  #readChannel(iovs: number, out: number): number {
    this.systemCalls++;
    if (this.#channelIn.length === 0) {
      if (this.#asWasmtime) throw new Broken("a read of the channel that would block");
      return AGAIN;
    }
    const target = this.#piece(iovs);
    const size = this.#part(Math.min(target.length, this.#channelIn.length));
    target.set(this.#channelIn.subarray(0, size));
    this.#channelIn = this.#channelIn.subarray(size);
    this.#view(out, 4).setUint32(0, size, true);
    return 0;
  }

  #write(fd: number, iovs: number, count: number, out: number): number {
    this.systemCalls++;
    let total = 0;
    for (let index = 0; index < count; index++) {
      const source = Buffer.from(this.#piece(iovs + index * 8));
      total += source.length;
      if (fd === 2) this.log.push(source.toString("latin1"));
      else this.#channelOut.push(source);
    }
    if (fd === 1) this.#channelOutBytes += total;
    if (this.#channelOutBytes > PIPE_BYTES_MAX) throw new Broken("a write to the channel that would block");
    this.#view(out, 4).setUint32(0, total, true);
    return 0;
  }

  #stat(fd: number, out: number): number {
    const type = fd === LISTENER_FD ? SOCKET : fd === FOLDER_FD && this.files.size > 0 ? FOLDER : 0;
    if (fd > 2 && type === 0) return BADF;
    this.#bytes(out, 24).fill(0).set([type]);
    return 0;
  }

  // --- files ---

  #path(pointer: number, size: number): string {
    return Buffer.from(this.#bytes(pointer, size)).toString("latin1");
  }

  #lookAt(path: string, out: number): number {
    const isFolder = path === "" || path === "." || [...this.files.keys()].some((name) => name.startsWith(`${path}/`));
    if (!isFolder) return this.#fileStat(this.files.get(path), out);
    this.#bytes(out, 64).fill(0).set([FOLDER], 16);
    return 0;
  }

  #fileStat(file: ScriptedFile | undefined, out: number): number {
    if (file === undefined) return NOENT;
    this.#bytes(out, 64).fill(0).set([REGULAR], 16);
    const view = this.#view(out, 64);
    view.setBigUint64(8, 1n, true);
    view.setBigUint64(32, BigInt(file.bytes.length), true);
    view.setBigUint64(48, BigInt(file.mtimeSeconds) * 1_000_000_000n, true);
    return 0;
  }

  #openFile(path: number, size: number, out: number): number {
    if (this.#happens("full")) return MFILE;
    const file = this.files.get(this.#path(path, size));
    if (file === undefined) return NOENT;
    const fd = this.#nextFd++;
    this.#open.set(fd, file);
    this.#view(out, 4).setUint32(0, fd, true);
    return 0;
  }

  get openFiles(): number {
    return this.#open.size;
  }

  #readFile(fd: number, iovs: number, offset: number, out: number): number {
    const file = this.#open.get(fd);
    if (file === undefined) return BADF;
    if (this.#happens("full")) return IO;
    const target = this.#piece(iovs);
    const size = this.#part(Math.max(0, Math.min(target.length, file.bytes.length - offset)));
    target.set(file.bytes.subarray(offset, offset + size));
    this.#view(out, 4).setUint32(0, size, true);
    return 0;
  }
}
