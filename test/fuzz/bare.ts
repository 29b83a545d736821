// A bare application with files and a collector, build/web.wasm, over a network that fails.
//
// Invariants tested: whatever clients send and however the network cuts, delays and breaks it, nothing traps or ends; a
// client sees answers to its own requests alone, in order; when all clients are gone, every connection and file is
// closed and memory has stopped to grow.
import { play, type Served } from "./episode.js";
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

const EPISODES_PER_MODULE = 40;
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

  /** The next run begins with a fresh module. */
  reset(): void {
    this.#left = 0;
  }

  /** One episode. Throws what went wrong. */
  async run(random: Random): Promise<void> {
    if (this.#left-- <= 0 || this.#wasi === null) {
      this.#wasi = new ScriptedWasi(this.#module, random, FILES);
      this.#left = EPISODES_PER_MODULE;
    }
    const wasi = this.#wasi;
    try {
      await this.#episode(wasi, random);
    } catch (error) {
      this.#wasi = null;
      throw error;
    }
  }

  async #episode(wasi: ScriptedWasi, random: Random): Promise<void> {
    const served: Served = { wasi, step: async () => {}, busy: () => 0 };
    const clients = await play(served, random, TARGETS, this.connections);
    this.connections += clients.length;
    for (const client of clients) this.answers += client.answers;
    if (wasi.openFiles > 0) throw new Error(`${wasi.openFiles} files stay open`);
    if (wasi.memoryBytes > MEMORY_BYTES_MAX) throw new Error(`it has ${wasi.memoryBytes} bytes of memory`);
  }
}
