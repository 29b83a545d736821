// What systemd hears of a service of Type=notify, and the sockets that it passes on. The messages are those of its own
// systemd-notify, and a socket that stands for systemd's takes them.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";

import { Versioned } from "../losses/server.js";
import { isAlive, workersOf } from "./support/processes.js";
import { BRIDGED, eventually, NODE, run, type Server, WASMTIME, type Way } from "./support/ways.js";

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

async function serve(
  way: Way,
  args: string[],
  variables: Record<string, string> = {},
): Promise<{ manager: Manager; server: Server; app: Versioned }> {
  const app = new Versioned();
  onTestFinished(() => app.remove());
  app.edit('String(process.env["NOTIFY_SOCKET"])');
  const manager = new Manager();
  await manager.hears(/^bound$/m);
  const env = { NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: "400000", ...variables };
  const server = await app.serve(way, args, { env });
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

  test("of two reloads in a row the last one says that it serves", async () => {
    const { manager, server, app } = await serve(NODE, ["--reloadable"], { WATCHDOG_USEC: "0" });
    const go = path.join(app.folder, "go");
    const waits = `while (!existsSync(${JSON.stringify(go)})) await new Promise((done) => setTimeout(done, 10));`;
    app.edit(`await import("node:fs").then(async ({ existsSync }) => { ${waits} return "1"; })`);
    for (const times of [1, 2]) {
      server.signal("SIGHUP");
      await eventually(
        "a reload begins",
        () => manager.heard.filter((line) => /^RELOADING/.test(line)).length === times,
      );
    }
    writeFileSync(go, "");
    await eventually("the new version", async () => (await server.get("/")).body.toString() === "1");
    await eventually("it serves", () => manager.heard.length === 5);
    const said = manager.heard.slice(1).map((line) => line.replace(/=.*/, ""));
    expect(said).toEqual(["READY", "RELOADING", "RELOADING", "READY"]);
  });

  test("of several workers the one that hangs is replaced", async () => {
    const { server } = await serve(NODE, ["--workers", "2"], { WATCHDOG_USEC: "3000000" });
    const [victim] = workersOf(server.pid);
    process.kill(victim.pid, "SIGSTOP");
    await server.complaint(/^waterspout: warning: worker process \d has not answered for 3000 ms$/);
    await server.complaint(/^waterspout: warning: worker process \d has ended by SIGKILL; it is started again/);
    expect(isAlive(victim)).toBe(false);
  });

  test("a systemd-notify that hangs delays what comes behind it, and no longer than a second", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "waterspout-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const real = execFileSync("sh", ["-c", "command -v systemd-notify"], { encoding: "utf8" }).trim();
    const hangsOnce = `#!/bin/sh\nmkdir ${folder}/once 2>/dev/null && exec sleep 600\nexec ${real} "$@"\n`;
    writeFileSync(path.join(folder, "systemd-notify"), hangsOnce, { mode: 0o755 });
    const { manager, server } = await serve(NODE, [], { PATH: `${folder}:${process.env.PATH}` });
    await server.complaint(/^waterspout: warning: systemd hears nothing: systemd-notify has not ended within 1000 ms$/);
    await manager.hears(/^WATCHDOG=1$/m);
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

/** Sockets that listen: who inherits a descriptor serves it, and until `close` this process as well. */
async function opened(count: number): Promise<{ ports: number[]; fds: number[]; close: () => void }> {
  const listeners = Array.from({ length: count }, () => net.createServer().listen(0, "127.0.0.1"));
  await Promise.all(listeners.map((listener) => once(listener, "listening")));
  const close = (): void => {
    for (const listener of listeners) listener.close();
  };
  onTestFinished(close);
  return {
    close,
    ports: listeners.map((listener) => (listener.address() as net.AddressInfo).port),
    fds: listeners.map((listener) => (listener as unknown as { _handle: { fd: number } })._handle.fd),
  };
}

/** Starts a command as systemd does; with `start`, without the port that it gives. */
const launcher = (variables: string): string[] => ["sh", "-c", `${variables} exec "$@"`, "sh"];
const portless = (variables: string): string[] => [
  "sh",
  "-c",
  `${variables} node=$1 command=$2 run=$3 app=$4; shift 6; exec "$node" "$command" "$run" "$app" "$@"`,
  "sh",
];

describe("socket activation", () => {
  test.each([
    [NODE, []],
    [NODE, ["--workers", "2", "--reloadable"]],
    [WASMTIME, []],
  ] as const)("it serves what it was passed, no other port: %o %o", async (way, args) => {
    const app = new Versioned();
    onTestFinished(() => app.remove());
    const { ports, fds, close } = await opened(2);
    const wrap = portless("export LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=other:waterspout;");
    const server = await app.serve(way, [...args], { wrap, fds });
    onTestFinished(() => server.stop());
    close();
    expect(server.port).toBe(ports[1]);
    expect((await server.get("/")).body.toString()).toBe("0");
    if (!args.some((arg) => arg === "--reloadable")) return;
    app.edit('"1"');
    expect((await run(["reload", String(server.pid)])).code).toBe(0);
    await eventually("the new version", async () => (await server.get("/")).body.toString() === "1");
  });

  test.each([
    ["several without a name", "LISTEN_FDS=2 LISTEN_PID=$$", "node", /several sockets are open already/],
    ["for another process", "LISTEN_FDS=2 LISTEN_PID=1 PORT=$PASSED", "node", /EADDRINUSE/],
    ["for a component", "LISTEN_FDS=1 LISTEN_PID=$$ PORT=$PASSED", BRIDGED.runtime, /no socket that is open already/],
  ])("%s: it does not serve, and says why", async (_, variables, runtime, why) => {
    const app = new Versioned();
    onTestFinished(() => app.remove());
    const { ports, fds } = await opened(2);
    const env = { PASSED: String(ports[0]) };
    const result = await run(["run", app.file, "--runtime", runtime], { wrap: launcher(variables), fds, env });
    expect(result).toMatchObject({ code: expect.any(Number), stdout: "" });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(why);
  });
});
