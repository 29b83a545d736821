/**
 * What systemd hears of a service of Type=notify: that it serves, loads again, stops, and still answers.
 *
 * Node has no datagram sockets of the Unix kind, so each message is sent by systemd's own `systemd-notify`. It is a
 * child of the service's main process: the unit needs NotifyAccess=all.
 *
 * Invariants: messages arrive in their order, but for the one of a stop. None is waited for, and one that takes long is
 * given up, so that it delays no other; the first that cannot be sent costs a line on stderr.
 * Reference: sd_notify(3), sd_watchdog_enabled(3).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { UINT31_MAX } from "../../core/check.js";
import { NOTIFY_MS_MAX, NOTIFY_MS_MIN } from "../../core/limits.js";

/** What systemd has said of itself to this process; null: it does not wait for messages. */
interface Asked {
  readonly socket: string;
  /** How often it must hear something, at the least; 0: it need not. */
  readonly watchdogMs: number;
}

export class ServiceManager {
  readonly #asked: Asked | null;
  #sent: Promise<void> = Promise.resolve();
  #failed = false;
  /** A message of the watchdog has not left yet. */
  #isLate = false;

  /** Takes what is in the environment, so that no child process takes it for its own. */
  constructor() {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = process.env;
    for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete process.env[name];
    const isWatched = pid === undefined || Number(pid) === process.pid;
    this.#asked = socket ? { socket, watchdogMs: isWatched ? (Number(usec) || 0) / 1000 : 0 } : null;
  }

  /** Whether systemd restarts this service when it does not hear that it answers. */
  get isWatched(): boolean {
    return this.#asked !== null && this.#asked.watchdogMs > 0;
  }

  /** It serves, at first or again. */
  ready(status: string): void {
    void this.#tell("READY=1", `STATUS=${status}`);
  }

  /** It loads its application again, until `ready`. */
  reloading(): void {
    void this.#tell("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  /** It leaves at once: this process may end before a message that is on its way has arrived. */
  stopping(): void {
    if (this.#asked !== null) void this.#send(["STOPPING=1", "STATUS=finishes what it has begun"]);
  }

  /**
   * From now on systemd hears twice as often as it must that `answers` has resolved with true. That gets the time
   * within which systemd wants to hear something.
   */
  watch(answers: (watchdogMs: number) => Promise<boolean>): void {
    if (this.#asked === null || !this.isWatched) return;
    const { watchdogMs } = this.#asked;
    const timer = setInterval(
      async () => {
        if (!this.#isLate && (await answers(watchdogMs).catch(() => false))) await this.#tellOfLife();
      },
      Math.min(watchdogMs / 2, UINT31_MAX),
    );
    timer.unref();
  }

  async #tellOfLife(): Promise<void> {
    this.#isLate = true;
    await this.#tell("WATCHDOG=1");
    this.#isLate = false;
  }

  /** Sends a message behind those before it. */
  #tell(...lines: readonly string[]): Promise<void> {
    if (this.#asked !== null) this.#sent = this.#sent.then(() => this.#send(lines));
    return this.#sent;
  }

  async #send(lines: readonly string[]): Promise<void> {
    const { socket, watchdogMs = 0 } = this.#asked ?? {};
    const timeout = Math.max(NOTIFY_MS_MIN, Math.min(watchdogMs / 2 || NOTIFY_MS_MAX, NOTIFY_MS_MAX));
    const env = { ...process.env, NOTIFY_SOCKET: socket };
    try {
      // Throws without memory for a process.
      const child = spawn("systemd-notify", lines, { stdio: "ignore", env, timeout, killSignal: "SIGKILL" });
      child.unref();
      const [code] = await once(child, "close");
      if (code === null) this.#fail(`systemd-notify has not ended within ${timeout} ms`);
      else if (code !== 0) this.#fail(`systemd-notify has ended with ${code}`);
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  #fail(why: string): void {
    if (!this.#failed) process.stderr.write(`waterspout: warning: systemd hears nothing: ${why}\n`);
    this.#failed = true;
  }
}
