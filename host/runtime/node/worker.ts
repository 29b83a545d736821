/**
 * The sandbox inside this process: `turn(0)` is called from Node's loop when something has become ready, and by a timer
 * for what the sandbox wants to do without an event.
 *
 * Invariants: a turn is never entered twice, and no user code runs inside one: what the sandbox wrote to descriptor 1
 * is handed on after it. A trap, a bad pointer or proc_exit ends the instance and its sockets, and nothing else.
 */

import { readFile } from "node:fs/promises";
import type { Peer } from "../../bridge/bridge.js";
import { keepBatch } from "../../bridge/framereader.js";
import type { FrameWriter } from "../../bridge/framewriter.js";
import { RuntimeUnavailableError, WorkerError } from "../../core/errors.js";
import { TURN_OUTPUT_BYTES_MAX } from "../../core/limits.js";
import { LineReader } from "../../core/log.js";
import type { Patience } from "../../core/patience.js";
import { boundHandles } from "../../nodeinternals/boundhandle.js";
import { type Grants, NO_GRANTS } from "../grants.js";
import { withGrowthLimit } from "../modulememory.js";
import type { Runtime, Worker, WorkerEvents } from "../worker.js";
import { Connection, Descriptor, DescriptorTable, KIND_CHANNEL, Listener } from "./descriptors.js";
import { EnvironmentCalls } from "./environment.js";
import { FileCalls, OpenFile, OpenFolder } from "./files.js";
import { listen, listenOn, type NodeListener } from "./listener.js";
import { ERRNO_AGAIN } from "./preview1.js";
import { bindHandle, listenShared, SharedListener } from "./sharedlistener.js";
import { GuestExit, type StandardStreams, WASI_MODULE, Wasi } from "./wasi.js";

/** What turn() returns when it does not want to be called without an event. */
const NEVER = 0x7fffffff;
const OUTPUT = 1;
const DRAIN_CHECK_MS = 5;

type Drain = (graceMs: number, requestMs: number) => void;

/** Descriptors 0, 1 and 2; only the first is ever polled. */
class ChannelEnd extends Descriptor {
  readonly kind = KIND_CHANNEL;
  writer: FrameWriter | null = null;
  ended = false;

  available(): number {
    return this.writer === null ? 1 : this.writer.waiting;
  }

  hungUp(): boolean {
    return this.ended;
  }

  close(): void {}
}

