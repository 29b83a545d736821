/**
 * A process that is started before it is needed: it has loaded this package, and waits for the number of a worker
 * process that has died before it loads the application.
 *
 * Invariants: at most one waits. It has nothing of the application, so no version of it, no secret and no connection;
 * it serves nothing until it has its number. One that ends while it waits is started again, with a worker's pauses.
 */
import type { ChildProcess } from "node:child_process";
import { becomeTask, isSpare } from "../net/inheritedsockets.js";
import { RestartPauses, startedAgain } from "./restartpolicy.js";

/** What it gets when it is needed. */
interface Call {
  readonly task: number;
}

export interface SpareSettings {
  spawn(): ChildProcess;
  /** Writes a warning to stderr. */
  warn(text: string): void;
  /** It has ended, as `end` has asked for. */
  ended(): void;
}

/** In the process that starts it. */
export class Spare {
  readonly #settings: SpareSettings;
  readonly #pauses = new RestartPauses();
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(settings: SpareSettings) {
    this.#settings = settings;
  }

  /** Has one started where none waits. */
  keep(): void {
    if (this.#isOver || this.#child !== null || this.#timer !== null) return;
    const child = this.#settings.spawn();
    this.#child = child;
    this.#pauses.started();
    child.once("error", () => this.#ended(child, "as it started"));
    child.once("exit", (code, signal) => this.#ended(child, signal === null ? `with status ${code}` : `by ${signal}`));
  }

  /** The one that waits, called to be worker `task`; null: there is none, and the caller starts a process. */
  take(task: number): ChildProcess | null {
    const child = this.#child;
    if (child?.connected !== true) return null;
    this.#child = null;
    child.send({ task } satisfies Call, () => {});
    return child;
  }

  /** From now on there is none. */
  end(): void {
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#child?.kill("SIGKILL"); // it has begun nothing
  }

  /** Whether one lives that waits. */
  get waits(): boolean {
    return this.#child !== null;
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    if (this.#isOver) return this.#settings.ended();
    const pauseMs = this.#pauses.ended();
    this.#settings.warn(`the spare process has ended ${how}; ${startedAgain(pauseMs)}`);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.keep();
    }, pauseMs);
  }
}

/** In the spare process itself: waits until it has a number, under a name that `ps` shows. Others go on. */
export async function waitAsSpare(prepare: () => Promise<void>): Promise<void> {
  if (!isSpare()) return;
  process.title = "waterspout: spare process";
  await prepare();
  becomeTask(await called());
  process.title = [process.execPath, ...process.execArgv, ...process.argv.slice(1)].join(" ");
}

function called(): Promise<number> {
  return new Promise((resolve) => {
    process.once("message", (value) => {
      process.channel?.unref();
      resolve((value as Call).task);
    });
    process.channel?.ref(); // until then it is all that it waits for
  });
}
