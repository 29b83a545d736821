// What systemd hears of a service of Type=notify. The messages are those of its own systemd-notify, and a socket that
// stands for systemd's takes them.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";

import { Versioned } from "../losses/server.js";
import { workersOf } from "./support/processes.js";
import { eventually, NODE, run, type Server, WASMTIME, type Way } from "./support/ways.js";

/** Prints each message in one line. systemd-notify waits until the descriptor that it sends along is closed. */
const RECEIVER = `
import array, os, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print("bound", flush=True)
while True:
    data, ancillary, _, _ = receiver.recvmsg(4096, socket.CMSG_SPACE(16))
    for _, _, fds in ancillary:
        for fd in array.array("i", fds):
            os.close(fd)
    if data != b"BARRIER=1":
        print(data.decode().replace("\\n", " "), flush=True)
`;

class Manager {
  readonly socket: string;
  readonly #process: ChildProcess;
  #output = "";

  constructor() {
    const folder = mkdtempSync(path.join(tmpdir(), "waterspout-systemd-"));
    this.socket = path.join(folder, "notify");
    this.#process = spawn("python3", ["-c", RECEIVER, this.socket], { stdio: ["ignore", "pipe", "inherit"] });
    this.#process.stdout!.setEncoding("utf8").on("data", (text) => (this.#output += text));
    onTestFinished(() => {
      this.#process.kill();
      rmSync(folder, { recursive: true });
    });
  }

  get heard(): string[] {
    return this.#output.split("\n").slice(0, -1);
  }

  hears(pattern: RegExp): Promise<void> {
    return eventually(`systemd hears ${pattern}`, () => pattern.test(this.#output));
  }

  /** Resolves when nothing has come for a second. */
  async hearsNoMore(): Promise<void> {
    let before = -1;
    await eventually("nothing comes for a second", async () => {
      before = this.heard.length;
      await sleep(1000);
      return this.heard.length === before;
    });
  }
}

async function serve(way: Way, args: string[]): Promise<{ manager: Manager; server: Server; app: Versioned }> {
  const app = new Versioned();
  onTestFinished(() => app.remove());
  app.edit('String(process.env["NOTIFY_SOCKET"])');
  const manager = new Manager();
  await manager.hears(/^bound$/m);
  const server = await app.serve(way, args, { env: { NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: "400000" } });
  onTestFinished(() => server.stop());
  return { manager, server, app };
}

const isThere = ["systemd-notify", "python3"].every((name) => spawnSync(name, ["--version"]).error === undefined);

describe.runIf(isThere)("a service of Type=notify", () => {
  test.each([
    [NODE, ["--reloadable"]],
    [WASMTIME, []],
  ] as const)("it serves, answers, does not answer, stops: %o %o", async (way, args) => {
    const { manager, server } = await serve(way, [...args]);
    await manager.hears(/^WATCHDOG=1$/m);
    expect(manager.heard[1]).toBe(`READY=1 STATUS=${server.url}`);
    expect((await server.get("/")).body.toString()).toBe("undefined");
    const [worker] = workersOf(server.pid);
    process.kill(worker.pid, "SIGSTOP");
    await manager.hearsNoMore();
    const many = manager.heard.length;
    process.kill(worker.pid, "SIGCONT");
    await eventually("systemd hears that it answers", () => manager.heard.length > many);
    server.signal("SIGTERM");
    await manager.hears(/^STOPPING=1 STATUS=/m);
    expect((await server.exited).code).toBe(0);
  });

  test("it loads its application again, or does not", async () => {
    const { manager, server, app } = await serve(NODE, ["--reloadable"]);
    expect((await run(["reload", String(server.pid)])).code).toBe(0);
    await manager.hears(/^RELOADING=1 MONOTONIC_USEC=\d+$(\n.*)*\nREADY=1 STATUS=http\S+$/m);
    app.edit("broken");
    expect((await run(["reload", String(server.pid)])).code).toBe(1);
    await manager.hears(/^READY=1 STATUS=http\S+ not reloaded: \S*app\.mjs does not serve/m);
  });

  test("where there is no systemd-notify, it serves and says so once", async () => {
    const app = new Versioned();
    onTestFinished(() => app.remove());
    const env = { NOTIFY_SOCKET: "/nowhere", WATCHDOG_USEC: "100000", PATH: "/nowhere" };
    const server = await app.serve(NODE, [], { env });
    onTestFinished(() => server.stop());
    await server.complaint(/^waterspout: warning: systemd hears nothing: spawn systemd-notify ENOENT$/);
    expect((await server.get("/")).status).toBe(200);
  });
});