class NodeWorker implements Worker, StandardStreams {
  readonly #events: WorkerEvents;
  readonly #table: DescriptorTable;
  readonly #input = new ChannelEnd();
  readonly #listeners: Listener[];
  readonly #lines: LineReader;
  readonly #turn: (maxWaitMs: number) => number;
  readonly #drain: Drain | undefined;
  readonly #run = () => {
    this.#scheduled = false;
    this.#runTurn();
  };
  #output: Buffer[] = [];
  /** Bytes that this turn has written. */
  #written = 0;
  #scheduled = false;
  #running = false;
  /** Something became ready during a turn, perhaps after its poll. */
  #again = false;
  /** Something is ready that the last turn did not take: perhaps it began to want it only after its poll. */
  #secondLook = false;
  #finishing = false;
  #toDrain: Patience | null = null;
  #over = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = 0;
  #drainTimer: NodeJS.Timeout | null = null;

  constructor(
    module: WebAssembly.Module,
    sockets: readonly NodeListener[],
    events: WorkerEvents,
    { folders, variables }: Grants,
  ) {
    this.#events = events;
    this.#lines = new LineReader((line) => events.log(line));
    this.#table = new DescriptorTable(
      () => this.#wake(),
      () => this.#turnNow(),
    );
    for (const end of [this.#input, new ChannelEnd(), new ChannelEnd()]) this.#table.add(end);
    this.#listeners = sockets.map((socket) => new Listener(socket, this.#table));
    for (const socket of sockets) socket.begin();
    for (const listener of this.#listeners) this.#table.add(listener);
    for (const folder of folders) this.#table.add(new OpenFolder(folder));
    const wasi = new Wasi(this.#table, this);
    const files = new FileCalls(this.#table);
    const environment = new EnvironmentCalls(variables);
    const { exports } = new WebAssembly.Instance(module, {
      [WASI_MODULE]: { ...wasi.imports(), ...files.imports(), ...environment.imports() },
    });
    wasi.attach(exports.memory as WebAssembly.Memory);
    files.attach(exports.memory as WebAssembly.Memory);
    environment.attach(exports.memory as WebAssembly.Memory);
    // The module's top level; run by the instantiation itself it would call imports before its memory is known here.
    (exports._initialize as (() => void) | undefined)?.();
    this.#turn = exports.turn as (maxWaitMs: number) => number;
    this.#drain = exports.drain as Drain | undefined;
    // An application that drains by itself is started again.
    for (const listener of this.#listeners) listener.outlives = this.#drain !== undefined;
    this.#wake();
  }

  schedule(): void {
    this.#wake();
  }

  send(writer: FrameWriter): void {
    this.#input.writer = writer;
    this.#table.setReadable(this.#input, true);
  }

  peer(descriptor: number): Peer | null {
    return this.#table.peer(descriptor);
  }

  /** Without `drain` the sandbox finds every connection, and its listeners, at their end. */
  finish(patience: Patience): void {
    this.#wake();
    if (this.#drain !== undefined) {
      for (const listener of this.#listeners) listener.endWithSandbox();
      this.#toDrain = patience;
      return;
    }
    this.#finishing = true;
    for (const [fd, entry] of this.#table.entries.entries()) {
      if (entry instanceof Listener) this.#table.close(fd);
      else if (entry instanceof Connection) entry.shutdownReading();
    }
  }

  kill(): void {
    if (this.#over) return;
    this.#close();
    setImmediate(() => this.#events.ended(new WorkerError("it was killed")));
  }

  #close(): void {
    this.#over = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const listener of this.#listeners) listener.detach();
    for (const entry of this.#table.entries) {
      if (entry instanceof Connection) entry.destroy();
      else if (entry instanceof OpenFile) entry.close();
    }
    this.#table.entries.length = 0;
    if (this.#drainTimer !== null) clearInterval(this.#drainTimer);
    for (const connection of this.#table.lingering) connection.destroy();
  }

  // --- descriptors 0, 1 and 2 ---

  readInput(memory: Uint8Array, target: number, size: number): number {
    const { writer } = this.#input;
    if (writer === null || writer.waiting === 0) return this.#input.ended ? 0 : -ERRNO_AGAIN;
    const bytes = writer.copyTo(memory, target, size);
    if (writer.waiting === 0) this.#table.setReadable(this.#input, false);
    return bytes;
  }

  write(fd: number, bytes: Uint8Array): void {
    this.#written += bytes.length;
    if (this.#written > TURN_OUTPUT_BYTES_MAX) throw new WorkerError("it writes without end");
    if (fd === OUTPUT) keepBatch(bytes, this.#output);
    else this.#lines.push(bytes);
  }

  // --- turns ---

  #wake(): void {
    this.#again = true;
    this.#secondLook = false;
    if (!this.#running) this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#scheduled || this.#over) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  /** False: it is in one. */
  #turnNow(): boolean {
    if (this.#running) return false;
    this.#runTurn();
    return true;
  }

  #runTurn(): void {
    if (this.#over) return;
    const isSecondLook = this.#secondLook;
    this.#secondLook = false;
    this.#running = true;
    let rest = this.#turnOnce();
    // Handlers that answered at once are not left waiting for another round of Node's loop.
    if (!this.#over && rest >= 0 && this.#hasInput()) rest = this.#turnOnce();
    this.#running = false;
    if (this.#over) return;
    if (rest < 0 || (this.#finishing && !this.#hasConnections())) return this.#end(null);
    if (rest === 0 || this.#again) return this.#wake();
    if (rest !== NEVER) this.#wakeIn(rest);
    if (this.#table.ready > 0 && !isSecondLook) {
      this.#scheduleTurn();
      this.#secondLook = true;
    }
  }

  /** One turn, and then what it wrote is handed on. Returns what it returned. */
  #turnOnce(): number {
    let rest = 0;
    this.#events.gather();
    this.#again = false;
    this.#written = 0;
    try {
      if (this.#toDrain !== null) this.#drain?.(this.#toDrain.graceMs, this.#toDrain.requestMs);
      this.#toDrain = null;
      rest = this.#turn(0);
    } catch (error) {
      this.#deliver();
      this.#fail(error);
      return rest;
    }
    this.#deliver();
    return rest;
  }

  #hasInput(): boolean {
    const { writer } = this.#input;
    return writer !== null && writer.waiting > 0;
  }

  #hasConnections(): boolean {
    return this.#table.entries.some((entry) => entry instanceof Connection);
  }

  #deliver(): void {
    const output = this.#output;
    if (output.length === 0) return;
    this.#output = [];
    for (const chunk of output) this.#events.receive(chunk);
  }

  /** A timer that is due earlier stays: an early turn does no harm, and most turns then need no new timer. */
  #wakeIn(ms: number): void {
    const due = performance.now() + ms;
    if (this.#timer !== null) {
      if (this.#timerAt <= due) return;
      clearTimeout(this.#timer);
    }
    this.#timerAt = due;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#wake();
    }, ms);
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    if (error instanceof GuestExit) return this.#end(error.status === 0 ? null : new WorkerError(error.message));
    this.#end(new WorkerError(`the sandbox failed: ${String(error)}`, { cause: error }));
  }

  /** In order, it has ended when the last bytes of its connections have left, too. */
  #end(error: Error | null): void {
    if (error === null && this.#table.lingering.size > 0) {
      this.#drainTimer ??= setInterval(() => this.#end(null), DRAIN_CHECK_MS);
      return;
    }
    this.#close();
    this.#lines.end();
    this.#events.ended(error);
  }
}

const modules = new Map<string, WebAssembly.Module>();

/** Reads and compiles a module, once, and checks that it is one of ours. */
async function load(path: string, growthBytesMax = Number.POSITIVE_INFINITY): Promise<void> {
  if (modules.has(path)) return;
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(withGrowthLimit(await readFile(path), growthBytesMax));
  } catch (error) {
    throw new RuntimeUnavailableError(`cannot load ${path}: ${(error as Error).message}`, { cause: error });
  }
  const table = new DescriptorTable(() => {});
  const parts = [new Wasi(table, silent), new FileCalls(table), new EnvironmentCalls()];
  const known = parts.flatMap((part) => Object.keys(part.imports()));
  for (const wanted of WebAssembly.Module.imports(module)) {
    if (wanted.module === WASI_MODULE && known.includes(wanted.name)) continue;
    throw new RuntimeUnavailableError(`cannot run ${path} in Node: it imports ${wanted.module}.${wanted.name}`);
  }
  const names = WebAssembly.Module.exports(module).map((entry) => entry.name);
  for (const name of ["turn", "memory"]) {
    if (!names.includes(name)) throw new RuntimeUnavailableError(`cannot run ${path} in Node: it exports no ${name}`);
  }
  modules.set(path, module);
}

const silent: StandardStreams = { readInput: () => 0, write: () => {} };

export const nodeRuntime: Runtime = {
  name: "node",
  async bind(address, port, backlog, options) {
    if (!options.shared || !boundHandles.isThere()) return await listen(address, port, backlog, options);
    return listenOn(await listenShared(address, port, backlog, options, "node"), backlog);
  },
  bindNow(host, port, backlog, options) {
    if (!boundHandles.isThere()) return null;
    const { handle, address } = bindHandle(host, port, options);
    return { address, socket: listen(host, address.port, backlog, {}, handle) };
  },
  adopt: (address, fd, backlog) => listenOn(new SharedListener("node", address, fd), backlog),
  async guard(sockets, guard) {
    for (const socket of sockets as readonly NodeListener[]) socket.protect(guard);
    return { sockets, peers: null, drained: async () => {} };
  },
  prepare: load,
  start(path, sockets, events, grants = NO_GRANTS): Worker {
    const module = modules.get(path) as WebAssembly.Module;
    return new NodeWorker(module, sockets as readonly NodeListener[], events, grants);
  },
};
