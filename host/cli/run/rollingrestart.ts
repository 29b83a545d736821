/**
 * A rolling restart: this process holds the listening sockets, and generations of child processes serve them, one after
 * the other. SIGHUP starts a new one; with `--watch`, so does a change of a file.
 *
 * Invariants: a generation ends once the next one serves, and not before; a new one that fails leaves the current one
 * as it is. Connections wait in the sockets meanwhile, so none is lost. A generation finishes its requests; after a
 * reload it also answers one more request of each connection that is idle.
 */

import { dirname, relative, resolve } from "node:path";
import type { ListeningSocket } from "../../core/address.js";
import { RESTARTS_MAX, RETIRED_MAX, STOP_GRACE_MS } from "../../core/limits.js";
import { oneLine } from "../../core/log.js";
import { isMemoryShort } from "../../core/memorybudget.js";
import { type Deferred, deferred, within } from "../../core/promises.js";
import { InspectedGroup } from "../../inspect/group.js";
import { bindSockets } from "../../net/bind.js";
import { MODULES_VARIABLE } from "../../nodeinternals/modulereports.js";
import { onSignals } from "../../workers/fork.js";
import { ProcessGroup } from "../../workers/processgroup.js";
import { EXIT_FAILED } from "../exit.js";
import { onHangUp } from "../reload/hangup.js";
import { reportOutcome } from "../reload/outcome.js";
import { announce } from "./announce.js";
import { FileWatcher } from "./filewatcher.js";
import type { Plan, Serving, WorkerMessage } from "./plan.js";
import type { ServiceManager } from "./servicemanager.js";
import type { RunSettings } from "./settings.js";

interface Generation {
  readonly group: ProcessGroup;
  /** Why it was started; null for the first one. */
  readonly cause: Cause | null;
  readonly startedMs: number;
  /** The plan that its first process has sent. */
  plan: Plan | null;
  readonly served: Set<number>;
  /** It ends, since there is a later one. */
  isRetired: boolean;
  /** It was sent a signal to stop: a second one would end it at once. */
  isStopped: boolean;
  /** Those of its processes that accept no more connections, and what waits for all of them. */
  readonly quiet: Set<number>;
  readonly allQuiet: Deferred<void>;
}

/** What has another generation started. */
interface Cause {
  /** The beginning of a line for the user: `part.ts changed`. */
  readonly text: string;
  /** Idle connections of the generation before are not closed: see TO_RETIRE. A change of a file shows at once. */
  readonly keepsIdle: boolean;
  /** It serves (null), or it does not, and why. */
  settle(failure: string | null): void;
}

/** Why a version does not serve. */
const STOPS = "the server stops";

/** Sockets that are bound for a plan. */
interface Held {
  readonly plan: Plan;
  readonly sockets: readonly ListeningSocket[];
}

export class RollingRestart {
  readonly #settings: RunSettings;
  readonly #manager: ServiceManager;
  readonly #done = deferred<number>();
  readonly #guess: Plan;
  #files: FileWatcher | null = null;
  #held: readonly Held[] = [];
  #inspected: InspectedGroup | null = null;
  /** All that run: the one that starts, the one that serves, those that finish their requests. */
  readonly #all = new Set<Generation>();
  #starting: Generation | null = null;
  #current: Generation | null = null;
  #serving: Serving | null = null;
  #stopping = false;
  #status = 0;

  /** `guess`: the plan by the settings alone; the application's own may differ. */
  constructor(settings: RunSettings, guess: Plan, watch: boolean, manager: ServiceManager) {
    this.#settings = settings;
    this.#manager = manager;
    this.#guess = guess;
    if (watch) this.#watch();
  }

  /** Resolves with the exit code when the last child process has ended. */
  async run(): Promise<number> {
    const plan = this.#guess;
    onSignals(
      (name) => this.#stop(name),
      () => this.#kill(),
    );
    onHangUp(
      () => void this.#reload("SIGHUP"),
      () => process.kill(process.pid, "SIGTERM"),
    );
    try {
      await this.#bind(plan);
    } catch (error) {
      if (this.#settings.isPlaceFixed) throw error;
    }
    await this.#inspect(plan);
    this.#start(plan, null);
    return this.#done.promise.finally(() => this.#inspected?.end());
  }

  #watch(): void {
    const { file, settingsPath } = this.#settings;
    process.env[MODULES_VARIABLE] = "1";
    this.#files = new FileWatcher(dirname(resolve(file)), (files) => this.#change(files));
    this.#files.add(resolve(file));
    this.#files.add(resolve(settingsPath));
  }

