// A process of Node below the command that is none: it loads a version of the application, serves it with the host's own
// server, and tells its parent what serve.ts tells. Messages between the two are on their way for a while.
//
// Invariant: what it has sent before its end arrives before its end is seen, as from a pipe, unless it was killed.
import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";

import type { Plan, WorkerMessage } from "../../host/cli/run/plan.js";
import type { HTTPServer } from "../../host/index.js";
import type { Random } from "./random.js";
import { SimListener } from "./simlistener.js";
import { beginRelay } from "./simrelay.js";
import { clock, type Part, type World } from "./simworld.js";

const FROZEN_MS_MAX = 5000;

/** What a file holds that the command serves. */
export interface Version {
  readonly number: number;
  readonly fails: boolean;
  readonly loadMs: number;
}

let pids = 1000;

export class SimNode extends EventEmitter implements Part {
  readonly pid = pids++;
  readonly version: Version;
  connected = true;
  serves = false;
  #server: HTTPServer | null = null;
  readonly #plan: Plan;
  readonly #world: World;
  readonly #listener: SimListener;
  readonly #isRelayed: boolean;
  readonly #loadedMs: number;
  #isLoaded = false;
  #frozenUntilMs = 0;
  readonly #out: WorkerMessage[] = [];
  readonly #in: object[] = [];
  #asked = false;
  #lost: readonly string[] = [];
  #end: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null = null;

  constructor(world: World, version: Version, plan: Plan) {
    super();
    this.#world = world;
    this.version = version;
    this.#plan = plan;
    this.#isRelayed = plan.tls;
    this.#listener = new SimListener(world.queue);
    this.#loadedMs = clock.nowMs + version.loadMs;
    world.parts.add(this);
  }

  get process(): ChildProcess {
    return this as unknown as ChildProcess;
  }

  // --- what its parent does ---

  send(value: object): boolean {
    if (this.connected) this.#in.push(value);
    return this.connected;
  }

  kill(signal: NodeJS.Signals): boolean {
    if (this.#end !== null) return false;
    if (signal === "SIGKILL" || this.#server === null || this.#asked) {
      this.#die(signal);
      return true;
    }
    this.#asked = true;
    this.#finish(this.#server.stop());
    return true;
  }

  // --- accidents ---

  crash(): void {
    if (this.#end === null) this.#die("SIGKILL");
  }

  freeze(random: Random): void {
    this.#frozenUntilMs = clock.nowMs + random.below(FROZEN_MS_MAX);
    for (const worker of this.#listener.workers) worker.frozenUntilMs = this.#frozenUntilMs;
  }

  // --- its life ---

  step(random: Random, all: boolean): void {
    if (this.#end === null && this.#frozenUntilMs > clock.nowMs && !all) return;
    if (all || random.once(2)) for (const message of this.#out.splice(0)) this.emit("message", message);
    if (this.#end !== null) return this.#over();
    if (this.#server !== null && (all || random.once(2))) for (const message of this.#in.splice(0)) this.#take(message);
    if (!this.#isLoaded && clock.nowMs >= this.#loadedMs) this.#load();
  }

  #load(): void {
    this.#isLoaded = true;
    if (this.version.fails) return this.#exit(1);
    this.#tell({ plan: this.#plan });
    const { workers } = this.#plan;
    const server = this.#world.server({ runtime: "wasmtime", workers }, this.version.number);
    if (this.#isRelayed) beginRelay(server);
    this.#server = server;
    server.addSockets([this.#listener]).then(
      () => {
        this.serves = this.#end === null;
        const { runtime } = this.#plan;
        this.#tell({ serving: { url: "http://127.0.0.1:1/", runtime, workers, address: "127.0.0.1", port: 1 } });
      },
      () => this.#exit(1),
    );
  }

  #take(message: object): void {
    const server = this.#server as HTTPServer;
    if ("retire" in message) this.#finish(server.retire(() => this.#tell({ quiet: true })));
    if (!("reportAsked" in message)) return;
    const { reportAsked } = message;
    void server.report().then((report) => this.#tell({ reportAsked, report } as WorkerMessage));
  }

  #finish(ended: Promise<void>): void {
    this.#world.retiring = true;
    ended.then(
      () => this.#exit(0),
      () => this.#exit(1),
    );
  }

  #tell(message: WorkerMessage): void {
    if (this.#end === null) this.#out.push(message);
  }

  #exit(code: number): void {
    this.#end ??= { code, signal: null };
  }

  /** Its memory is gone; here it has to be given back, which nobody hears of. */
  #die(signal: NodeJS.Signals): void {
    this.#end = { code: null, signal };
    this.#out.length = 0;
    if (this.#server !== null) this.#lost = this.#world.bury(this.#server, this.#listener);
  }

  #over(): void {
    this.connected = false;
    this.serves = false;
    this.#world.parts.delete(this);
    const { lines } = this.#world;
    const before = lines.length;
    this.emit("exit", this.#end?.code, this.#end?.signal);
    const isTold = lines.slice(before).some((line) => /worker process \d+ has ended/.test(line));
    if (this.#lost.length > 0 && !isTold)
      this.#world.fail(`nothing is said of a process that took ${this.#lost} along`);
  }
}
