// A whole server in one process, from one seed: HTTPServer with its supervisor and bridges, workers that are core.wasm
// over a scripted network, links that cut frames anywhere, a clock that stands until it is moved. Between any two steps
// a worker may be killed, a client may reset, time may pass, the server may be stopped. Some clients open a websocket;
// some servers have little memory for bodies, and answer 413 or 503 to what does not fit.
//
// Invariants tested: a request, and a message of a websocket, reaches one handler, once; a client that stays gets each
// answer once and in order, or its worker has ended; a request that a worker takes along is in its loss that is logged;
// every dead worker is replaced; once the clients are gone no worker counts a connection, no handler is left, nothing is
// held of bodies and of answers, and the server stops.
import type { Channel } from "../../host/bridge/bridge.js";
import type { FrameWriter } from "../../host/bridge/framewriter.js";
import type { ListeningSocket } from "../../host/core/address.js";
import { isTooMuchToHold } from "../../host/core/heldwrites.js";
import { WRITES_HELD_BYTES_MAX } from "../../host/core/limits.js";
import { memoryShare, WRITES_HELD_SHARE } from "../../host/core/memorybudget.js";
import { HeldBody } from "../../host/http/heldbodies.js";
import { HTTPServer, type HTTPServerRequest, type Logger, WebSocketHandler } from "../../host/index.js";
import { runtimeNamed, type Worker, type WorkerEvents } from "../../host/runtime/index.js";
import type { Random } from "./random.js";
import { Exited, ScriptedWasi } from "./scriptedwasi.js";
import { SimClient } from "./simclient.js";
import { SimClock } from "./simclock.js";

const CLIENTS_MAX = 6;
const STEPS_MAX = 30_000;
const GRACE_MS = 2000;
/** What all bodies together may have where there is little memory: less than most large bodies have. */
const LITTLE_BYTES = 5_000;

const clock = new SimClock();
const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A worker process: the module, its end of the link, and the connections that it has. */
class SimWorker implements Worker, Channel {
  readonly wasi: ScriptedWasi;
  alive = true;
  /** Why it is about to end: undefined while it is not. */
  #end: Error | null | undefined;
  #writer: FrameWriter | null = null;
  #offered = 0;
  #heard = Buffer.alloc(0);

  constructor(
    module: WebAssembly.Module,
    random: Random,
    readonly events: WorkerEvents,
  ) {
    this.wasi = new ScriptedWasi(module, random);
  }

  schedule(): void {
    setImmediate(() => {
      if (this.alive) this.events.gather();
    });
  }

  send(writer: FrameWriter): void {
    this.#writer = writer;
    this.#offered = writer.waiting;
  }

  peer(): null {
    return null;
  }

  finish(): void {}

  kill(): void {
    this.#end ??= new Error("it was killed");
  }

