// The runtimes that are components, from a program's side: where they listen, who their peers are, TLS, a worker that is replaced, and
// what they refuse, each in a sentence that names the runtimes that have it.
import { once } from "node:events";
import net from "node:net";
import { networkInterfaces } from "node:os";
import tls from "node:tls";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import {
  type Address,
  addAcceptHandler,
  bindSockets,
  bindUnixSocket,
  HTTPServer,
  type RuntimeName,
  type ServerOptions,
  TCPServer,
} from "waterspout";

import { Authority, missingOpenSSL } from "./support/certificates.js";
import { importsOf } from "./support/components.js";
import { isAlive, workersOf } from "./support/processes.js";
import { eventually, makeComponents, run, start } from "./support/ways.js";

const RUNTIMES = ["component-async", "component"] as const;
/** An address of this machine that is no loopback one: a client there is not trusted as a proxy by default. */
const OWN = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;
const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

/** A server that answers with what it knows of its client. */
function whoServer(runtime: RuntimeName, options: ServerOptions = {}): HTTPServer {
  const server = new HTTPServer(
    (request) => {
      const { address, port } = request.remoteAddress ?? {};
      request.respond(200, { "Content-Type": "text/plain" }, `${request.protocol} ${address} ${port}`);
    },
    { runtime, ...options },
  );
  onTestFinished(() => server.stop(0));
  return server;
}

