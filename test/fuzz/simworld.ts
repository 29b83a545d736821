// What all simulated servers have in common: clients, the connections between them and workers, a handler that counts,
// a clock, and accidents between any two steps.
//
// Invariants tested: a request, and a message of a websocket, reaches one handler, once; a client that stays gets each
// answer once and in order, or an accident has taken its connection; a request that a worker takes along is in its loss
// that is logged; what is held of bodies and answers is nothing, once the clients are gone.
import { isTooMuchToHold } from "../../host/core/heldwrites.js";
import { WRITES_HELD_BYTES_MAX } from "../../host/core/limits.js";
import { memoryShare, WRITES_HELD_SHARE } from "../../host/core/memorybudget.js";
import { HeldBody } from "../../host/http/heldbodies.js";
import { HTTPServer, type HTTPServerRequest, type Logger, WebSocketHandler } from "../../host/index.js";
import type { WorkerEvents } from "../../host/runtime/index.js";
import { ChildWorker } from "../../host/runtime/wasmtime/childworker.js";
import type { ServerOptions } from "../../host/server/options.js";
import type { Random } from "./random.js";
import { SimClient } from "./simclient.js";
import { SimClock } from "./simclock.js";
import type { SimListener } from "./simlistener.js";
import { SimWorker } from "./simworker.js";
import type { Wire } from "./wire.js";

const CLIENTS_MAX = 6;
export const STEPS_MAX = 30_000;
const LEFT_STEPS = 500;
const RECONNECTS_MAX = 40;
const FROZEN_MS_MAX = 3000;
/** What all bodies together may have where there is little memory: less than most large bodies have. */
const LITTLE_BYTES = 5_000;

export const clock = new SimClock();
export const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What else there is, beside workers and clients. */
export interface Part {
  step(random: Random, all: boolean): void;
}

export class World {
  readonly clients: SimClient[] = [];
  readonly workers = new Set<SimWorker>();
  readonly parts = new Set<Part>();
  /** The connections that wait in the kernel. */
  readonly queue: Wire[] = [];
  /** Whose connection it is, of those that a relay has opened, too. */
  readonly owners = new WeakMap<Wire, SimClient>();
  /** Accidents. */
  kills = 0;
  frozen = 0;
  /** Clients that stayed and lost their connection by an accident; connections that were begun again. */
  lost = 0;
  reconnects = 0;
  /** Websockets that are open to their handlers. */
  sockets = 0;
  /** No accident happens. */
  readonly isTame: boolean;
  /** From then on accidents happen: one before that is no accident, the start fails. */
  hasStarted = false;
  /** New connections get this version of the application, or a later one. */
  leastVersion = 0;
  /** Servers end while there are clients. */
  retiring = false;
  /** Lines that the servers have logged. */
  readonly lines: string[] = [];
  /** Requests whose handler has begun, and the ones among them that it has not answered. */
  readonly #begun = new Set<string>();
  readonly #open = new Set<string>();
  /** Losses that were logged. */
  #reported = 0;
  readonly #failures: Error[] = [];
  readonly #module: WebAssembly.Module;

  constructor(
    module: WebAssembly.Module,
    readonly random: Random,
  ) {
    this.#module = module;
    this.isTame = random.once(4);
  }

  /** How many requests handlers have begun and not answered. */
  get open(): number {
    return this.#open.size;
  }

