// The whole way of a byte in one process: clients, a scripted network, core.wasm, frames, and the host with handlers of
// every kind.
//
// Invariants tested: whatever clients send, however the network cuts, delays and breaks it, whenever frames arrive and
// however handlers behave, nothing traps, neither side finds the other's frames malformed, and no rejection is left; a
// client sees answers to its own requests alone, in order; when all clients are gone, every handler has come to its
// end, every connection is closed and its memory is back.
import { Bridge, type Channel, type Peer } from "../../host/bridge/bridge.js";
import type { FrameWriter } from "../../host/bridge/framewriter.js";
import type { WorkerStats } from "../../host/bridge/stats.js";
import {
  HTTPServer,
  type HTTPServerRequest,
  type IOStream,
  type Logger,
  TCPServer,
  WebSocketHandler,
} from "../../host/index.js";
import type { ServerOptions } from "../../host/server/options.js";
import { play, type Served, turn } from "./episode.js";
import type { Random } from "./random.js";
import { ScriptedWasi } from "./scriptedwasi.js";

const TARGETS = ["/%"];
const EPISODES_PER_MODULE = 40;
const STATS_TURNS_MAX = 2000;
const QUIET: Logger = { debug() {}, info() {}, warn() {}, error() {} };

const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A header of the PROXY protocol, of either version; now and then one that is wrong or is not there. */
function proxyHeader(random: Random): Buffer {
  const addresses = random.pick(["TCP4 192.0.2.1 192.0.2.2 1 65535", "TCP6 2001:db8::1 ::1 80 80", "UNKNOWN"]);
  const size = random.pick([12, 12, 36, 0, 20]);
  const second = Buffer.concat([
    Buffer.from("\r\n\r\n\0\r\nQUIT\n\x21", "latin1"),
    Buffer.from([size === 36 ? 0x21 : 0x11, 0, size]),
    random.bytes(size),
  ]);
  const right = random.once(2) ? Buffer.from(`PROXY ${addresses}\r\n`) : second;
  if (!random.once(5)) return right;
  if (random.once(2)) return right.subarray(0, random.below(right.length));
  right[random.below(right.length)] = random.below(256);
  return right;
}

/** A worker: the module, and the host's side of it. */
class Worker implements Channel {
  readonly wasi: ScriptedWasi;
  readonly bridge: Bridge;
  failure: Error | null = null;
  #writer: FrameWriter | null = null;
  #offered = 0;
  #heard = Buffer.alloc(0);

  constructor(module: WebAssembly.Module, random: Random, server: HTTPServer | TCPServer) {
    this.wasi = new ScriptedWasi(module, random);
    this.bridge = new Bridge(server.acceptor(), server.options, 1, {
      ready() {},
      failed: (error) => {
        this.failure = error;
      },
    });
    this.bridge.attach(this);
  }

  schedule(): void {
    setImmediate(() => this.bridge.flush());
  }

  /** What is written later waits for the next call. */
  send(writer: FrameWriter): void {
    this.#writer = writer;
    this.#offered = writer.waiting;
  }

  peer(descriptor: number): Peer | null {
    return this.wasi.wires.has(descriptor)
      ? { address: { address: "192.0.2.1", port: 1, family: "IPv4" }, tls: null }
      : null;
  }

  kill(): void {}