  /** One step: a turn of the module, or frames that move, all or a part of them; or its end. */
  step(random: Random, all: boolean): void {
    if (this.#end !== undefined) return this.#over(this.#end);
    if (all || random.once(2)) this.#turn();
    if (!this.alive || this.#end !== undefined) return;
    this.#heard = Buffer.concat([this.#heard, this.wasi.hear()]);
    const size = all || random.once(2) ? this.#heard.length : random.below(this.#heard.length + 1);
    const chunk = Buffer.from(this.#heard.subarray(0, size));
    this.#heard = this.#heard.subarray(size);
    if (size > 0) this.events.receive(chunk);
    const told = Buffer.alloc(all || random.once(2) ? this.#offered : random.below(this.#offered + 1));
    this.#writer?.copyTo(told, 0, told.length);
    this.#offered -= told.length;
    if (told.length > 0) this.wasi.tell(told);
  }

  #turn(): void {
    try {
      if (this.wasi.turn() < 0) this.#end = null;
    } catch (error) {
      if (!(error instanceof Exited) || error.status !== 0) throw error;
      this.#end = null;
    }
    // What it has written before its end is in the pipe, and is read before the end is seen.
    if (this.#end === null) this.#heard = Buffer.concat([this.#heard, this.wasi.hear()]);
    if (this.#end === null && this.#heard.length > 0) this.events.receive(Buffer.from(this.#heard));
  }

  #over(error: Error | null): void {
    this.alive = false;
    for (const wire of this.wasi.wires.values()) wire.reset();
    this.events.ended(error);
  }
}

export class ServerSimulation {
  readonly name = "server, supervisor and workers";
  connections = 0;
  answers = 0;
  /** Workers that were killed. */
  kills = 0;
  /** Clients that stayed, and lost their connection with their worker. */
  lost = 0;
  /** Messages that came back over websockets, and requests that were answered with 413 or 503. */
  messages = 0;
  shed = 0;
  readonly #module: WebAssembly.Module;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** One server from its start to its stop. Throws what went wrong. */
  async run(random: Random): Promise<void> {
    const runtime = runtimeNamed("wasmtime");
    const { start, prepare } = runtime;
    const episode = new Episode(random);
    clock.install();
    try {
      runtime.prepare = async () => {};
      runtime.start = (_module, _sockets, events) => episode.started(new SimWorker(this.#module, random, events));
      await episode.play();
    } finally {
      Object.assign(runtime, { start, prepare });
      clock.uninstall();
    }
    this.connections += episode.clients.length;
    this.answers += episode.clients.reduce((sum, { seen }) => sum + seen, 0);
    this.kills += episode.kills;
    this.lost += episode.lost;
    for (const { isSocket, seen, shed } of episode.clients) {
      if (isSocket) this.messages += seen;
      this.shed += shed;
    }
  }
}

class Episode {
  readonly clients: SimClient<SimWorker>[] = [];
  kills = 0;
  lost = 0;
  readonly #random: Random;
  readonly #server: HTTPServer;
  readonly #workers: SimWorker[] = [];
  /** Connections that wait in the kernel. */
  #waiting: SimClient<SimWorker>[] = [];
  /** Requests whose handler has begun, and the ones among them that it has not answered. */
  readonly #begun = new Set<string>();
  readonly #open = new Set<string>();
  /** Websockets that are open to their handlers. */
  #sockets = 0;
  /** Losses that were logged. */
  #reported = 0;
  /** No worker is killed. */
  readonly #tamed: boolean;
  #hasStarted = false;

  constructor(random: Random) {
    this.#random = random;
    this.#tamed = random.once(4);
    const note = (text: object | string): void => {
      const lost = /lost with it: .*?(\d+) requests?/.exec(String(text))?.[1];
      this.#reported += Number(lost ?? 0);
    };
    const logger: Logger = { debug() {}, info() {}, warn() {}, error: note };
    const bodiesBytesMax = random.once(4) ? LITTLE_BYTES : undefined;
    const options = { runtime: "wasmtime", workers: 1 + random.below(3), logger, bodiesBytesMax } as const;
    this.#server = new HTTPServer((request) => this.#answer(request), options);
  }

  started(worker: SimWorker): SimWorker {
    this.#workers.push(worker);
    return worker;
  }

  async play(): Promise<void> {
    const random = this.#random;
    const socket: ListeningSocket = {
      address: { address: "127.0.0.1", port: 1, family: "IPv4" },
      runtime: "wasmtime",
      accept: () => null,
      close() {},
    };
    await this.#until(this.#server.addSockets([socket]), "start", false);
    this.#hasStarted = true;
    for (let id = 1 + random.below(CLIENTS_MAX); id > 0; id--) this.clients.push(new SimClient<SimWorker>(id, random));
    this.#waiting.push(...this.clients);
    for (let steps = 0; this.clients.some(({ done }) => !done); steps++) {
      if (steps > STEPS_MAX) throw new Error("clients get neither an answer nor a close");
      random.pick(this.clients.filter(({ done }) => !done)).step(random);
      await this.#step(false);
    }
    await this.#checkEmpty();
    await this.#until(this.#server.stop(GRACE_MS), "stop", true);
    for (const client of this.clients) this.#checkClient(client);
    if (this.#open.size > 0) throw new Error(`handlers do not end: ${[...this.#open]}`);
    checkMemory();
  }

  /** Anything may happen, but no client acts. `all`: nothing is held back, and nothing is killed. */
  async #step(all: boolean): Promise<void> {
    const random = this.#random;
    const alive = this.#workers.filter((worker) => worker.alive);
    if (alive.length > 0) {
      for (const client of this.#waiting.splice(0)) {
        client.worker = random.pick(alive);
        client.worker.wasi.queue.push(client.wire);
      }
    }
    // A worker that ends before it has served once is no accident: the start fails.
    if (!all && !this.#tamed && this.#hasStarted && alive.length > 0 && random.once(60)) {
      this.kills++;
      random.pick(alive).kill();
    }
    for (const worker of alive) if (all || !random.once(3)) this.#stepWorker(worker, all);
    const ms = all ? 50 : random.once(3) ? random.below(20) : 0;
    clock.advance(ms);
    for (const worker of alive) worker.wasi.pass(ms);
    if (all || random.once(2)) await turnOfLoop();
  }

  #stepWorker(worker: SimWorker, all: boolean): void {
    const open = this.clients.filter((client) => client.worker === worker);
    const there = open.filter(({ done }) => !done); // others have left, and took their requests back
    const inFlight = there.flatMap(({ id }) => [...this.#open].filter((mark) => mark.startsWith(`((${id}.`)));
    const before = this.#reported;
    worker.step(this.#random, all);
    if (worker.alive) return;
    // The kernel keeps connections that were not accepted for the workers that are left.
    for (const wire of worker.wasi.queue.splice(0)) {
      const client = open.find((each) => each.wire === wire) as SimClient<SimWorker>;
      client.worker = null;
      this.#waiting.push(client);
    }
    const reported = this.#reported - before;
    if (reported < inFlight.length) throw new Error(`${inFlight.length} requests were lost, ${reported} reported`);
  }

  /** Steps until `promise` is settled. */
  async #until(promise: Promise<unknown>, what: string, all: boolean): Promise<void> {
    let isOver = false;
    const over = promise.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    for (let steps = 0; !isOver; steps++) {
      if (steps > STEPS_MAX) throw new Error(`it does not ${what}`);
      await this.#step(all || steps > 100);
      await turnOfLoop();
    }
    await over;
  }

  /** The clients are gone: workers are replaced, and have forgotten the clients. */
  async #checkEmpty(): Promise<void> {
    for (let steps = 0; ; steps++) {
      await this.#step(true);
      const { workersServing } = this.#server;
      const alive = this.#workers.filter((worker) => worker.alive);
      const wires = alive.reduce((sum, { wasi }) => sum + wasi.wires.size + wasi.queue.length, 0);
      if (workersServing === this.#server.options.workers && wires === 0 && this.#open.size + this.#sockets === 0) {
        return;
      }
      if (steps > STEPS_MAX) {
        const left = `${wires} connections, ${this.#sockets} websockets, handlers of ${[...this.#open]} are left`;
        throw new Error(`${workersServing} workers, ${left}`);
      }
    }
  }

  #checkClient({ id, leaves, seen, shed, count, worker }: SimClient<SimWorker>): void {
    if (leaves || shed > 0 || seen === count) return;
    if (worker?.alive !== false || this.kills === 0) throw new Error(`client ${id} got ${seen} of ${count} answers`);
    this.lost++;
  }

  /** Throws what no test sees: the client then misses its answer. */
  #begin(mark: string): void {
    if (this.#begun.has(mark)) throw new Error(`${mark} reached a handler twice`);
    this.#begun.add(mark);
  }

  /** Each message comes back as it was. */
  #openSocket(request: HTTPServerRequest): void {
    const episode = this;
    class Echo extends WebSocketHandler {
      override open(): void {
        episode.#sockets++;
      }
      override onMessage(message: string): Promise<void> {
        episode.#begin(message.slice(message.indexOf("((")));
        return this.writeMessage(message);
      }
      override onClose(): void {
        episode.#sockets--;
      }
    }
    Echo.serve(request);
  }

  async #answer(request: HTTPServerRequest): Promise<void> {
    if (request.isWebSocket) return this.#openSocket(request);
    const random = this.#random;
    const mark = request.target.slice(1);
    this.#begin(mark);
    this.#open.add(mark);
    try {
      for (let i = random.pick([0, 0, 1, 8]); i > 0; i--) await turnOfLoop();
      if (random.once(3)) await request.readBody();
      if (random.once(2)) return request.respond(200, {}, mark);
      const { connection } = request;
      connection.writeHeaders(200, {});
      for (let i = random.below(4); i > 0; i--) await connection.write(Buffer.alloc(random.below(20_000), "b"));
      await connection.write(mark);
      connection.finish();
    } finally {
      this.#open.delete(mark);
    }
  }
}

/** Nothing is held of bodies that handlers have read, and of what clients have not taken. */
function checkMemory(): void {
  const one = new HeldBody(1);
  one.hold(1); // throws when anything is
  one.end();
  const all = memoryShare(WRITES_HELD_SHARE, WRITES_HELD_BYTES_MAX);
  if (isTooMuchToHold(all, 0, all)) throw new Error("memory is held for answers of connections that are gone");
}
