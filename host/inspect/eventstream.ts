/**
 * The open live pages: once a second each gets the numbers of the last second, as a server-sent event.
 *
 * Invariants: there are at most INSPECT_WATCHERS_MAX of them; one that does not read gets no further event until it
 * has; while no page is open nothing is measured. Reference:
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */

import { INSPECT_EVERY_MS, INSPECT_WATCHERS_MAX } from "../core/limits.js";
import type { HTTPServerRequest } from "../http/request.js";
import type { HTTPConnection } from "../http/response.js";
import type { Reading, Totals } from "../metrics/totals.js";
import { snapshotOf } from "./snapshot.js";

/** What a browser waits before it asks again when the connection has ended. */
const RETRY_MS = 1000;

export class Watchers {
  readonly #totals: Totals;
  /** Open pages, and whether each has taken its last event. */
  readonly #watching = new Map<HTTPConnection, { idle: boolean }>();
  #timer: NodeJS.Timeout | null = null;
  #last: Reading | null = null;

  constructor(totals: Totals) {
    this.#totals = totals;
  }

  /** How many look. */
  get count(): number {
    return this.#watching.size;
  }

  /** Answers a request with events from now on; false, without an answer, when too many look already. */
  async add(request: HTTPServerRequest, headers: Readonly<Record<string, string>>): Promise<boolean> {
    if (this.#watching.size >= INSPECT_WATCHERS_MAX) return false;
    const { connection } = request;
    const watcher = { idle: false };
    this.#watching.set(connection, watcher);
    request.signal.addEventListener("abort", () => this.#remove(connection));
    this.#timer ??= setInterval(() => void this.#tick(), INSPECT_EVERY_MS);
    connection.writeHeaders(200, { ...headers, "Content-Type": "text/event-stream" });
    await this.#tell(connection, watcher, `retry: ${RETRY_MS}\n\n`);
    this.#last ??= await this.#totals.read();
    return true;
  }

  /** Says that the server has ended, and ends with it. */
  async end(): Promise<void> {
    const connections = [...this.#watching.keys()];
    for (const connection of connections) this.#remove(connection);
    await Promise.allSettled(
      connections.map(async (connection) => {
        await connection.write("event: end\ndata: {}\n\n");
        await connection.finish();
      }),
    );
  }

  #remove(connection: HTTPConnection): void {
    this.#watching.delete(connection);
    if (this.#watching.size > 0) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#last = null;
  }

  async #tick(): Promise<void> {
    const before = this.#last;
    const after = await this.#totals.read();
    if (this.#timer === null) return; // the last page was closed
    this.#last = after;
    if (before === null) return;
    const event = `data: ${JSON.stringify(snapshotOf(before, after, Date.now()))}\n\n`;
    for (const [connection, watcher] of this.#watching) {
      if (watcher.idle) void this.#tell(connection, watcher, event);
    }
  }

  async #tell(connection: HTTPConnection, watcher: { idle: boolean }, text: string): Promise<void> {
    watcher.idle = false;
    try {
      await connection.write(text);
      watcher.idle = true;
    } catch {
      this.#remove(connection);
    }
  }
}
