// The command `waterspout run --reloadable` in one process, from one seed: the host's own RollingRestart, ProcessGroup,
// InspectedGroup and ServiceManager above processes of Node that are none (simnode.ts), each with the host's own server,
// supervisor and workers. New versions come, load, fail to load, take long; a reload comes during another one; processes
// and workers are killed and stand still at any step.
//
// Invariants tested: those of simworld.ts; every reload has one outcome; from the success of one on, new connections
// get that version; a version that loads is served in the end, by as many processes as there should be, and all others
// have ended; systemd hears that it is ready, and not only that it loads; the command ends with 0, and nothing is left.
import childProcess from "node:child_process";
import { EventEmitter } from "node:events";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

import type { Plan } from "../../host/cli/run/plan.js";
import { RollingRestart } from "../../host/cli/run/rollingrestart.js";
import { ServiceManager } from "../../host/cli/run/servicemanager.js";
import type { RunSettings } from "../../host/cli/run/settings.js";
import type { Random } from "./random.js";
import { SimNode, type Version } from "./simnode.js";
import { inside } from "./simulation.js";
import { clock, World } from "./simworld.js";

const RELOADS_MAX = 5;
const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;
const WATCHDOG_USEC = "4000000";
const UID = process.getuid?.() ?? 0;
/** Where a `waterspout reload` waits: it always does. */
const OUTCOMES = "/tmp/waterspout-";
const FOLDER = { isDirectory: () => true, uid: UID, mode: 0o700 };
const QUIET_MS_MAX = 60_000;

export class ReloadSimulation {
  readonly name = "rolling reloads";
  connections = 0;
  answers = 0;
  kills = 0;
  lost = 0;
  reconnects = 0;
  /** Reloads that were asked for, and those that did not come to serve. */
  reloads = 0;
  failures = 0;
  readonly #module: WebAssembly.Module;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** One command from its start to its stop. Throws what went wrong. */
  async run(random: Random): Promise<void> {
    const world = new World(this.#module, random);
    const command = new Command(world);
    await inside(world, () => command.play());
    this.connections += world.clients.length;
    for (const { seen } of world.clients) this.answers += seen;
    this.kills += world.kills;
    this.lost += world.lost;
    this.reconnects += world.reconnects;
    this.reloads += command.outcomes.length;
    this.failures += command.outcomes.filter((outcome) => outcome !== null).length;
  }
}

class Command {
  /** What was said of each reload: null, or why the version does not serve. */
  readonly outcomes: (string | null)[] = [];
  readonly #world: World;
  readonly #plan: Plan;
  readonly #nodes = new Set<SimNode>();
  /** What systemd has heard. */
  readonly #told: string[] = [];
  readonly #handlers = new Map<string, () => void>();
  #version: Version = { number: 1, fails: false, loadMs: 0 };
  #asked = 0;
  #hasAnnounced = false;

  constructor(world: World) {
    this.#world = world;
    const workers = 1 + world.random.below(2);
    const place = { port: 1, address: "127.0.0.1", runtime: "wasmtime" } as const;
    this.#plan = { ...place, workers, autoreload: false, tls: world.random.once(4), inspect: null };
  }