  async #bind(plan: Plan): Promise<void> {
    const { port, address, runtime } = plan;
    this.#held = [...this.#held, { plan, sockets: await bindSockets(port, address, { runtime }) }];
  }

  /** Starts the admin server for all generations. */
  async #inspect({ inspect, workers }: Plan): Promise<void> {
    if (this.#inspected !== null || (inspect === null && !this.#manager.isWatched)) return;
    const inspected = new InspectedGroup(workers);
    this.#inspected = inspected;
    this.#manager.watch(async (watchdogMs) => {
      const some = await inspected.answers();
      // Where none answers the service manager starts all of them again.
      if (some) for (const { id, ms } of inspected.silent(watchdogMs)) this.#killSilent(id, ms);
      return some;
    });
    await inspected.begin(inspect);
  }

  /** One that hangs has its connections wait, and takes new ones: its successor will serve. */
  #killSilent(id: number, ms: number): void {
    say(`warning: worker process ${id} has not answered for ${ms} ms`);
    this.#current?.group.kill(id);
  }

  // --- a generation's life ---

  #start(plan: Plan, cause: Cause | null): void {
    const count = plan.runtime === "node" ? plan.workers : 1;
    const group = new ProcessGroup({
      count,
      first: 1, // alone, so that an application that fails is reported once
      restartsMax: RESTARTS_MAX,
      sockets: this.#socketsFor(plan)?.sockets ?? [],
      warn: (text) => say(`warning: ${text}`),
      message: (id, value) => this.#take(generation, id, value),
      // Once a process serves, the application works, and another process that died is started again.
      restarts: () => generation === this.#current || generation.served.size > 0,
    });
    const startedMs = performance.now();
    const sets = { served: new Set<number>(), quiet: new Set<number>(), allQuiet: deferred() };
    const generation: Generation = { group, cause, startedMs, plan: null, isRetired: false, isStopped: false, ...sets };
    this.#all.add(generation);
    this.#starting = generation;
    group.ended.then(
      (status) => this.#ended(generation, status),
      (error: Error) => {
        say(oneLine(error.message));
        this.#ended(generation, 1);
      },
    );
  }

  #take(generation: Generation, id: number, value: unknown): void {
    if (this.#files?.takeModules(value) || typeof value !== "object" || value === null) return;
    const { plan, serving, quiet } = value as WorkerMessage;
    if (quiet === true) this.#takeQuiet(generation, id);
    else if (plan !== undefined) generation.plan ??= plan;
    else if (serving !== undefined) this.#takeServing(generation, id, serving);
    else if (generation === this.#current) this.#inspected?.take(id, value);
  }

  #takeQuiet({ group, quiet, allQuiet }: Generation, id: number): void {
    quiet.add(id);
    if (group.live.every((process) => quiet.has(process.id))) allQuiet.resolve();
  }

  #takeServing(generation: Generation, id: number, serving: Serving): void {
    const { group, plan, served } = generation;
    const count = plan?.runtime === "node" ? plan.workers : 1;
    served.add(id);
    if (served.size === 1) group.startRest(count);
    if (served.size === count && generation === this.#starting) this.#promote(generation, serving);
    else if (generation === this.#current) {
      this.#inspected?.take(id, { serving });
      this.#keepSpare(generation);
    }
  }

  /** One is worth its memory where a worker that dies leaves others that serve, and memory is not short. */
  #keepSpare({ group, plan }: Generation): void {
    const count = plan?.runtime === "node" ? plan.workers : 1;
    if (count > 1 && this.#files === null && !isMemoryShort(count + 1)) group.keepSpare();
  }

  /** Makes a generation current, all of whose processes serve, and stops the previous one. */
  #promote(generation: Generation, serving: Serving): void {
    const before = this.#current;
    this.#starting = null;
    this.#current = generation;
    this.#inspected?.watch(generation.group);
    for (const id of generation.served) this.#inspected?.take(id, { serving });
    if (this.#files !== null) this.#files.expectsNewFiles = false;
    if (before !== null) this.#retire(before, generation.cause?.keepsIdle === true);
    this.#letGo(generation);
    this.#keepSpare(generation);
    if (this.#serving === null) announce(serving, this.#settings);
    else this.#sayRestarted(generation, serving);
    this.#manager.ready(serving.url);
    this.#serving = serving;
    // From then on every new connection is served by this generation.
    const quiet = before === null ? Promise.resolve() : within(before.allQuiet.promise, STOP_GRACE_MS);
    void quiet.then(() => generation.cause?.settle(null));
  }

  /** Closes sockets that this generation's plan does not use. */
  #letGo({ plan }: Generation): void {
    const used = this.#held.filter((held) => plan !== null && isSamePlace(held.plan, plan));
    for (const held of this.#held) if (!used.includes(held)) for (const socket of held.sockets) socket.close();
    this.#held = used;
  }

  #sayRestarted({ cause, startedMs }: Generation, { url }: Serving): void {
    const where = url === this.#serving?.url ? "" : `; it serves ${url} now`;
    say(`${cause?.text}: restarted in ${Math.round(performance.now() - startedMs)} ms${where}`);
  }

  #retire(generation: Generation, keepsIdle: boolean): void {
    generation.isRetired = true;
    if (keepsIdle) generation.group.retire();
    else stopOnce(generation, "SIGTERM");
    const retired = [...this.#all].filter((each) => each.isRetired);
    for (const each of retired.slice(0, -RETIRED_MAX)) stopOnce(each, "SIGTERM");
  }

  #change(files: readonly string[]): void {
    this.#renew({ text: `${namesOf(files)} changed`, keepsIdle: false, settle: () => {} });
  }

  async #reload(text: string): Promise<void> {
    this.#manager.reloading();
    const failure = await new Promise<string | null>((settle) => this.#renew({ text, keepsIdle: true, settle }));
    // Where another reload has come in its place, that one says when the server is ready.
    if (failure !== null && this.#serving !== null && this.#starting === null)
      this.#manager.ready(`${this.#serving.url}, not reloaded: ${failure}`);
    reportOutcome(failure);
  }

  #renew(cause: Cause): void {
    if (this.#stopping) return cause.settle(STOPS);
    if (this.#starting !== null) {
      this.#starting.cause?.settle("another restart came before it served");
      this.#retire(this.#starting, false);
    }
    this.#start(this.#current?.plan ?? this.#guess, cause);
  }

  #ended(generation: Generation, status: number): void {
    this.#all.delete(generation);
    generation.allQuiet.resolve();
    if (this.#stopping) {
      // One that was still loading is ended by the signal itself.
      if (generation.served.size > 0) this.#status ||= status;
      if (this.#all.size === 0) this.#done.resolve(this.#status);
      return;
    }
    if (generation.isRetired) return;
    const { cause, plan } = generation;
    if (generation === this.#current) {
      this.#current = null;
      this.#wait(status, `${this.#name} has ended`);
    } else if (status === 0 && plan !== null && !this.#fits(plan)) {
      this.#startAsWanted(plan, cause).catch((error) => this.#cannotStart(cause, error));
    } else {
      this.#starting = null;
      this.#wait(status, cause === null ? `${this.#name} does not serve` : cause.text);
      cause?.settle(`${this.#name} does not serve: its own lines say why`);
    }
  }

  #fits(plan: Plan): boolean {
    return this.#socketsFor(plan) !== undefined && (this.#files !== null || !plan.autoreload);
  }

  #socketsFor(plan: Plan): Held | undefined {
    return this.#held.find((held) => isSamePlace(held.plan, plan));
  }

  /** Starts again an application that has exited because its plan needs other sockets. */
  async #startAsWanted(plan: Plan, cause: Cause | null): Promise<void> {
    if (plan.autoreload && this.#files === null) this.#watch();
    if (this.#socketsFor(plan) === undefined) await this.#bind(plan);
    await this.#inspect(plan);
    if (!this.#stopping) this.#start(plan, cause);
  }

  #cannotStart(cause: Cause | null, error: unknown): void {
    this.#starting = null;
    if (this.#current === null) return this.#done.reject(error);
    const why = oneLine((error as Error).message);
    this.#wait(EXIT_FAILED, why);
    cause?.settle(why);
  }

  /** Waits for the next change of a file or the next reload; when nothing serves and no file is watched, it ends. */
  #wait(status: number, why: string): void {
    if (this.#files !== null) this.#files.expectsNewFiles = true;
    else if (this.#current === null) return this.#done.resolve(status);
    say(`${why}; ${this.#current === null ? "waiting for a change" : "the version before serves on"}`);
  }

  // --- the end ---

  #stop(name: NodeJS.Signals): void {
    this.#stopping = true;
    this.#manager.stopping();
    this.#files?.close();
    this.#starting?.cause?.settle(STOPS);
    for (const { sockets } of this.#held) for (const socket of sockets) socket.close(); // children have their own
    for (const generation of this.#all) stopOnce(generation, name);
    if (this.#all.size === 0) this.#done.resolve(0);
  }

  #kill(): void {
    for (const { group } of this.#all) group.signal("SIGKILL");
  }

  get #name(): string {
    return namesOf([this.#settings.file]);
  }
}

function stopOnce(generation: Generation, name: NodeJS.Signals): void {
  if (generation.isStopped) return;
  generation.isStopped = true;
  generation.group.signal(name);
}

function isSamePlace(one: Plan, other: Plan): boolean {
  return one.port === other.port && one.address === other.address && one.runtime === other.runtime;
}

function namesOf(files: readonly string[]): string {
  const [first = "", ...rest] = files.map(nameOf);
  return rest.length === 0 ? first : `${first} and ${rest.length} more`;
}

/** Relative to the current folder, unless it is outside. */
function nameOf(file: string): string {
  const path = resolve(file);
  const name = relative(process.cwd(), path);
  return name === "" || name.startsWith("..") ? path : name;
}

function say(text: string): void {
  process.stderr.write(`waterspout: ${text}\n`);
}
