// A PostgreSQL server of a test's own: Debian's binaries, a temporary folder, a Unix socket in it and no port. Where
// there is no PostgreSQL the tests are skipped and say so. It refuses to run as root, so root runs it as the user
// `postgres`.
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import pg from "pg";

import { processTree } from "./processes.js";
import { eventually } from "./ways.js";

const VERSIONS = "/usr/lib/postgresql";
const START_MS_MAX = 40_000;

const binaries = (existsSync(VERSIONS) ? readdirSync(VERSIONS) : [])
  .sort((one, other) => Number(other) - Number(one))
  .map((version) => path.join(VERSIONS, version, "bin"))
  .find((folder) => existsSync(path.join(folder, "initdb")) && existsSync(path.join(folder, "postgres")));
const owner = ownerOf();
export const hasPostgres = binaries !== undefined && owner !== null;
if (!hasPostgres)
  console.warn(`no PostgreSQL in ${VERSIONS}: install the package postgresql; tests that want it are skipped`);

/** Who runs the server: root becomes `postgres`, which Debian's package has made; null when there is no such user. */
function ownerOf(): { uid: number; gid: number } | object | null {
  if (process.getuid?.() !== 0) return {};
  try {
    const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { stdio: "pipe" }).toString());
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return null;
  }
}

/** Those whose folder is there. */
const made = new Set<Postgres>();
process.on("exit", () => {
  for (const server of made) {
    server.signal("SIGKILL");
    server.remove();
  }
});

export class Postgres {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "waterspout-pg-"));
  #process: ChildProcess | null = null;
  /** What it has logged. */
  log = "";

  /** For DATABASE_URL; `parameters` are added to it. */
  url(parameters = ""): string {
    return `postgresql:///postgres?host=${this.#folder}&user=postgres${parameters}`;
  }

  /** A new, empty server that takes connections. */
  static async start(): Promise<Postgres> {
    const server = new Postgres();
    made.add(server);
    if (owner !== null && "uid" in owner) chownSync(server.#folder, owner.uid as number, owner.gid as number);
    const args = ["-D", server.#data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
    const making = promisify(execFile)(path.join(binaries!, "initdb"), args, { ...owner, cwd: server.#folder });
    server.#process = making.child;
    await making;
    await server.resume();
    return server;
  }

  get #data(): string {
    return path.join(this.#folder, "data");
  }

  /** Starts it again with the data that it had. */
  async resume(): Promise<void> {
    const args = ["-D", this.#data, "-k", this.#folder, "-c", "listen_addresses=", "-c", "fsync=off"];
    args.push("-c", "log_min_messages=debug1"); // so that it says who has left without a word
    const child = spawn(path.join(binaries!, "postgres"), args, {
      ...owner,
      cwd: this.#folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process = child;
    child.stderr.setEncoding("utf8").on("data", (text) => (this.log += text));
    const isUp = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`PostgreSQL has ended: ${this.log}`);
      return this.query("SELECT 1").then(
        () => true,
        () => false,
      );
    };
    await eventually("PostgreSQL takes connections", isUp, START_MS_MAX);
  }

  /** Ends it at once, as a crash would: what it has confirmed is there when it resumes. */
  async crash(): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#process = null;
    const ended = once(child, "exit");
    child.kill("SIGQUIT");
    await ended;
  }

  /** The first process of the running server. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Sends a signal to the server and all of its processes. */
  signal(name: NodeJS.Signals): void {
    const pid = this.#process?.pid;
    for (const member of pid === undefined ? [] : processTree(pid)) {
      try {
        process.kill(member.pid, name);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has ended meanwhile
      }
    }
  }

  /** Rows of a statement, on a connection of its own. */
  async query(text: string): Promise<unknown[]> {
    const client = await this.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** A connection. A crash of the server is no error of the test's. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url() });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  /** Removes its folder; a process that is just ending may still write to it. */
  remove(): void {
    made.delete(this);
    rmSync(this.#folder, { recursive: true, maxRetries: 5 });
  }

  async stop(): Promise<void> {
    await this.crash();
    this.remove();
  }
}
