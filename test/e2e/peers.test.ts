// The address of a peer is noted when its connection is accepted, so that a peer that resets its connection at once is not
// taken for another.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  type AccessEntry,
  type Address,
  bindUnixSocket,
  HTTPServer,
  type HTTPServerRequest,
  type ServerOptions,
  TCPServer,
} from "waterspout";

import { Authority, missingOpenSSL } from "./support/certificates.js";
import { eventually } from "./support/ways.js";

/** Connections of one attack. */
const ATTEMPTS = 60;
const ATTACKER = "127.0.0.2";
const PROXY = "127.0.0.3";
const CLAIMED = "198.51.100.66";
/** An address of this machine that is no loopback one: clients at those are trusted as proxies by default. */
const OWN = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;
const REQUEST = `GET /claim HTTP/1.1\r\nHost: x\r\nX-Real-Ip: ${CLAIMED}\r\nX-Scheme: https\r\n\r\n`;
const HEADER = `PROXY TCP4 ${CLAIMED} 203.0.113.1 4711 443\r\n`;

type Way = [name: string, options: ServerOptions];
const ways: Way[] = [["node", { runtime: "node" }]];
let authority: Authority;
if (missingOpenSSL === null) {
  authority = new Authority();
  const sslOptions = authority.issue("server", "server.example");
  ways.push(
    ["node, with TLS", { runtime: "node", sslOptions }],
    ["wasmtime, with TLS", { runtime: "wasmtime", sslOptions }],
  );
}
afterAll(() => authority?.remove());

/** A listening server that records what its handler sees of each request, and its access log. */
async function serve(options: ServerOptions, address = "127.0.0.1") {
  const told: (string | null)[] = [];
  const log: AccessEntry[] = [];
  const accessLog = (entry: AccessEntry) => void log.push(entry);
  const server = new HTTPServer(
    (request) => {
      told.push(request.remoteAddress?.address ?? null);
      request.respond(200, {}, `${request.remoteAddress?.address} ${request.protocol}`);
    },
    { accessLog, ...options },
  );
  onTestFinished(() => server.stop(0));
  await server.listen(0, address);
  return { at: server.addresses[0] as Address, told, log };
}

/** Connects from `localAddress`, through TLS where the server has it. */
async function connect(
  { address, port }: Address,
  localAddress: string,
  secure: boolean,
): Promise<{ raw: net.Socket; inner: net.Socket }> {
  const raw = net.connect({ port, host: address, localAddress }).on("error", () => {});
  onTestFinished(() => void raw.destroy());
  await once(raw, "connect");
  if (!secure) return { raw, inner: raw };
  const inner = tls.connect({ socket: raw, rejectUnauthorized: false }).on("error", () => {});
  await once(inner, "secureConnect");
  return { raw, inner };
}

/** Sends `bytes` and resets the connection before the server can have answered, many times. */
async function attack(at: Address, from: string, bytes: string, secure: boolean): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { raw, inner } = await connect(at, from, secure);
    await new Promise((sent) => inner.write(bytes, sent));
    raw.resetAndDestroy();
    await once(raw, "close");
  }
}

async function ask(at: Address, localAddress: string, bytes: string, secure: boolean): Promise<string> {
  const { inner } = await connect(at, localAddress, secure);
  inner.write(bytes.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  const chunks: Buffer[] = [];
  inner.on("data", (chunk) => chunks.push(chunk));
  await once(inner, "close");
  return Buffer.concat(chunks).toString().split("\r\n\r\n")[1] ?? "";
}

describe.each(ways)("%s", (_name, options) => {
  const secure = options.sslOptions !== undefined;

  test.skipIf(OWN === undefined)(
    "header fields of a client that resets its connection at once are not believed",
    async () => {
      const own = OWN as string;
      const { at, told, log } = await serve({ ...options, xheaders: true, trustedDownstream: [PROXY] }, own);
      await attack(at, own, REQUEST, secure);
      expect(await ask(at, own, REQUEST, secure)).toBe(`${own} ${secure ? "https" : "http"}`);
      expect([...told, ...log.map(({ address }) => address)].filter((address) => address !== own)).toEqual([]);
      const { at: trusting } = await serve({ ...options, xheaders: true, trustedDownstream: [own] }, own);
      expect(await ask(trusting, own, REQUEST, secure)).toBe(`${CLAIMED} https`);
    },
  );

  test("a request whose client is gone still tells who that was", async () => {
    let came = (_request: HTTPServerRequest): void => {};
    const coming = new Promise<HTTPServerRequest>((resolve) => {
      came = resolve;
    });
    const server = new HTTPServer((request) => came(request), options);
    onTestFinished(() => server.stop(0));
    await server.listen(0, "127.0.0.1");
    const { raw, inner } = await connect(server.addresses[0] as Address, ATTACKER, secure);
    const { localPort } = raw;
    inner.write(REQUEST);
    const request = await coming;
    raw.resetAndDestroy();
    await new Promise((gone) => request.signal.addEventListener("abort", gone));
    expect(request.remoteAddress).toEqual({ address: ATTACKER, port: localPort, family: "IPv4" });
    expect(request.tls?.version).toBe(secure ? "TLSv1.3" : undefined);
  });

  test("nor does one that comes together with its connection's reset lose its address", async () => {
    const { at, told, log } = await serve(options);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { raw, inner } = await connect(at, ATTACKER, secure);
      inner.write(REQUEST);
      await once(inner, "data");
      await new Promise((sent) => inner.write(REQUEST, sent));
      raw.resetAndDestroy();
    }
    expect(await ask(at, PROXY, REQUEST, secure)).toBe(`${PROXY} ${secure ? "https" : "http"}`);
    expect(told.length).toBeGreaterThan(ATTEMPTS);
    expect([...told, ...log.map(({ address }) => address)].filter((address) => address !== ATTACKER)).toEqual([
      PROXY,
      PROXY,
    ]);
  });

  test("a stream server is never given a peer without an address", async () => {
    const addresses: (string | undefined)[] = [];
    class Notes extends TCPServer {
      override handleStream(stream: { close(): void }, address: Address | null): void {
        addresses.push(address?.address);
        stream.close();
      }
    }
    const server = new Notes(options);
    onTestFinished(() => server.stop(0));
    await server.listen(0, "127.0.0.1");
    const at = server.addresses[0] as Address;
    await attack(at, ATTACKER, "hello", secure);
    await connect(at, PROXY, secure);
    await eventually("the last one", () => addresses.includes(PROXY));
    expect(addresses.filter((address) => address !== ATTACKER && address !== PROXY)).toEqual([]);
  });
});