  /** A server of a version of the application. */
  server(options: ServerOptions, version = 0): HTTPServer {
    const note = (text: object | string): void => {
      this.lines.push(String(text));
      this.#reported += Number(/lost with it: .*?(\d+) requests?/.exec(String(text))?.[1] ?? 0);
    };
    const logger: Logger = { debug() {}, info() {}, warn: note, error: note };
    const bodiesBytesMax = this.random.once(4) ? LITTLE_BYTES : undefined;
    return new HTTPServer((request) => this.#answer(request, version), { bodiesBytesMax, ...options, logger });
  }

  /** A worker that accepts from `listener`. */
  worker({ queue, workers }: SimListener, events: WorkerEvents): ChildWorker {
    const worker = new SimWorker(this.#module, this.random, queue);
    this.workers.add(worker);
    workers.add(worker);
    let before = 0;
    let inFlight: string[] = [];
    worker.once("over", () => {
      if (worker.isKilled) for (const wire of worker.wasi.wires.values()) this.lose(wire);
    });
    worker.once("ending", () => {
      before = this.#reported;
      inFlight = this.#inFlightOf(worker);
    });
    const child = new ChildWorker(worker.process, events);
    worker.once("closed", () => {
      this.workers.delete(worker);
      workers.delete(worker);
      const told = this.#reported - before;
      if (told < inFlight.length && !worker.isBuried)
        this.fail(`${inFlight.length} requests were lost, ${told} reported: ${inFlight}`);
    });
    return child;
  }

  #inFlightOf({ wasi }: SimWorker): string[] {
    const there = [...wasi.wires.values()]
      .map((wire) => this.owners.get(wire))
      .filter((client) => client?.done === false);
    return there.flatMap((client) => [...this.#open].filter((mark) => mark.startsWith(`((${client?.id}.`)));
  }

  /**
   * An accident takes a process, and all that it has accepted. Its memory would be gone; here `server` gives it back, of
   * which nobody hears. Returns the requests that are lost.
   */
  bury(server: HTTPServer, { workers, accepted }: SimListener): string[] {
    const lost = [...workers].flatMap((worker) => this.#inFlightOf(worker));
    for (const worker of workers) worker.bury();
    for (const wire of accepted) {
      this.lose(wire);
      wire.reset();
    }
    void server.stop(0);
    return lost;
  }

  /** An accident takes a connection. */
  lose(wire: Wire): void {
    const client = this.owners.get(wire);
    if (client !== undefined && !client.done) client.isLost = true;
  }

  /** What is thrown at the next step: an error within a callback of the host's would be the host's. */
  fail(text: string): void {
    this.#failures.push(new Error(text));
  }

  admit(): void {
    for (let id = 1 + this.random.below(CLIENTS_MAX); id > 0; id--) {
      const client = new SimClient(id, this.random);
      this.clients.push(client);
      this.connect(client);
    }
  }

  connect(client: SimClient): void {
    client.leastVersion = this.leastVersion;
    this.owners.set(client.wire, client);
    this.queue.push(client.wire);
  }

  /** Clients act until all are done; between two steps comes `between`. */
  async play(between: () => void): Promise<void> {
    const { random } = this;
    for (let steps = 0; this.clients.some(({ done }) => !done); steps++) {
      if (steps > STEPS_MAX) throw new Error("clients get neither an answer nor a close");
      this.#stepClient(random.pick(this.clients.filter(({ done }) => !done)));
      between();
      await this.step(false);
    }
  }

  #stepClient(client: SimClient): void {
    if (client.step(this.random)) return;
    if (client.isLost) this.lost++;
    else if (client.leaves || client.shed > 0 || client.isSocket || client.seen === client.count) return;
    else if (this.#begun.has(client.next)) throw new Error(`${client.next} has begun, and has no answer`);
    else if (this.reconnects++ > RECONNECTS_MAX) throw new Error(`client ${client.id} is closed again and again`);
    else {
      client.begin();
      client.done = false;
      this.connect(client);
    }
  }

  /** Anything may happen, but no client acts. `all`: nothing is held back, and no accident happens. */
  async step(all: boolean): Promise<void> {
    const { random } = this;
    const workers = [...this.workers];
    if (!all && !this.isTame && this.hasStarted && workers.length > 0) this.#accident(random.pick(workers));
    for (const worker of workers) {
      if (all || worker.frozenUntilMs <= clock.nowMs) if (all || !random.once(3)) worker.step(random, all);
    }
    for (const part of [...this.parts]) part.step(random, all);
    const ms = all ? 50 : random.once(3) ? random.below(20) : 0;
    clock.advance(ms);
    for (const worker of workers) worker.wasi.pass(ms);
    if (all || random.once(2)) await turnOfLoop();
    const [failure] = this.#failures;
    if (failure !== undefined) throw failure;
  }

  #accident(worker: SimWorker): void {
    const { random } = this;
    if (random.once(60)) {
      this.kills++;
      worker.crash();
    } else if (random.once(200)) {
      this.frozen++;
      worker.frozenUntilMs = clock.nowMs + random.below(FROZEN_MS_MAX);
    }
  }

  /** Steps until `promise` is settled. */
  async until<Value>(promise: Promise<Value>, what: string, all: boolean): Promise<Value> {
    let isOver = false;
    const over = promise.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    for (let steps = 0; !isOver; steps++) {
      if (steps > STEPS_MAX) throw new Error(`it does not ${what}`);
      await this.step(all || steps > 100);
      await turnOfLoop();
    }
    return over;
  }

  /** The clients are gone: steps until nothing of them is left, and `isQuiet`. `state` describes what is. */
  async settle(isQuiet: () => boolean, state: () => string): Promise<void> {
    for (let steps = 0; ; steps++) {
      await this.step(true);
      await turnOfLoop();
      const wires = [...this.workers].reduce((sum, { wasi }) => sum + wasi.wires.size, this.queue.length);
      if (isQuiet() && wires === 0 && this.#open.size + this.sockets === 0) return;
      if (steps > STEPS_MAX) {
        throw new Error(`${state()}, ${wires} connections, ${this.sockets} websockets, ${[...this.#open]} are left`);
      }
    }
  }

  /** The server has stopped. */
  async check(): Promise<void> {
    // What waits for something that is gone may wait for as long as it would have.
    for (let steps = 0; clock.waiting.length > 0 && steps < LEFT_STEPS; steps++) await this.step(true);

    for (const { id, leaves, seen, shed, count, isLost, isSocket } of this.clients) {
      if (leaves || shed > 0 || seen === count || isLost || (isSocket && (this.retiring || this.kills > 0))) continue;
      throw new Error(`client ${id} got ${seen} of ${count} answers`);
    }
    if (this.#open.size > 0) throw new Error(`handlers do not end: ${[...this.#open]}`);
    if (this.workers.size > 0) throw new Error(`${this.workers.size} workers do not end`);
    checkMemory();
    if (clock.waiting.length > 0) throw new Error(`timers are left: ${clock.waiting}`);
  }

  // --- the application ---

  /** Throws what no test sees: the client then misses its answer. */
  #begin(mark: string): void {
    if (this.#begun.has(mark)) {
      this.fail(`${mark} reached a handler twice`);
      throw new Error("twice");
    }
    this.#begun.add(mark);
  }

  /** Each message comes back as it was. */
  #openSocket(request: HTTPServerRequest): void {
    const world = this;
    class Echo extends WebSocketHandler {
      override open(): void {
        world.sockets++;
      }
      override onMessage(message: string): Promise<void> {
        world.#begin(message.slice(message.indexOf("((")));
        return this.writeMessage(message);
      }
      override onClose(): void {
        world.sockets--;
      }
    }
    Echo.serve(request);
  }

  async #answer(request: HTTPServerRequest, version: number): Promise<void> {
    if (request.isWebSocket) return this.#openSocket(request);
    const { random } = this;
    const mark = request.target.slice(1);
    this.#begin(mark);
    const least = this.clients.find(({ id }) => mark.startsWith(`((${id}.`))?.leastVersion ?? 0;
    if (version < least) this.fail(`${mark} came to version ${version}, after ${least} served`);
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