  async play(): Promise<void> {
    const { spawn } = childProcess;
    const { connect } = net;
    const { lstatSync } = fs;
    const { write } = process.stdout;
    const errors = process.stderr.write;
    const before = new Map(SIGNALS.map((name) => [name, process.listeners(name)]));
    try {
      Object.assign(childProcess, { spawn: (file: string, args: string[]) => this.#spawn(file, args) });
      Object.assign(net, {
        connect: (path: string) => new OutcomeSocket(path, (outcome) => this.#takeOutcome(outcome)),
      });
      Object.assign(fs, { lstatSync: (path: string) => (path.startsWith(OUTCOMES) ? FOLDER : lstatSync(path)) });
      syncBuiltinESMExports();
      process.stdout.write = () => (this.#hasAnnounced = true);
      process.stderr.write = (text: string | Uint8Array) => this.#world.lines.push(String(text)) > 0;
      await this.#play();
    } finally {
      Object.assign(childProcess, { spawn });
      Object.assign(net, { connect });
      Object.assign(fs, { lstatSync });
      syncBuiltinESMExports();
      process.stdout.write = write;
      process.stderr.write = errors;
      for (const name of SIGNALS) {
        for (const each of process.listeners(name))
          if (!before.get(name)?.includes(each)) process.off(name, each as () => void);
      }
    }
  }

  async #play(): Promise<void> {
    const world = this.#world;
    const settings = { file: "app.ts", settingsPath: "waterspout.json", isPlaceFixed: true } as RunSettings;
    const command = new RollingRestart(settings, this.#plan, false, this.#manager());
    const before = new Map(SIGNALS.map((name) => [name, process.listeners(name)]));
    const status = command.run();
    for (const name of SIGNALS) {
      const added = process.listeners(name).find((each) => !before.get(name)?.includes(each));
      this.#handlers.set(name, added as () => void);
    }
    await world.until(this.#began(), "start", false);
    world.hasStarted = true;
    world.admit();
    await world.play(() => this.#between());
    await this.#settle();
    this.#handlers.get("SIGTERM")?.();
    const ended = await world.until(status, "stop", true);
    if (ended !== 0) throw new Error(`it ended with status ${ended}`);
    if (this.#nodes.size > 0) throw new Error(`${this.#nodes.size} processes are left`);
    await world.check();
  }

  /** systemd waits for messages, now and then. */
  #manager(): ServiceManager {
    const isWatched = this.#world.random.once(2);
    if (isWatched) Object.assign(process.env, { NOTIFY_SOCKET: "none", WATCHDOG_USEC });
    return new ServiceManager();
  }

  #spawn(file: string, args: readonly string[]): EventEmitter {
    if (file === "systemd-notify") return new Notification(() => this.#told.push(args[0] as string));
    const node = new SimNode(this.#world, this.#version, this.#plan);
    this.#nodes.add(node);
    node.once("exit", () => this.#nodes.delete(node));
    return node;
  }

  #takeOutcome(outcome: string | null): void {
    this.outcomes.push(outcome);
    if (this.outcomes.length > this.#asked) this.#world.fail("an outcome that was not asked for");
    if (outcome === null) this.#world.leastVersion = Math.max(this.#world.leastVersion, this.#confirmed());
  }

  /** The version that serves when a reload has just succeeded: no process of an older one accepts. */
  #confirmed(): number {
    return Math.min(...[...this.#nodes].filter(({ serves }) => serves).map(({ version }) => version.number));
  }

  /** A reload, or an accident. */
  #between(): void {
    const { random, isTame } = this.#world;
    if (random.once(30) && this.#asked < RELOADS_MAX)
      this.#reload({ fails: random.once(4), loadMs: random.pick([0, 20, 300]) });
    const node = random.pick([...this.#nodes, null]);
    if (node === null || isTame) return;
    if (random.once(60)) {
      this.#world.kills++;
      node.crash();
    } else if (random.once(200)) node.freeze(random);
  }

  #reload({ fails, loadMs }: Omit<Version, "number">): void {
    this.#asked++;
    this.#version = { number: this.#version.number + 1, fails, loadMs };
    this.#handlers.get("SIGHUP")?.();
  }

  /** The clients are gone, and accidents are over: the next version is served, and it alone. */
  async #settle(): Promise<void> {
    const world = this.#world;
    this.#reload({ fails: false, loadMs: 20 });
    const { number } = this.#version;
    const isQuiet = () => this.outcomes.length === this.#asked && this.#serving(number) && this.#nodes.size === 1;
    const state = () => {
      const nodes = [...this.#nodes].map(({ version, serves }) => `${version.number}${serves ? " serves" : ""}`);
      return `version ${number}, ${this.outcomes.length} of ${this.#asked} outcomes, processes of version ${nodes}`;
    };
    await world.settle(isQuiet, state);
    if (this.outcomes.at(-1) !== null) throw new Error(`the last reload has failed: ${this.outcomes.at(-1)}`);
    const last = this.#told.filter((line) => line !== "WATCHDOG=1").at(-1);
    if (last !== undefined && last !== "READY=1") throw new Error(`systemd heard ${last} last`);
  }

  #serving(number: number): boolean {
    return [...this.#nodes].some(({ version, serves }) => serves && version.number === number);
  }

  async #began(): Promise<void> {
    const endMs = clock.nowMs + QUIET_MS_MAX;
    while (!this.#hasAnnounced) {
      if (clock.nowMs > endMs) throw new Error("it does not serve");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** A process of systemd-notify. */
class Notification extends EventEmitter {
  constructor(told: () => void) {
    super();
    setImmediate(() => {
      told();
      this.emit("close", 0);
    });
  }

  unref(): void {}
}

/** The socket of a `waterspout reload` that waits. */
class OutcomeSocket extends EventEmitter {
  constructor(
    readonly path: string,
    readonly heard: (outcome: string | null) => void,
  ) {
    super();
  }

  end(text: string): void {
    if (this.path.startsWith(`${OUTCOMES}${UID}/`))
      this.heard((JSON.parse(text) as { failure: string | null }).failure);
  }
}