test("node: a request has the address of its own connection, also when that is closed before its handler is called", async () => {
  const named = (address: Address | null): string => `${address?.address} ${address?.port}`;
  const told: [from: string | null, address: string][] = [];
  let closing: Promise<void> | null = null;
  const server = new HTTPServer(
    (request) => {
      told.push([request.headers.get("x-from"), named(request.remoteAddress)]);
      closing ??= server.closeAllConnections();
      request.respond(200);
    },
    { runtime: "node" },
  );
  onTestFinished(() => server.stop(0));
  await server.listen(0, "127.0.0.1");
  const at = server.addresses[0] as Address;
  // More in one turn than the sandbox reports to the host at a time: the rest comes when its connections have been
  // closed.
  const padding = "x".repeat(7000);
  for (let round = 0; round < 4; round++) {
    closing = null;
    const clients = await Promise.all(Array.from({ length: 300 }, () => connect(at, ATTACKER, false)));
    // Some are reset: the server closes them before it has read all of their requests.
    const ends = clients.map(({ raw }) => new Promise((resolve) => raw.resume().once("close", resolve)));
    for (const { raw } of clients) {
      raw.write(
        `GET / HTTP/1.1\r\nHost: x\r\nX-From: ${raw.localAddress} ${raw.localPort}\r\nX-Padding: ${padding}\r\n\r\n`,
      );
    }
    if (round === 3) await eventually("a request", () => closing !== null).then(() => server.stop(0));
    else await eventually("a request", () => closing !== null).then(() => closing);
    for (const { raw } of clients) raw.destroy();
    await Promise.all(ends);
  }
  expect(told.length).toBeGreaterThan(100);
  expect(told.filter(([from, address]) => from !== address)).toEqual([]);
});

test("node: a client that resets its connection at once is no trusted proxy", async () => {
  const { at, told } = await serve({ runtime: "node", proxyProtocol: true, trustedProxies: [PROXY] });
  await attack(at, ATTACKER, HEADER + REQUEST, false);
  expect(await ask(at, PROXY, HEADER + REQUEST, false)).toBe(`${CLAIMED} http`);
  expect(told).toEqual([CLAIMED]);
});

describe("over a Unix-domain socket, whose file says who may connect", () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "waterspout-peers-"));
    file = path.join(folder, "socket");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each<[name: string, options: ServerOptions, header: string, expected: string]>([
    ["the peer's address is the socket's path", {}, "", "the path http"],
    ["header fields are believed", { xheaders: true }, "", `${CLAIMED} https`],
    ["PROXY headers are believed", { proxyProtocol: true, trustedProxies: [PROXY] }, HEADER, `${CLAIMED} http`],
  ])("%s", async (_name, options, header, expected) => {
    const server = new HTTPServer(
      (request) => request.respond(200, {}, `${request.remoteAddress?.address} ${request.protocol}`),
      { runtime: "node", ...options },
    );
    onTestFinished(() => server.stop(0));
    await server.addSockets([await bindUnixSocket(file, { runtime: "node" })]);
    const socket = net.connect(file);
    socket.end(`${header}${REQUEST}`);
    const answer = String(Buffer.concat(await socket.toArray()));
    expect(answer.split("\r\n\r\n")[1]).toBe(expected.replace("the path", file));
  });
});
