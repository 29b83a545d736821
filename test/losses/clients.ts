// Clients that ask a server all the time, and count what they lose: an answer that does not come, or not whole, on a
// connection that the server had not given up before. Shared by the tests of reloads and kills and by the long run.
import { setTimeout as sleep } from "node:timers/promises";

import { Client } from "../e2e/support/client.js";

/** What one kind of clients does. */
export interface Kind {
  readonly name: string;
  readonly target: string;
  /** Default: GET. */
  readonly method?: "POST";
  /** The connection is kept until the server says that an answer was its last. */
  readonly kept: boolean;
  /** Between two requests. */
  readonly pauseMs: number;
  /** Reads a block of at most 64 KiB each so many ms. */
  readonly readEveryMs?: number;
}

/** An answer that a client has not got. */
export interface Loss {
  readonly kind: string;
  /** By this the server's side of the connection is found: see `clientPortsOf`. 0: there was no connection. */
  readonly port: number;
  readonly why: string;
}

export const DOWNLOAD_BYTES = 4 << 20;

/** Longer than a server that stops waits for the next request of an idle connection. */
export const IDLE_MS = 700;

/** The kinds, with how many of each the long run has. */
export const KINDS: readonly (Kind & { readonly many: number })[] = [
  { name: "fresh", many: 60, target: "/", kept: false, pauseMs: 20 },
  { name: "kept", many: 20, target: "/", kept: true, pauseMs: 10 },
  { name: "idle", many: 20, target: "/", kept: true, pauseMs: IDLE_MS },
  { name: "download", many: 20, target: `/download?bytes=${DOWNLOAD_BYTES}`, kept: true, pauseMs: 0, readEveryMs: 15 },
  { name: "handler", many: 10, target: `/slow?ms=${IDLE_MS}`, kept: true, pauseMs: 0 },
];

export class Clients {
  readonly #port: number;
  readonly #running: Promise<void>[] = [];
  #over = false;
  /** By the name of the kind. */
  readonly answered = new Map<string, number>();
  /** By the body of an answer: how many. Those of downloads are not kept. */
  readonly bodies = new Map<string, number>();
  readonly lost: Loss[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** Starts `many` clients of a kind. */
  add(kind: Kind, many: number): void {
    for (let i = 0; i < many; i++) this.#running.push(this.#run(kind));
  }

  /** Resolves when each has had the answer that it waits for. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
  }

  async #run(kind: Kind): Promise<void> {
    while (!this.#over) {
      try {
        const client = await Client.connect(this.#port);
        await this.#use(client, kind);
        client.close();
      } catch (error) {
        this.lost.push({ kind: kind.name, port: 0, why: (error as Error).message });
      }
    }
  }

  /** Asks until an answer is the connection's last. */
  async #use(client: Client, kind: Kind): Promise<void> {
    const port = client.socket.localPort ?? 0;
    if (kind.readEveryMs !== undefined) readSlowly(client, kind.readEveryMs);
    // A connection that has ended before the request is sent loses nothing: its client knows, and takes another.
    for (let last = false; !last && !this.#over && !client.ended; ) {
      try {
        const answer = await client.send(requestOf(kind)).readResponse();
        if (answer.status !== 200) throw new Error(`status ${answer.status}`);
        this.#count(kind, answer.body);
        last = !kind.kept || answer.headers.get("connection") === "close";
      } catch (error) {
        this.lost.push({ kind: kind.name, port, why: client.error?.message ?? (error as Error).message });
        last = true;
      }
      if (kind.pauseMs > 0) await sleep(kind.pauseMs);
    }
  }

  #count({ name, readEveryMs }: Kind, body: Buffer): void {
    this.answered.set(name, (this.answered.get(name) ?? 0) + 1);
    if (readEveryMs !== undefined) return;
    const text = body.toString();
    this.bodies.set(text, (this.bodies.get(text) ?? 0) + 1);
  }
}

function requestOf({ method, target }: Kind): string {
  const length = method === "POST" ? "Content-Length: 0\r\n" : "";
  return `${method ?? "GET"} ${target} HTTP/1.1\r\nHost: x\r\n${length}\r\n`;
}

function readSlowly({ socket }: Client, everyMs: number): void {
  socket.on("data", () => {
    socket.pause();
    setTimeout(() => socket.resume(), everyMs);
  });
}
