/**
 * Several Node processes as one: the first process, which serves no connection, asks the others for their reports and
 * adds them up.
 *
 * Invariant: a process that does not answer in time counts with its last report; one that has ended does not answer
 * any more.
 */
import { START_TIMEOUT_MS, STATS_TIMEOUT_MS } from "../core/limits.js";
import { programName } from "../core/program.js";
import { within } from "../core/promises.js";
import { newest } from "../core/recenterrors.js";
import type { Inspected, Report, ServingState } from "../metrics/report.js";
import { Inspection } from "../server/inspection.js";
import type { InspectSettings } from "../server/options.js";
import type { ProcessGroup } from "../workers/processgroup.js";

/** What goes to a worker process, and what comes back. */
interface Question {
  readonly reportAsked: number;
}
interface Answer {
  readonly reportAsked: number;
  readonly report: Report;
}

/** How much longer than for its sandboxes one waits for a process. */
const SLACK_MS = 500;

export class InspectedGroup implements Inspected {
  readonly #count: number;
  readonly #inspection = new Inspection(this);
  readonly #begunMs = Date.now();
  #group: ProcessGroup | null = null;
  /** By process id: the processes that have reported that they serve, and the last report of each. */
  readonly #serving = new Set<number>();
  readonly #last = new Map<number, Report>();
  /** By process id: when it last said that it serves, or reported. */
  readonly #heardMs = new Map<number, number>();
  /** When one last said that its sandboxes answer. */
  #answeredMs = 0;
  #asked = 0;
  #answers = new Map<number, () => void>();

  constructor(count: number) {
    this.#count = count;
  }

  /** Begins to show, before there are processes. Rejects with BindError. */
  begin(inspect: InspectSettings | null): Promise<void> {
    return this.#inspection.begin(inspect);
  }

  /** The processes that are shown. */
  watch(group: ProcessGroup): void {
    this.#group = group;
  }

  end(): Promise<void> {
    return this.#inspection.end();
  }

  /** Takes what a process has sent; false: it is for other code, for example that it serves. */
  take(id: number, value: unknown): boolean {
    const pid = this.#group?.live.find((process) => process.id === id)?.pid;
    if (pid === undefined) return isAnswer(value);
    this.#heardMs.set(pid, performance.now());
    if (!isAnswer(value)) {
      this.#serving.add(pid);
      return false;
    }
    this.#last.set(pid, value.report);
    if (hasAnswered(value.report)) this.#answeredMs = performance.now();
    if (value.reportAsked === this.#asked) this.#answers.get(pid)?.();
    return true;
  }

  get state(): ServingState {
    if (this.#group === null) return "starting";
    if (this.#group.stopping) return "stopping";
    return this.#serving.size > 0 ? "serving" : "starting";
  }

  get workersServing(): number {
    return (this.#group?.live ?? []).filter(({ pid }) => this.#serving.has(pid)).length;
  }

  async report(): Promise<Report> {
    await this.#ask();
    const live = (this.#group?.live ?? []).map(({ pid }) => pid);
    for (const pid of this.#last.keys()) if (!live.includes(pid)) this.#last.delete(pid);
    const reports = [...this.#last];
    const sum = (value: (report: Report) => number) => reports.reduce((total, [, report]) => total + value(report), 0);
    return {
      state: this.state,
      runtime: "node",
      program: programName(),
      addresses: [...new Set(reports.flatMap(([, { addresses }]) => addresses))],
      begunMs: this.#begunMs,
      errors: newest(reports.flatMap(([, { errors }]) => errors)),
      workersConfigured: this.#count,
      workersServing: this.workersServing,
      workerRestarts: this.#group?.restarts ?? 0,
      connectionsRefused: sum((report) => report.connectionsRefused),
      workers: reports.flatMap(([pid, { workers }]) => workers.map((each) => ({ ...each, key: `${pid} ${each.key}` }))),
      latencies: reports.flatMap(([pid, { latencies }]) =>
        latencies.map((each) => ({ ...each, key: `${pid} ${each.key}` })),
      ),
      counts: reports.every(([, { counts }]) => counts),
      residentBytes: process.memoryUsage.rss() + sum((report) => report.residentBytes),
    };
  }

  /** Whether any of them answers, asked now. */
  async answers(): Promise<boolean> {
    const askedMs = performance.now();
    await this.#ask();
    return this.#answeredMs >= askedMs;
  }

  /**
   * The numbers of those that serve and have said nothing for `ms`, which `answers` asks, or have been started and say
   * nothing in START_TIMEOUT_MS; `ms` says how long each has been silent at least.
   */
  silent(ms: number): { readonly id: number; readonly ms: number }[] {
    const live = this.#group?.live ?? [];
    for (const pid of this.#heardMs.keys()) if (live.every((process) => process.pid !== pid)) this.#heardMs.delete(pid);
    const nowMs = performance.now();
    const startMs = Math.max(ms, START_TIMEOUT_MS);
    return live.flatMap(({ id, pid, startedMs }) => {
      const heardMs = this.#heardMs.get(pid);
      const mostMs = heardMs === undefined ? startMs : ms;
      return nowMs - (heardMs ?? startedMs) > mostMs ? { id, ms: mostMs } : [];
    });
  }

  /** Until all that serve have answered. */
  async #ask(): Promise<void> {
    const asked = (this.#group?.live ?? []).filter(({ pid }) => this.#serving.has(pid));
    this.#asked++;
    const answered = asked.map(({ pid }) => new Promise<void>((resolve) => this.#answers.set(pid, resolve)));
    this.#group?.send({ reportAsked: this.#asked } satisfies Question);
    await within(Promise.all(answered), STATS_TIMEOUT_MS + SLACK_MS);
    this.#answers = new Map();
  }
}

/** Whether a sandbox has answered, or serves, of those that do not say more. */
export function hasAnswered({ counts, workers, workersServing }: Report): boolean {
  return counts ? workers.some(({ stats }) => stats !== null) : workersServing > 0;
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && "report" in value;
}

/** In a worker process: answers the first one's questions about `inspected`. */
export function answerReports(inspected: Inspected): void {
  process.on("message", async (value: unknown) => {
    if (typeof value !== "object" || value === null || !("reportAsked" in value)) return;
    const { reportAsked } = value as Question;
    const report = await inspected.report();
    process.send?.({ reportAsked, report } satisfies Answer, undefined, undefined, () => {});
  });
  process.channel?.unref(); // a question is no reason to stay
}
