// A bare application with files and a collector, build/web.wasm, on a bad day.
//
// Invariants tested: whatever clients send and however the network cuts, delays and breaks it, nothing traps or ends; a
// client sees answers to its own requests alone, in order; when all clients are gone, every connection and file is
// closed and memory has stopped to grow.
import { FuzzClient } from "./client.js";
import type { Random } from "./random.js";
import { type ScriptedFile, ScriptedWasi } from "./scriptedwasi.js";

const TARGETS = [
  "/hello?name=%",
  "/hello?name=%",
  "/users/%",
  "/static/a.txt?%",
  "/static/large.bin?%",
  "/static/folder/?%",
  "/static/%2e%2e/secret?%",
  "/static/none?%",
  "/add?a=1&b=2&%",
  "/old?%",
  "/?%",
];
const FILES = new Map<string, ScriptedFile>([
  ["a.txt", { bytes: Buffer.from("text\n"), mtimeSeconds: 1_600_000_000 }],
  ["large.bin", { bytes: Buffer.alloc(300_000, "large "), mtimeSeconds: -5 }],
  ["folder/index.html", { bytes: Buffer.from("<p>"), mtimeSeconds: 0 }],
]);

const CLIENTS_MAX = 8;
const EPISODES_PER_MODULE = 40;
const STEPS_MAX = 20_000;
/** Longer than every time limit; then websockets of clients that have vanished are reset. */
const SOCKETS_END_MS = 700_000;
const END_MS = SOCKETS_END_MS + 100_000;
const MEMORY_BYTES_MAX = 256 << 20;

export class BareFuzz {
  readonly name = "bare application";
  connections = 0;
  answers = 0;
  readonly #module: WebAssembly.Module;
  #wasi: ScriptedWasi | null = null;
  #left = 0;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** One episode. Throws what went wrong. */
  async run(random: Random): Promise<void> {
    if (this.#left-- <= 0 || this.#wasi === null) {
      this.#wasi = new ScriptedWasi(this.#module, random, FILES);
      this.#left = EPISODES_PER_MODULE;
    }
    const wasi = this.#wasi;
    try {
      this.#episode(wasi, random);
    } catch (error) {
      this.#wasi = null;
      throw error;
    }
  }

  #episode(wasi: ScriptedWasi, random: Random): void {
    wasi.faults.short = random.pick([0, 2, 5]);
    wasi.faults.again = random.pick([0, 3, 10]);
    wasi.faults.full = random.pick([0, 0, 20]);
    const clients = Array.from({ length: 1 + random.below(CLIENTS_MAX) }, () => {
      return new FuzzClient(this.connections++, wasi.connect(), random, TARGETS);
    });
    for (let steps = 0; clients.some(({ done }) => !done); steps++) {
      if (steps > STEPS_MAX) throw new Error("clients do not come to an end");
      random.pick(clients).step();
      if (!random.once(3)) this.#turn(wasi, random.once(4) ? random.below(50) : 0);
    }
    wasi.faults.full = 0;
    for (let passed = 0; wasi.wires.size + wasi.queue.length > 0; ) {
      for (const client of clients) client.check();
      const rest = this.#turn(wasi, 0);
      const ms = Math.min(1000, Math.max(1, rest));
      wasi.pass(ms);
      passed += ms;
      if (passed > SOCKETS_END_MS) for (const client of clients) if (client.maySocket) client.reset();
      if (passed > END_MS) throw new Error(`${wasi.wires.size} connections do not end`);
    }
    for (const client of clients) this.answers += client.answers;
    if (wasi.openFiles > 0) throw new Error(`${wasi.openFiles} files stay open`);
    if (wasi.memoryBytes > MEMORY_BYTES_MAX) throw new Error(`it has ${wasi.memoryBytes} bytes of memory`);
  }

  #turn(wasi: ScriptedWasi, ms: number): number {
    wasi.pass(ms);
    const rest = wasi.turn();
    if (rest < 0) throw new Error("it has ended");
    return rest;
  }
}
