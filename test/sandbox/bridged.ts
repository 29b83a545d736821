// core.wasm over a scripted network, with a host that answers every request when a test says so.
import { setImmediate as turnOfLoop } from "node:timers/promises";
import { Bridge } from "../../host/bridge/bridge.js";
import type { FrameWriter } from "../../host/bridge/framewriter.js";
import { HTTPServer } from "../../host/index.js";
import { Random } from "../fuzz/random.js";
import { ScriptedWasi } from "../fuzz/scriptedwasi.js";

/** For a poll that reports all descriptors once one is ready, as wasmtime's does. */
export class AsWasmtime extends Random {
  override once(): boolean {
    return true;
  }
}

export class Bridged {
  readonly wasi: ScriptedWasi;
  readonly #bridge: Bridge;
  #writer: FrameWriter | null = null;

  constructor(module: WebAssembly.Module, more: WebAssembly.Imports = {}) {
    this.wasi = new ScriptedWasi(module, new AsWasmtime(1), new Map(), more);
    const server = new HTTPServer(({ connection }) => {
      connection.writeHeaders(200, {});
      connection.finish();
    });
    this.#bridge = new Bridge(server.acceptor(), server.options, 1, { ready() {}, failed() {} });
    this.#bridge.attach({
      schedule() {},
      send: (writer) => {
        this.#writer = writer;
      },
      peer: () => null,
      kill() {},
    });
  }

  /** The host takes what the sandbox has sent and answers it. */
  async hostAnswers(): Promise<void> {
    const frames = this.wasi.hear();
    if (frames.length > 0) this.#bridge.receive(frames);
    await turnOfLoop();
    this.#bridge.flush();
    const bytes = Buffer.alloc(this.#writer?.waiting ?? 0);
    this.#writer?.copyTo(bytes, 0, bytes.length);
    this.wasi.tell(bytes);
  }
}
