/**
 * The sandbox in processes of its own: wasmtime owns the connections, this process only sees frames, over the child's
 * stdin and stdout. A child holds the listeners, a clock and these pipes, and ends when its stdin does.
 *
 * Invariant: nothing that a child does harms this process or another child; its end is reported and it can be replaced.
 * Reference: sd_listen_fds(3) for LISTEN_FDS and LISTEN_PID; `wasmtime run -S help`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import type { Peer } from "../../bridge/bridge.js";
import type { FrameWriter } from "../../bridge/framewriter.js";
import { OptionError, WorkerError } from "../../core/errors.js";
import { WORKER_END_MS } from "../../core/limits.js";
import { LineReader } from "../../core/log.js";
import type { Folder } from "../folders.js";
import { memoryBytesWith } from "../modulememory.js";
import { listenShared, listenSharedNow, SharedListener } from "../node/sharedlistener.js";
import type { Runtime, Worker, WorkerEvents } from "../worker.js";
import { findWasmtime, type Wasmtime } from "./binary.js";
import { relay } from "./tlsrelay.js";

class WasmtimeWorker implements Worker {
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #events: WorkerEvents;
  /** Blocks that the pipe had not taken at once. */
  readonly #lent: Buffer[] = [];
  #lastMoment: NodeJS.Timeout | null = null;
  /** It was killed because it had closed its stdout. */
  #isMute = false;
  readonly #gather = () => this.#events.gather();
  readonly #killAtExit = () => this.#child.kill("SIGKILL");

  constructor(
    binary: string,
    module: string,
    sockets: readonly SharedListener[],
    events: WorkerEvents,
    folders: readonly Folder[],
    memoryBytesMax: number | null,
  ) {
    this.#events = events;
    // The shell only sets LISTEN_PID to the pid that wasmtime will have. A group of its own keeps a terminal's Ctrl-C
    // away.
    this.#child = spawn(
      "sh",
      [
        "-c",
        'LISTEN_PID=$$ exec "$0" "$@"',
        binary,
        "run",
        "-C",
        "cache=n",
        "-S",
        "preview2=n",
        "-S",
        "listenfd",
        ...(memoryBytesMax === null ? [] : ["-W", `max-memory-size=${memoryBytesMax}`]),
        ...folders.flatMap(({ host, guest }) => ["--dir", `${host}::${guest}`]),
        module,
      ],
      {
        stdio: ["pipe", "pipe", "pipe", ...sockets.map((socket) => socket.fd)],
        env: { PATH: process.env.PATH, HOME: process.env.HOME, LISTEN_FDS: String(sockets.length) },
        detached: true,
      },
    );
    this.#input = this.#child.stdin as Writable;
    this.#input.on("error", () => {}); // the child's event "close" follows
    this.#input.on("drain", this.#gather);
    (this.#child.stdout as Readable).on("data", (chunk: Buffer) => events.receive(chunk));
    (this.#child.stdout as Readable).on("end", () => this.#channelEnded());
    const lines = new LineReader((line) => events.log(line));
    (this.#child.stderr as Readable).on("data", (chunk: Buffer) => lines.push(chunk));
    process.on("exit", this.#killAtExit);
    this.#watchEnd(lines);
  }

  schedule(): void {
    setImmediate(this.#gather);
  }

  send(writer: FrameWriter): void {
    const input = this.#input;
    const lent = this.#lent;
    if (input.writableNeedDrain) return; // the writer goes on gathering until the pipe has room again
    if (input.writableLength === 0) for (const block of lent.splice(0)) writer.giveBack(block);
    // Nearly always the pipe takes it at once and the block is free again; else it belongs to the stream until that is
    // empty.
    writer.drain((block, start, end) => {
      input.write(block.subarray(start, end));
      if (input.writableLength === 0) return true;
      lent.push(block);
      return false;
    });
  }

  peer(): Peer | null {
    return null;
  }

  /** preview1 has no signals: a module that does not read frames can only be ended. */
  finish(): void {
    this.kill();
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** A worker that ends closes its stdout a moment before. One that lives on without can serve no connection. */
  #channelEnded(): void {
    this.#lastMoment = setTimeout(() => {
      this.#isMute = true;
      this.kill();
    }, WORKER_END_MS);
  }

  #watchEnd(lines: LineReader): void {
    let hasEnded = false;
    const end = (error: Error | null) => {
      if (hasEnded) return;
      hasEnded = true;
      if (this.#lastMoment !== null) clearTimeout(this.#lastMoment);
      process.off("exit", this.#killAtExit);
      lines.end();
      this.#events.ended(error);
    };
    this.#child.on("error", (error) => end(new WorkerError(`wasmtime cannot be started: ${error.message}`)));
    this.#child.on("close", (status, signal) => {
      if (this.#isMute) end(new WorkerError("it closed its stdout and did not end"));
      else if (status === 0) end(null);
      else end(new WorkerError(signal === null ? `it exited with status ${status}` : `it was killed by ${signal}`));
    });
  }
}

/** The one that `prepare` has found. */
let wasmtime: Wasmtime | null = null;
/** Bytes that modules may have, by path; those of which nothing is said are missing. */
const memoryBytesMax = new Map<string, number | null>();

export const wasmtimeRuntime: Runtime = {
  name: "wasmtime",
  bind: listenShared,
  bindNow(host, port, backlog, options) {
    const socket = listenSharedNow(host, port, backlog, options);
    return { address: socket.address, socket: Promise.resolve(socket) };
  },
  adopt: (address, fd) => new SharedListener("wasmtime", address, fd),
  guard(sockets, guard) {
    if (guard.tls === null) throw new OptionError("wasmtime workers cannot tell who connects");
    return relay(sockets as readonly SharedListener[], guard, guard.tls);
  },
  async prepare(module, growthBytesMax = Number.POSITIVE_INFINITY): Promise<void> {
    wasmtime = await findWasmtime();
    if (growthBytesMax === Number.POSITIVE_INFINITY) memoryBytesMax.delete(module);
    else memoryBytesMax.set(module, memoryBytesWith(await readFile(module), growthBytesMax));
  },
  start(module, sockets, events, folders = []): Worker {
    return new WasmtimeWorker(
      (wasmtime as Wasmtime).file,
      module,
      sockets as readonly SharedListener[],
      events,
      folders,
      memoryBytesMax.get(module) ?? null,
    );
  },
};
