/**
 * A worker in a process of wasmtime: this process only sees frames, over the child's stdin and stdout. A child ends
 * when its stdin does, or, where it does not read that, by its guard (components.ts).
 *
 * Invariant: nothing that a child does harms this process or another child; its end is reported and it can be replaced.
 */
import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Peer } from "../../bridge/bridge.js";
import type { FrameWriter } from "../../bridge/framewriter.js";
import { WorkerError } from "../../core/errors.js";
import { WORKER_END_MS } from "../../core/limits.js";
import { LineReader } from "../../core/log.js";
import type { Patience } from "../../core/patience.js";
import type { Worker, WorkerEvents } from "../worker.js";

/**
 * A message on stdin, which the module reads (assembly/server/draining.ts); or a signal, which `wasmtime serve` takes
 * to let requests finish.
 */
export type DrainsBy = "message" | "SIGINT";

export class ChildWorker implements Worker {
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #events: WorkerEvents;
  readonly #drainsBy: DrainsBy | undefined;
  /** Blocks that the pipe had not taken at once. */
  readonly #lent: Buffer[] = [];
  #lastMoment: NodeJS.Timeout | null = null;
  /** It was killed because it had closed its stdout. */
  #isMute = false;
  readonly #gather = () => this.#events.gather();
  readonly #killAtExit = () => this.#child.kill("SIGKILL");

  /**
   * `child` has pipes for its standard streams, and its input is kept open until it is to end. `drainsBy`: what has it
   * finish what it has begun, where it speaks no frames.
   */
  constructor(child: ChildProcess, events: WorkerEvents, drainsBy?: DrainsBy) {
    this.#child = child;
    this.#drainsBy = drainsBy;
    this.#events = events;
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

  /** WASI has no signals: what reads neither frames nor messages can only be ended. */
  finish({ graceMs, requestMs }: Patience): void {
    if (this.#drainsBy === undefined) return this.kill();
    if (this.#drainsBy === "SIGINT") return void this.#child.kill("SIGINT");
    const message = Buffer.alloc(8);
    message.writeInt32LE(graceMs);
    message.writeInt32LE(requestMs, 4);
    this.#input.write(message);
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
