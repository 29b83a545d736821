// Programs that use the package, as a user would start them, and everything that they start.
import { type ChildProcess, execFile, spawn } from "node:child_process";

import { Client } from "./client.js";
import { commandLine, isAlive, type ProcessId, processTree } from "./processes.js";
import { type Exit, eventually, ROOT } from "./ways.js";

const running = new Set<Program>();
process.on("exit", () => {
  for (const program of running) program.killAll();
});

export class Program {
  output = "";
  errors = "";
  exit: Exit | null = null;
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  /** All that was ever seen below it: who loses his parent cannot be found through it any more. */
  readonly #seen = new Map<number, ProcessId>();

  /** Runs a TypeScript file of the project. */
  constructor(file: string, env: Record<string, string> = {}) {
    this.#process = spawn(process.execPath, ["--import", "tsx", file], {
      cwd: ROOT,
      env: { ...process.env, PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process.stdout!.setEncoding("utf8").on("data", (text) => (this.output += text));
    this.#process.stderr!.setEncoding("utf8").on("data", (text) => (this.errors += text));
    this.exited = new Promise((resolve) => {
      this.#process.once("close", (code, signal) => resolve((this.exit = { code, signal })));
    });
    running.add(this);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Waits for so many lines on stdout. */
  async lines(count: number): Promise<string[]> {
    await this.until(`${count} lines`, () => this.output.split("\n").length > count);
    return this.output.split("\n").slice(0, count);
  }

  /** Waits until it is so; a program that has ended before that is an error that shows what it said. */
  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    await eventually(what, async () => this.exit !== null || (await isSo())).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.output}${this.errors}`);
    });
    if (this.exit !== null && !(await isSo())) {
      throw new Error(`ended with ${JSON.stringify(this.exit)} before ${what}\n${this.output}${this.errors}`);
    }
  }

  /** The port that its first line names. */
  async port(): Promise<number> {
    const [line] = await this.lines(1);
    return Number(/port (\d+)/.exec(line)?.[1]);
  }

  /** Its own worker processes, and those of wasmtime below them. */
  workers(): ProcessId[] {
    const below = processTree(this.pid).slice(1);
    for (const member of below) this.#seen.set(member.pid, member);
    return below.filter(({ pid }) => !/esbuild/.test(commandLine(pid)[0] ?? ""));
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Waits until nothing of it is left. */
  async gone(): Promise<Exit> {
    const exit = await this.exited;
    await eventually("all of its processes gone", () => ![...this.#seen.values()].some(isAlive));
    return exit;
  }

  killAll(): void {
    this.workers();
    if (this.exit === null) this.signal("SIGKILL");
    for (const member of this.#seen.values()) if (isAlive(member)) process.kill(member.pid, "SIGKILL");
  }

  async end(): Promise<void> {
    this.killAll();
    await this.exited;
    running.delete(this);
  }
}

/** A program that has ended by itself. */
export interface Ended {
  /** Its exit code, or the signal that ended it. */
  code: number | string;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, as long as that takes. */
export function end(command: string[], cwd = ROOT, env: Record<string, string> = {}): Promise<Ended> {
  const [file, ...args] = command;
  return new Promise((resolve) => {
    execFile(file, args, { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? "?"), stdout, stderr });
    });
  });
}

/** Sends a line and reads one. */
export async function ask(port: number, line: string): Promise<string> {
  const client = await Client.connect(port);
  try {
    return (await client.send(`${line}\n`).readUntil("\n")).trimEnd();
  } finally {
    client.close();
  }
}

/** What the processes behind `port` call themselves: the first word of their answers, until so many have been heard. */
export async function answering(port: number, count: number): Promise<string[]> {
  const heard = new Set<string>();
  await eventually(`answers of ${count} processes`, async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port, "who")));
    for (const answer of answers) heard.add(answer.split(" ")[0]);
    return heard.size >= count;
  });
  return [...heard].sort();
}
