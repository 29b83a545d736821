// Behind a real proxy: HAProxy ends TLS and sends PROXY protocol headers, version 1 and 2, to an application in each
// way to run. And without one: who is believed.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { HTTPServer } from "waterspout";

import { Authority, missingHAProxy, missingOpenSSL } from "./support/certificates.js";
import {
  eventually,
  NODE,
  ROOT,
  SANDBOXED_BARE,
  SANDBOXED_NODE,
  type Server,
  start,
  WASMTIME,
} from "./support/ways.js";

const APP = "test/e2e/apps/proxied.ts";
const REQUEST = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const missing = missingHAProxy ?? missingOpenSSL;

let folder: string;
let module: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "waterspout-proxied-"));
  module = path.join(folder, "proxied.wasm");
  const asc = path.join(ROOT, "node_modules/.bin/asc");
  execFileSync(asc, ["examples/sandboxed/proxied.ts", "--outFile", module], { cwd: ROOT });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** HAProxy with one TLS port for each way of sending headers, to one server. */
class HAProxy {
  readonly output: string[] = [];
  readonly #process;

  constructor(
    readonly ports: Readonly<Record<string, number>>,
    backend: number,
    certificate: string,
  ) {
    const parts = Object.entries(ports).map(
      ([send, port]) => `listen ${send}
  bind 127.0.0.1:${port} ssl crt ${certificate}
  server application 127.0.0.1:${backend} ${send}
`,
    );
    const head = "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n";
    const file = authority.write("haproxy.cfg", `${head}${parts.join("")}`);
    this.#process = spawn("haproxy", ["-db", "-f", file], { stdio: ["ignore", "pipe", "pipe"] });
    for (const pipe of [this.#process.stdout, this.#process.stderr]) {
      pipe.setEncoding("utf8").on("data", (text) => this.output.push(text));
    }
  }

  async serving(): Promise<void> {
    await eventually("HAProxy", async () => {
      if (this.#process.exitCode !== null) throw new Error(this.output.join(""));
      return await listens(Object.values(this.ports)[0] as number);
    });
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await ended;
  }
}

let authority: Authority;

describe.skipIf(missing !== null)(missing ?? "behind HAProxy", () => {
  let certificate: string;
  beforeAll(() => {
    authority = new Authority();
    const { certfile, keyfile } = authority.issue("proxy", "proxy.example");
    certificate = authority.write("both.pem", Buffer.concat([readFileSync(certfile), readFileSync(keyfile)]));
  });
  afterAll(() => authority.remove());

  describe.each([
    [SANDBOXED_BARE.name, () => start(SANDBOXED_BARE, module)],
    [SANDBOXED_NODE.name, () => start(SANDBOXED_NODE, module)],
    [NODE.name, () => start(NODE, APP)],
    [WASMTIME.name, () => start(WASMTIME, APP)],
  ])("%s", (_name, begin) => {
    let server: Server;
    let proxy: HAProxy;
    beforeAll(async () => {
      server = await begin();
      const [first, second] = await freePorts(2);
      proxy = new HAProxy(
        { "send-proxy": first as number, "send-proxy-v2": second as number },
        server.port,
        certificate,
      );
      await proxy.serving();
    });
    afterAll(async () => {
      await proxy.stop();
      await server.stop();
    });

    test.each(["send-proxy", "send-proxy-v2"])("%s: the client's address, through TLS", async (send) => {
      for (let round = 0; round < 5; round++) {
        const { answer, port } = await askSecurely(proxy.ports[send] as number);
        expect(answer).toBe(`127.0.0.1 ${port}`);
      }
    });
  });

  async function askSecurely(port: number): Promise<{ answer: string; port: number | undefined }> {
    const socket = tls.connect({ port, host: "127.0.0.1", ca: authority.pem });
    onTestFinished(() => void socket.destroy());
    await once(socket, "secureConnect");
    const { localPort } = socket;
    return { answer: await ask(socket, REQUEST), port: localPort };
  }
});

describe("who is believed", () => {
  const HEADER = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n";

  async function askFrom(server: Server, localAddress: string, bytes = HEADER + REQUEST): Promise<string> {
    const socket = net.connect({ port: server.port, host: "127.0.0.1", localAddress });
    onTestFinished(() => void socket.destroy());
    return await ask(socket, bytes);
  }

  test.each([NODE, WASMTIME])("$name: a header is needed, and is what the address comes from", async (way) => {
    const server = await start(way, APP);
    onTestFinished(() => server.stop());
    expect(await askFrom(server, "127.0.0.2")).toBe("192.0.2.7 4711");
    expect(await askFrom(server, "127.0.0.2", REQUEST)).toBe("");
  });

  test("node: connections from others than trustedProxies are closed", async () => {
    const env = { SERVER_OPTIONS: JSON.stringify({ trustedProxies: ["127.0.0.3", "10.0.0.0/8"] }) };
    const server = await start(NODE, APP, [], { env });
    onTestFinished(() => server.stop());
    expect(await askFrom(server, "127.0.0.3")).toBe("192.0.2.7 4711");
    expect(await askFrom(server, "127.0.0.2")).toBe("");
  });

  test.each([
    [{ proxyProtocol: true, trustedProxies: ["localhost"] }, /trustedProxies has "localhost"/],
    [{ proxyProtocol: true, trustedProxies: ["10.0.0.0/33"] }, /trustedProxies has "10\.0\.0\.0\/33"/],
    [{ trustedProxies: ["10.0.0.1"] }, /needs proxyProtocol/],
    [{ proxyProtocol: true, trustedProxies: [], runtime: "wasmtime" as const }, /does not tell who connects/],
  ])("%j is refused", (options, message) => {
    expect(() => new HTTPServer(() => {}, { runtime: "node", ...options })).toThrow(message);
  });
});

/** The body of the answer, "" when the connection ends without one. */
async function ask(socket: net.Socket, bytes: string): Promise<string> {
  const received: Buffer[] = [];
  socket.on("data", (chunk) => received.push(chunk));
  socket.on("error", () => {}); // "close" follows
  socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(received).toString().split("\r\n\r\n")[1] ?? "";
}

async function listens(port: number): Promise<boolean> {
  const socket = net.connect(port, "127.0.0.1");
  const listening = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  });
  socket.destroy();
  return listening;
}

async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => net.createServer().listen(0, "127.0.0.1"));
  await Promise.all(probes.map((probe) => once(probe, "listening")));
  const ports = probes.map((probe) => (probe.address() as net.AddressInfo).port);
  await Promise.all(probes.map((probe) => once(probe.close(), "close")));
  return ports;
}
