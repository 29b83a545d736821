// A process of wasmtime that is none: core.wasm over a scripted network, below the host's own ChildWorker. Its pipes cut
// frames anywhere; it can be killed and stand still.
//
// Invariant: what it has written before its end is read before its end is seen, as from a pipe.
import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { Readable, Writable } from "node:stream";

import type { Random } from "./random.js";
import { Exited, ScriptedWasi } from "./scriptedwasi.js";
import type { Wire } from "./wire.js";

/** What a pipe takes before a write has to wait. */
const PIPE_BYTES = 64 << 10;

/** What is written into it, until the process reads it. */
class Pipe extends Writable {
  #parts: Buffer[] = [];
  #bytes = 0;
  #written: (() => void) | null = null;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#parts.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    if (this.#bytes <= PIPE_BYTES) done();
    else this.#written = done;
  }

  get waiting(): number {
    return this.#bytes;
  }

  take(size: number): Buffer {
    const all = Buffer.concat(this.#parts);
    this.#parts = [all.subarray(size)];
    this.#bytes = all.length - size;
    const done = this.#written;
    if (this.#bytes <= PIPE_BYTES && done !== null) {
      this.#written = null;
      done();
    }
    return all.subarray(0, size);
  }
}

export class SimWorker extends EventEmitter {
  readonly wasi: ScriptedWasi;
  readonly stdin = new Pipe();
  readonly stdout = new Readable({ read() {} });
  readonly stderr = new Readable({ read() {} });
  alive = true;
  /** It does nothing until then. */
  frozenUntilMs = 0;
  /** An accident has ended it, or is about to. */
  isKilled = false;
  isBuried = false;
  #end: { readonly status: number | null; readonly signal: NodeJS.Signals | null } | null = null;
  #heard = Buffer.alloc(0);

  /** `queue`: the connections that wait for all workers of a listener. */
  constructor(module: WebAssembly.Module, random: Random, queue: Wire[]) {
    super();
    this.wasi = new ScriptedWasi(module, random);
    this.wasi.queue = queue;
  }

  get process(): ChildProcess {
    return this as unknown as ChildProcess;
  }

  kill(): boolean {
    this.#end ??= { status: null, signal: "SIGKILL" };
    return true;
  }

  /** By accident. */
  crash(): void {
    this.isKilled = true;
    this.kill();
  }

  /** With the process that has started it, which says nothing of that any more. */
  bury(): void {
    this.isBuried = true;
    this.crash();
  }

  /** One step: a turn of the module, and bytes that move, all or a part of them. Ends when it was killed. */
  step(random: Random, all: boolean): void {
    if (!this.alive) return;
    if (this.#end === null && (all || random.once(2))) this.#turn();
    if (this.#end === null) this.#move(random, all);
    if (this.#end !== null) this.#over();
  }

  #move(random: Random, all: boolean): void {
    this.#heard = Buffer.concat([this.#heard, this.wasi.hear()]);
    const size = all || random.once(2) ? this.#heard.length : random.below(this.#heard.length + 1);
    if (size > 0) this.stdout.push(Buffer.from(this.#heard.subarray(0, size)));
    this.#heard = this.#heard.subarray(size);
    const { waiting } = this.stdin;
    const told = all || random.once(2) ? waiting : random.below(waiting + 1);
    if (told > 0) this.wasi.tell(this.stdin.take(told));
  }

  #turn(): void {
    try {
      if (this.wasi.turn() < 0) this.#end = { status: 0, signal: null };
    } catch (error) {
      if (!(error instanceof Exited) || error.status !== 0) throw error;
      this.#end = { status: 0, signal: null };
    }
  }

  #over(): void {
    this.alive = false;
    const rest = Buffer.concat([this.#heard, this.wasi.hear()]);
    if (rest.length > 0) this.stdout.push(rest);
    this.stdout.push(null);
    this.stderr.push(null);
    this.emit("over");
    for (const wire of this.wasi.wires.values()) wire.reset();
    setImmediate(() => {
      this.emit("ending");
      this.emit("close", this.#end?.status, this.#end?.signal);
      this.emit("closed");
    });
  }
}
