/**
 * One connection to the server under attack: sends exactly the given bytes, and keeps what comes.
 *
 * Invariant: no wait is longer than it is given; what is kept of a server's bytes is bounded.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ATTACK_ANSWER_BYTES_MAX } from "../../core/limits.js";
import { type Answer, answersIn } from "./responses.js";
import type { Target } from "./target.js";

export class Connection {
  /** The server sends no more, or the connection broke. */
  isClosed = false;
  /** When that was, as `performance.now()` says it. */
  closedAt = 0;
  /** What it broke with: `"ECONNRESET"`; null when it ended in order or is open. */
  error: string | null = null;
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  readonly #waiting = new Set<() => void>();
  readonly #written = () => this.#changed();

  private constructor(
    readonly target: Target,
    socket: Socket,
  ) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      if (this.#size < ATTACK_ANSWER_BYTES_MAX) this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.#changed();
    });
    socket.on("end", () => this.#close(null));
    socket.on("error", (error: NodeJS.ErrnoException) => this.#close(error.code ?? error.message));
    socket.on("close", () => this.#close(null));
  }

  /** Connects. `reads`: false leaves all that the server sends in the kernel. Rejects with what hinders it. */
  static async open(target: Target, reads = true): Promise<Connection> {
    const { address: host, port, tlsName, answerMs } = target;
    // Whose certificate it is does not matter: nothing secret is sent.
    const socket =
      tlsName === null
        ? connect({ host, port, allowHalfOpen: true })
        : connectTls({ host, port, servername: tlsName, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
    socket.setNoDelay(true);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once(tlsName === null ? "connect" : "secureConnect", resolve);
        socket.on("error", reject); // it stays: an error without a listener would end the process
        socket.setTimeout(answerMs, () => reject(new Error(`no connection in ${answerMs / 1000} s`)));
      });
    } catch (error) {
      socket.destroy();
      throw error;
    }
    socket.setTimeout(0);
    socket.removeAllListeners("timeout");
    const connection = new Connection(target, socket);
    if (!reads) socket.pause();
    return connection;
  }

  /** All that has come. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Bytes that the kernel has not taken. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  /** How many bytes have come, also of those that are not kept. */
  get size(): number {
    return this.#size;
  }

  get answers(): Answer[] {
    return answersIn(this.received, this.isClosed);
  }

  /** A string is latin-1: a character is a byte. */
  send(bytes: string | Buffer): void {
    if (this.isClosed) return;
    // Called for each write: the event "drain" comes only behind what was more than the socket's mark.
    this.#socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, this.#written);
  }

  /** Waits until `isSo`, the connection is closed, or `ms` are over; returns whether it is so. */
  async until(isSo: () => boolean, ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (!isSo() && !this.isClosed) {
      const restMs = end - performance.now();
      if (restMs <= 0) break;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, restMs);
        this.#waiting.add(wake);
      });
    }
    return isSo();
  }

  /** Leaves what the server sends from now on in the kernel. */
  pause(): void {
    this.#socket.pause();
  }

  /** Takes what has been left in the kernel. */
  resume(): void {
    this.#socket.resume();
  }

  /** Ends it at once, and whatever waits for it. */
  destroy(): void {
    this.#socket.destroy();
    this.#close(null);
  }

  #close(error: string | null): void {
    this.error ??= error;
    if (!this.isClosed) this.closedAt = performance.now();
    this.isClosed = true;
    this.#changed();
  }

  #changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** What came back for some bytes. */
export interface Exchange {
  readonly answers: readonly Answer[];
  readonly isClosed: boolean;
}

/** Sends `bytes` on a connection of their own, and waits until the server closes it or is silent for too long. */
export async function exchange(target: Target, bytes: string | Buffer): Promise<Exchange> {
  const connection = await Connection.open(target);
  connection.send(bytes);
  await connection.until(() => false, target.answerMs);
  const { answers, isClosed } = connection;
  connection.destroy();
  return { answers, isClosed };
}

/** `"200 400, then closed"`. */
export function cameOf({ answers, isClosed }: Exchange): string {
  const statuses = answers.map(({ status, isWhole }) => `${status || "no HTTP"}${isWhole ? "" : " (cut)"}`).join(" ");
  if (statuses === "") return isClosed ? "closed without an answer" : "nothing, still open";
  return `${statuses}, ${isClosed ? "then closed" : "still open"}`;
}
