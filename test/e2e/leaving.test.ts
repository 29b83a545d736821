// Clients that leave, in each way to run; over TLS, and behind nginx, whose client gives up.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { leavingSuite, stop, toldBy } from "./suites/leaving.js";
import { Authority, missingOpenSSL } from "./support/certificates.js";
import { Client } from "./support/client.js";
import {
  accepts,
  eventually,
  freePort,
  NODE,
  ROOT,
  SANDBOXED_BARE,
  SANDBOXED_WAYS,
  type Server,
  start,
  WASMTIME,
  type Way,
} from "./support/ways.js";

const APP = "test/e2e/apps/leaving.ts";
const missingNginx = missing("nginx", "-v");

let folder: string;
let module: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "waterspout-leaving-"));
  module = path.join(folder, "leaving.wasm");
  const asc = path.join(ROOT, "node_modules/.bin/asc");
  execFileSync(asc, ["test/assembly/apps/leaving.ts", "--outFile", module], { cwd: ROOT });
});
afterAll(() => rmSync(folder, { recursive: true }));

const startHost = (way: Way, ms: number, args: string[] = []): Promise<Server> =>
  start(way, APP, args, { env: { HALF_CLOSE_MS: String(ms) } });

async function startSandboxed(way: Way, ms: number): Promise<Server> {
  const server = await start(way, module);
  await server.get(`/half-close?ms=${ms}`);
  return server;
}

for (const way of [NODE, WASMTIME]) {
  describe(way.name, () => {
    leavingSuite((ms) => startHost(way, ms), ["/wait", "/web"], ["/events", "/gives-up", "/web-stream", "/stream"]);

    test("half an answer is not ended as if it were whole", async () => {
      const server = await startHost(way, 60_000);
      onTestFinished(() => stop(server));
      for (const target of ["/gives-up", "/stream"]) {
        const client = (await server.connect()).send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
        await client.readUntil("begun\r\n");
        client.halfClose();
        expect((await client.readToEnd()).toString()).toBe("");
      }
    });
  });
}

for (const way of SANDBOXED_WAYS) {
  describe(way.name, () => leavingSuite((ms) => startSandboxed(way, ms), ["/wait"], ["/stream"]));
}

describe.skipIf(missingOpenSSL !== null)(missingOpenSSL ?? "over TLS", () => {
  test.each([NODE, WASMTIME])("$name: a handler hears of a client that leaves", async (way) => {
    const authority = new Authority();
    onTestFinished(() => authority.remove());
    const { certfile, keyfile } = authority.issue("leaving", "leaving.example");
    const server = await startHost(way, 60_000, ["--certfile", certfile, "--keyfile", keyfile]);
    const ask = async (target: string): Promise<string> => {
      const socket = tls.connect({ port: server.port, host: "127.0.0.1", rejectUnauthorized: false });
      socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const parts: Buffer[] = [];
      for await (const part of socket) parts.push(part);
      return Buffer.concat(parts).toString();
    };
    const tell = async (): Promise<number> =>
      JSON.parse((await ask("/told")).split("\r\n\r\n")[1]).told["/events"] ?? 0;
    onTestFinished(async () => {
      await ask("/close-all").catch(() => {});
      await server.stop();
    });
    for (const manner of ["end", "destroy", "resetAndDestroy"] as const) {
      const before = await tell();
      const inner = net.connect(server.port, "127.0.0.1");
      const socket = tls.connect({ socket: inner, rejectUnauthorized: false });
      for (const each of [inner, socket]) each.on("error", () => {});
      socket.write("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
      await once(socket, "data");
      (manner === "end" ? socket : inner)[manner]();
      await eventually(`told of ${manner}`, async () => (await tell()) === before + 1);
      inner.destroy();
    }
  });
});

describe.skipIf(missingNginx !== null)(missingNginx ?? "behind nginx", () => {
  test.each([
    [NODE.name, () => startHost(NODE, 60_000), "/events"],
    [WASMTIME.name, () => startHost(WASMTIME, 60_000), "/events"],
    [SANDBOXED_BARE.name, () => startSandboxed(SANDBOXED_BARE, 60_000), "/stream"],
  ] as const)("%s: its client gives up", async (_name, serve, target) => {
    const server = await serve();
    onTestFinished(() => stop(server));
    const port = await nginx(server.port);
    for (const leave of ["close", "reset"] as const) {
      const before = (await toldBy(server)).told[target] ?? 0;
      const client = await Client.connect(port);
      client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await client.readUntil("begun");
      client[leave]();
      await eventually("told", async () => (await toldBy(server)).told[target] === before + 1);
    }
  });
});

/** Starts nginx in front of a port, and gives out its own. */
async function nginx(backend: number): Promise<number> {
  const port = await freePort();
  const home = mkdtempSync(path.join(folder, "nginx-"));
  mkdirSync(path.join(home, "tmp"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path tmp/${name};`,
  );
  const config = `daemon off; master_process off; pid pid; error_log error.log; events {}
http { access_log off; ${temporary.join(" ")} server { listen 127.0.0.1:${port};
  location / { proxy_pass http://127.0.0.1:${backend}; proxy_http_version 1.1; proxy_buffering off; } } }`;
  writeFileSync(path.join(home, "nginx.conf"), config);
  const child = spawn("nginx", ["-p", home, "-c", "nginx.conf", "-e", "error.log"], { stdio: "ignore" });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "close");
  });
  await eventually("nginx", () => accepts(port));
  return port;
}

/** Null when the program can be run; else a sentence that says what is missing. */
function missing(program: string, ...args: string[]): string | null {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return null;
  } catch {
    return `no ${program} is installed`;
  }
}