  /** Frames move, all or a part of them. Throws when one side found the other's malformed. */
  move(random: Random, all: boolean): void {
    this.#heard = Buffer.concat([this.#heard, this.wasi.hear()]);
    const size = all || random.once(2) ? this.#heard.length : random.below(this.#heard.length + 1);
    if (size > 0) this.bridge.receive(Buffer.from(this.#heard.subarray(0, size)));
    this.#heard = this.#heard.subarray(size);
    const told = Buffer.alloc(all || random.once(2) ? this.#offered : random.below(this.#offered + 1));
    this.#writer?.copyTo(told, 0, told.length);
    this.#offered -= told.length;
    if (told.length > 0) this.wasi.tell(told);
    if (this.failure !== null) throw this.failure;
  }
}

export class CoreFuzz {
  readonly name: string;
  connections = 0;
  answers = 0;
  readonly #module: WebAssembly.Module;
  readonly #serves: "http" | "streams";
  #random: Random | null = null;
  #worker: Worker | null = null;
  #left = 0;
  /** Handlers that have not come to their end. */
  #busy = 0;
  #baseBytes = 0;
  /** Its clients come through a proxy that says who they are. */
  #isProxied = false;

  constructor(module: WebAssembly.Module, serves: "http" | "streams") {
    this.#module = module;
    this.#serves = serves;
    this.name = `core and host, ${serves}`;
  }

  /** The next run begins with a fresh module. */
  reset(): void {
    this.#left = 0;
  }

  /** One episode. Throws what went wrong. */
  async run(random: Random): Promise<void> {
    this.#random = random;
    try {
      if (this.#left-- <= 0 || this.#worker === null) await this.#begin(random);
      await this.#episode(this.#worker as Worker, random);
    } catch (error) {
      this.#worker = null;
      this.#busy = 0;
      throw error;
    }
  }

  async #begin(random: Random): Promise<void> {
    this.#worker?.bridge.end();
    const worker = new Worker(this.#module, random, this.#server(random));
    for (let i = 0; i < 4; i++) {
      turn(worker.wasi, 1);
      worker.move(random, true);
      await turnOfLoop();
    }
    this.#baseBytes = await this.#bytes(worker);
    this.#worker = worker;
    this.#left = EPISODES_PER_MODULE;
  }

  #server(random: Random): HTTPServer | TCPServer {
    this.#isProxied = random.once(4);
    const options: ServerOptions = {
      logger: QUIET,
      proxyProtocol: this.#isProxied,
      bodyBytesMax: random.pick([1000, 100_000, 1 << 24]),
      bodyWindow: random.pick([1 << 14, 1 << 18]),
      writeWindow: random.pick([1 << 14, 1 << 18]),
      requestsMax: random.pick([2, 1000]),
      idleTimeoutMs: 10_000,
      bufferBytesMax: 100_000,
    };
    if (this.#serves === "http") return new HTTPServer((request) => this.#answer(request), options);
    const serve = (stream: IOStream): Promise<void> => this.#serve(stream);
    return new (class extends TCPServer {
      override handleStream(stream: IOStream): Promise<void> {
        return serve(stream);
      }
    })(options);
  }

  async #bytes(worker: Worker): Promise<number> {
    let stats: WorkerStats | null = null;
    void worker.bridge.stats().then((answer) => {
      stats = answer;
    });
    for (let turns = 0; stats === null; turns++) {
      if (turns > STATS_TURNS_MAX) throw new Error("it does not answer GET_STATS");
      turn(worker.wasi, 1);
      worker.move(this.#random as Random, true);
      await turnOfLoop();
    }
    const { connectionsNow, bufferBytes } = stats as WorkerStats;
    if (connectionsNow > 0) throw new Error(`it counts ${connectionsNow} connections`);
    return bufferBytes;
  }

  async #episode(worker: Worker, random: Random): Promise<void> {
    const served: Served = {
      wasi: worker.wasi,
      step: async (isDraining) => {
        if (isDraining || !random.once(3)) worker.move(random, isDraining);
        if (isDraining || random.once(2)) await turnOfLoop();
      },
      busy: () => this.#busy,
      preamble: () => (this.#isProxied ? proxyHeader(random) : Buffer.alloc(0)),
    };
    const clients = await play(served, random, TARGETS, this.connections);
    this.connections += clients.length;
    for (const client of clients) this.answers += client.answers;
    let more = (await this.#bytes(worker)) - this.#baseBytes;
    // Frames for the host may still wait in the channel when the last connection has closed.
    for (let again = 0; more > 0 && again < 10; again++) more = (await this.#bytes(worker)) - this.#baseBytes;
    if (more > 0) throw new Error(`${more} bytes do not come back`);
  }

  // --- handlers of every kind ---

  async #answer(request: HTTPServerRequest): Promise<void> {
    this.#busy++;
    try {
      await this.#behave(request, this.#random as Random);
    } finally {
      this.#busy--;
    }
  }

  async #behave(request: HTTPServerRequest, random: Random): Promise<void> {
    const mark = request.target.slice(1);
    if (request.headers.get("upgrade") !== null && !random.once(4)) {
      for (let i = random.below(4); i > 0; i--) await turnOfLoop();
      return Echo.serve(request);
    }
    for (let i = random.pick([0, 0, 1, 5]); i > 0; i--) await turnOfLoop();
    const kind = random.below(10);
    if (kind < 4) return request.respond(200, { "X-A": "b" }, mark);
    if (kind < 6) return request.respond(200, {}, `${mark} ${(await request.readBody()).length}`);
    if (kind === 6) throw new Error("on purpose");
    if (kind === 7) return untilGone(request);
    const { connection } = request;
    connection.writeHeaders(200, random.once(2) ? {} : { "Content-Length": "2000" });
    for (let i = random.below(6); i > 0; i--) await connection.write(Buffer.alloc(random.below(40_000), "b"));
    if (kind === 8) throw new Error("on purpose");
    await connection.write(mark);
    connection.finish();
  }

  async #serve(stream: IOStream): Promise<void> {
    this.#busy++;
    const random = this.#random as Random;
    try {
      for (;;) {
        const kind = random.below(6);
        if (kind === 0) return void (random.once(2) ? stream.close() : stream.abort());
        if (kind === 1) await stream.readBytes(1 + random.below(50_000));
        else if (kind === 2) await stream.readUntilRegex(/\n/, 100_000);
        else if (kind === 3) void stream.write(Buffer.alloc(random.below(20_000), "c"));
        else
          await stream.write(await (kind === 4 ? stream.readUntil("\n") : stream.readBytes(9000, { partial: true })));
      }
    } catch {
      stream.close();
    } finally {
      this.#busy--;
    }
  }
}

/** Waits until the client has left. */
async function untilGone({ signal }: HTTPServerRequest): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

class Echo extends WebSocketHandler {
  override onMessage(message: string | Buffer): void {
    this.writeMessage(message);
    if (message.length % 7 === 3) this.close(1000, "enough");
  }
}