/** What `socket` is answered, and the port that it asks from. */
async function ask(socket: net.Socket, fields = ""): Promise<{ text: string; from: number }> {
  let text = "";
  socket.on("data", (chunk) => (text += chunk));
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${fields}Connection: close\r\n\r\n`);
  const from = socket.localPort as number;
  await once(socket, "close");
  return { text: text.split("\r\n\r\n")[1] ?? text, from };
}

async function connect({ address, port }: Pick<Address, "address" | "port">): Promise<net.Socket> {
  const socket = net.connect({ host: address, port });
  await once(socket, "connect");
  return socket;
}

describe.each(RUNTIMES)("%s", (runtime) => {
  test("a free port is known when it listens; each listen has its own worker and real peers", async () => {
    const server = whoServer(runtime);
    const addresses = ["127.0.0.1", ...(hasIPv6 ? ["::1"] : [])];
    for (const address of addresses) await server.listen(0, address);
    expect(server.addresses.map(({ address }) => address)).toEqual(addresses);
    for (const at of server.addresses) {
      expect(at.port).toBeGreaterThan(0);
      const { text, from } = await ask(await connect(at));
      expect(text).toBe(`http ${at.address} ${from}`);
    }
    expect((await server.stats()).requestsEver).toBe(addresses.length);
  });

  test("a port that is taken is an error with the system's code, before anything runs", async () => {
    const holder = net.createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    onTestFinished(() => void holder.close());
    const { port } = holder.address() as net.AddressInfo;
    await expect(whoServer(runtime).listen(port)).rejects.toMatchObject({ name: "BindError", code: "EADDRINUSE" });
  });

  test("the PROXY protocol's address, and header fields of a trusted proxy alone", async () => {
    const proxied = whoServer(runtime, { proxyProtocol: true });
    await proxied.listen(0);
    const socket = await connect(proxied.addresses[0] as Address);
    socket.write("PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\n");
    expect((await ask(socket)).text).toBe("http 192.0.2.7 4711");

    for (const address of ["127.0.0.1", ...(OWN === undefined ? [] : [OWN])]) {
      const server = whoServer(runtime, { xheaders: true });
      await server.listen(0, address);
      const seen = await ask(await connect(server.addresses[0] as Address), "X-Real-Ip: 192.0.2.9\r\n");
      expect(seen.text).toContain(`http ${address === OWN ? OWN : "192.0.2.9"} `);
    }
  });

  test("a stop lets what has begun finish", async () => {
    let begun: () => void = () => {};
    const asked = new Promise<void>((resolve) => (begun = resolve));
    let goOn: () => void = () => {};
    const answer = new Promise<void>((resolve) => (goOn = resolve));
    const server = new HTTPServer(
      async (request) => {
        begun();
        await answer;
        request.respond(200, {}, "at last");
      },
      { runtime },
    );
    await server.listen(0);
    const asking = ask(await connect(server.addresses[0] as Address));
    await asked;
    const stopped = server.stop(10_000);
    goOn();
    expect((await asking).text).toBe("at last");
    await stopped;
  });
});

describe.each(RUNTIMES)("%s, what it refuses and what Node does for it", (runtime) => {
  test("what a component does not have is refused, and by whom it is had", async () => {
    const other = "take the runtime node or wasmtime for that";
    expect(() => new HTTPServer(() => {}, { runtime, workers: 2 })).toThrow(
      `the runtime ${runtime} has one worker, not 2: ${other}`,
    );
    const server = whoServer(runtime);
    await server.bind(0);
    await expect(server.start(3)).rejects.toThrow(`the runtime ${runtime} has one worker, not 3: ${other}`);
    await expect(whoServer(runtime).listen(0, "")).rejects.toThrow(
      /^the runtime component\S* has one address, and these are 0\.0\.0\.0:\d+ and \[::\]:\d+: take the runtime node or/,
    );
    await expect(bindSockets(0, "::", { runtime, ipv6Only: false })).rejects.toThrow(
      `the runtime ${runtime} has IPv6 sockets for IPv6 alone: ${other}`,
    );
    await expect(bindSockets(0, "127.0.0.1", { runtime, reusePort: true })).rejects.toThrow(
      /has no SO_REUSEPORT: take the runtime node or wasmtime|^reusePort needs Node 22/,
    );
    await expect(bindUnixSocket("/tmp/none.sock", { runtime })).rejects.toThrow(
      `the runtime ${runtime} takes no Unix-domain sockets; use the runtime "node"`,
    );
    expect(() => whoServer(runtime, { proxyProtocol: true, trustedProxies: ["127.0.0.1"] })).toThrow(
      `trustedProxies cannot be held to with the runtime ${runtime}`,
    );
  });

  test("the command refuses in one sentence, too", async () => {
    for (const [args, why] of [
      [["--workers", "2"], `the runtime ${runtime} has one worker, not 2`],
      [["--watch"], `the runtime ${runtime} has no --watch`],
    ] as const) {
      const ended = await run(["run", "examples/demo.ts", "--port", "0", "--runtime", runtime, ...args]);
      expect(ended).toMatchObject({ code: 2, stdout: "" });
      expect(ended.stderr).toMatch(new RegExp(`^waterspout: ${why}[^\n]*take the runtime node or wasmtime[^\n]*\n$`));
    }
    const wasm = await run(["run", "build/demo.wasm", "--port", "0", "--runtime", runtime]);
    expect(wasm.stderr).toContain(`is no component: the runtimes node and wasmtime serve it, not ${runtime}`);
  });

  test.skipIf(missingOpenSSL !== null)("TLS ends in Node; only it is served by the worker behind", async () => {
    const authority = new Authority();
    afterAll(() => authority.remove());
    const server = whoServer(runtime, { sslOptions: authority.issue("server", "server.example") });
    await server.listen(0);
    const { port } = server.addresses[0] as Address;
    for (let i = 0; i < 3; i++) {
      const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const { text, from } = await ask(socket);
      expect(text).toBe(`https 127.0.0.1 ${from}`);
    }
  });
});

test("its rights are those of a bare component, and stdin and stdout", async () => {
  makeComponents();
  for (const [runtime, more] of [
    ["component-async", ["wasi:cli/stdin@0.3.0.read-via-stream", "wasi:cli/stdout@0.3.0.write-via-stream"]],
    ["component", ["wasi:cli/stdin@0.2.0.get-stdin", "wasi:cli/stdout@0.2.0.get-stdout"]],
  ] as const) {
    const bare = await importsOf(`build/demo.${runtime}.wasm`);
    expect((await importsOf(`build/core.${runtime}.wasm`)).sort()).toEqual([...bare, ...more].sort());
  }
}, 300_000);

test("connections of bound sockets can be taken without a server, also of those for a component", async () => {
  const [socket] = await bindSockets(0, "127.0.0.1", { runtime: "component-async" });
  onTestFinished(() => socket?.close());
  const accepted = new Promise<string>((resolve) => {
    addAcceptHandler(socket as never, (connection, { address }) => {
      connection.destroy();
      resolve(address);
    });
  });
  const client = await connect(socket?.address as Address);
  expect(await accepted).toBe("127.0.0.1");
  client.destroy();
});

test("a worker that is killed is replaced on the same port, and says what was lost", async () => {
  const server = await start({ name: "component-async", runtime: "component-async", demo: "examples/demo.ts" });
  try {
    const open = await server.connect();
    open.send("GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
    await server.get("/");
    const [victim] = workersOf(server.pid);
    process.kill(victim.pid, "SIGKILL");
    await open.gone();
    await server.complaint(/SIGKILL; lost with it: 1 request; it is started again/);
    expect(isAlive(victim)).toBe(false);
    await eventually("served again", () =>
      server.get("/").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  } finally {
    await server.stop();
  }
});

test("TCP streams know their peer", async () => {
  class Who extends TCPServer {
    override async handleStream(
      stream: { write(text: string): Promise<void>; close(): void },
      address: Address | null,
    ) {
      await stream.write(`${address?.address} ${address?.port}\n`);
      stream.close();
    }
  }
  const server = new Who({ runtime: "component-async" });
  onTestFinished(() => server.stop(0));
  await server.listen(0);
  const socket = await connect(server.addresses[0] as Address);
  const [line] = await once(socket, "data");
  expect(String(line)).toBe(`127.0.0.1 ${socket.localPort}\n`);
});
