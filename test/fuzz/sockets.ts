// The command as it is started by a user, over real sockets: hostile clients in crowds.
//
// Invariants tested: a client sees answers to its own requests alone, in order; the command, and each worker that it
// began with, lives; others are served between the crowds; when the clients are gone, so are the descriptors, and
// memory stays within a bound.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

import { processTree, residentBytes } from "../e2e/support/processes.js";
import { CLI, eventually, ROOT, wasmtime } from "../e2e/support/ways.js";
import { FuzzClient, type Line } from "./client.js";
import type { Random } from "./random.js";

const CROWD_MAX = 40;
const STEPS_MAX = 2000;
const RESIDENT_BYTES_MAX = 512 << 20;
/** Descriptors that come and go by themselves. */
const DESCRIPTORS_SLACK = 10;

class SocketLine implements Line {
  readonly socket: net.Socket;
  reads = true;
  #chunks: Buffer[] = [];

  constructor(port: number) {
    this.socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk) => {
      this.#chunks.push(chunk);
      if (!this.reads) this.socket.pause();
    });
  }

  get ended(): boolean {
    return this.socket.writableEnded;
  }

  set ended(_yes: boolean) {
    this.socket.end();
  }

  send(bytes: Uint8Array): void {
    if (!this.socket.destroyed && !this.socket.writableEnded) this.socket.write(bytes);
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  take(): Buffer {
    if (this.reads) this.socket.resume();
    return Buffer.concat(this.#chunks.splice(0));
  }
}

export class SocketFuzz {
  readonly name: string;
  connections = 0;
  answers = 0;
  readonly #runtime: "node" | "wasmtime";
  #child: ChildProcess | null = null;
  #port = 0;
  #tree: string[] = [];
  #descriptors = 0;

  constructor(runtime: "node" | "wasmtime") {
    this.#runtime = runtime;
    this.name = `sockets, ${runtime}`;
  }

  /** One crowd. Throws what went wrong. */
  async run(random: Random): Promise<void> {
    if (this.#child === null) await this.#start();
    const lines = Array.from({ length: 1 + random.below(CROWD_MAX) }, () => new SocketLine(this.#port));
    const clients = lines.map((line) => new FuzzClient(this.connections++, line, random, ["/%"]));
    for (let step = 0; step < STEPS_MAX && clients.some(({ done }) => !done); step++) {
      for (const client of clients) if (random.once(2)) client.step();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#serves();
    for (const client of clients) client.check();
    for (const client of clients) this.answers += client.answers;
    for (const line of lines) line.socket.destroy();
    await this.#settled();
  }

  async end(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  }

  async #start(): Promise<void> {
    const application = path.join(ROOT, "test/fuzz/application.ts");
    const command = ["run", application, "--port", "0", "--runtime", this.#runtime, "--access-log", "off", "--json"];
    const env = { ...process.env, ...(this.#runtime === "wasmtime" ? { WATERSPOUT_WASMTIME: wasmtime() } : {}) };
    const child = spawn(process.execPath, [CLI, ...command], { cwd: ROOT, env, stdio: ["ignore", "pipe", "ignore"] });
    process.once("exit", () => child.kill("SIGKILL"));
    this.#child = child;
    const [line] = (await once(createInterface(child.stdout as Readable), "line")) as [string];
    this.#port = (JSON.parse(line) as { port: number }).port;
    await this.#serves();
    this.#tree = this.#processes();
    this.#descriptors = this.#openDescriptors();
  }

  /** A client that behaves is answered. */
  async #serves(): Promise<void> {
    const socket = net.connect(this.#port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk)).write("GET /a HTTP/1.0\r\n\r\n");
    await once(socket, "close");
    if (!Buffer.concat(chunks).toString().endsWith("\r\n\r\na")) throw new Error("it does not serve any more");
  }

  async #settled(): Promise<void> {
    const tree = this.#processes();
    if (tree.join() !== this.#tree.join()) throw new Error(`a worker was replaced: ${this.#tree} became ${tree}`);
    await eventually(
      "all descriptors are closed",
      () => {
        return this.#openDescriptors() <= this.#descriptors + DESCRIPTORS_SLACK;
      },
      60_000,
    );
    for (const pid of tree) {
      const bytes = residentBytes(Number(pid));
      if (bytes > RESIDENT_BYTES_MAX) throw new Error(`process ${pid} has ${bytes} bytes`);
    }
  }

  #processes(): string[] {
    return processTree((this.#child as ChildProcess).pid as number).map(({ pid }) => String(pid));
  }

  #openDescriptors(): number {
    return this.#processes().reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);
  }
}
