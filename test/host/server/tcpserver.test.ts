// The three forms where they need no second process: what may be called when, and what is refused. Reference: Tornado's
// tcpserver_test.
import { once } from "node:events";
import net from "node:net";
import { availableParallelism } from "node:os";
import { afterEach, describe, expect, test } from "vitest";

import { cpuCount, forkProcesses, IOStream, type ListeningSocket, TCPServer, taskId } from "../../../host/index.js";
import { bindSockets, hasReusePort } from "../../../host/net/bind.js";
import { runtimeNamed } from "../../../host/runtime/index.js";

class Hello extends TCPServer {
  accepted = 0;
  override async handleStream(stream: IOStream): Promise<void> {
    expect(stream).toBeInstanceOf(IOStream);
    this.accepted++;
    await stream.write("data");
    stream.close();
  }
}

const servers: TCPServer[] = [];
function make<T extends TCPServer>(server: T): T {
  servers.push(server);
  return server;
}
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(0)));
});

/** All that the server sends. */
async function read(port: number): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  return String(Buffer.concat(await socket.toArray()));
}

const portsOf = (server: TCPServer): number[] => server.addresses.map(({ port }) => port);

describe("listen", () => {
  test("several ports at once, and more later", async () => {
    const server = make(new Hello());
    await Promise.all([server.listen(0), server.listen(0), server.listen(0)]);
    await server.listen(0);
    const ports = portsOf(server);
    expect(new Set(ports).size).toBe(4);
    expect(await Promise.all(ports.map(read))).toEqual(Array(4).fill("data"));
  });

  test("the base class serves no connection: its handleStream throws", () => {
    expect(() => new TCPServer().handleStream(null as never, null)).toThrow(/TCPServer has no handleStream/);
  });

  test("a port in use leaves the others as they are", async () => {
    const server = make(new Hello());
    await server.listen(0);
    const [port] = portsOf(server);
    await expect(server.listen(port)).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(await read(port)).toBe("data");
  });
});

test("listen with reusePort: two servers on one port, or an error that names the version", async () => {
  const [one, two] = [make(new Hello()), make(new Hello())];
  const first = one.listen(0, "127.0.0.1", { reusePort: true });
  if (!hasReusePort(process.versions.node)) return expect(first).rejects.toThrow("reusePort needs Node 22.12");
  await first;
  await two.listen(portsOf(one)[0], "127.0.0.1", { reusePort: true });
  expect(portsOf(two)).toEqual(portsOf(one));
});

describe("bind and start", () => {
  test("no connection is served before start; clients that have connected are served then", async () => {
    const server = make(new Hello());
    server.bind(0);
    server.bind(0);
    const sockets = await bindSockets(0); // until the others are bound, too
    for (const socket of sockets) socket.close();
    expect(server.addresses).toEqual([]);
    await server.start();
    expect(await Promise.all(portsOf(server).map(read))).toEqual(["data", "data"]);
  });

  test("bind after start is served at once", async () => {
    const server = make(new Hello());
    await server.start();
    await server.bind(0);
    expect(await read(portsOf(server)[0])).toBe("data");
  });

  test("start twice is an error", async () => {
    const server = make(new Hello());
    await server.start();
    await expect(server.start()).rejects.toThrow("the server has been started before");
  });

  test("bind rejects with its error, and start does when bind was not awaited", async () => {
    const other = net.createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as net.AddressInfo;
    await expect(make(new Hello()).bind(port)).rejects.toMatchObject({ code: "EADDRINUSE", port });
    const server = make(new Hello());
    server.bind(port);
    await expect(server.start()).rejects.toMatchObject({ code: "EADDRINUSE", port });
    other.close();
  });

  test("stop without start gives the ports back", async () => {
    const server = make(new Hello());
    await server.bind(0);
    await server.stop();
    await expect(server.start()).rejects.toThrow("has been stopped");
  });
});

describe("bindSockets and addSockets", () => {
  test("connections wait until a server serves them", async () => {
    const sockets = await bindSockets(0);
    const early = read(sockets[0].address.port);
    const server = make(new Hello());
    await server.addSocket(sockets[0]);
    expect(await early).toBe("data");
  });

  test("several connections that wait are taken in one go, and each has a stream of its own", async () => {
    const sockets = await bindSockets(0);
    const early = Array.from({ length: 50 }, () => read(sockets[0].address.port));
    const server = make(new Hello());
    await server.addSockets(sockets);
    expect(await Promise.all(early)).toEqual(Array(50).fill("data"));
    expect(server.accepted).toBe(50);
  });

  test("sockets for another runtime are refused, and closed", async () => {
    const sockets: ListeningSocket[] = await bindSockets(0, "127.0.0.1", { runtime: "wasmtime" });
    const server = make(new Hello({ runtime: "node" }));
    await expect(server.addSockets(sockets)).rejects.toThrow(/"wasmtime" cannot be served by "node"/);
    await expect(read(sockets[0].address.port)).rejects.toThrow("ECONNREFUSED");
  });
});

test("a descriptor that is no socket is an error", async () => {
  const socket = runtimeNamed("node").adopt({ address: "127.0.0.1", port: 80, family: "IPv4" }, 9999, 10);
  const server = make(new Hello({ runtime: "node" }));
  await expect(server.addSockets([socket])).rejects.toMatchObject({ code: "EBADF", address: "127.0.0.1" });
});

describe("stop", () => {
  test("twice is no error; afterwards connections are refused", async () => {
    const server = make(new Hello());
    await server.listen(0);
    const [port] = portsOf(server);
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    await expect(read(port)).rejects.toThrow("ECONNREFUSED");
  });

  test("inside a handler, with forty connections at once", async () => {
    let stopped: Promise<void> | null = null;
    class Stopper extends TCPServer {
      override handleStream(stream: IOStream): void {
        stopped ??= this.stop(100);
        stream.close();
      }
    }
    const server = make(new Stopper());
    await server.listen(0);
    const [port] = portsOf(server);
    const clients = await Promise.allSettled(Array.from({ length: 40 }, () => read(port)));
    await stopped;
    await server.closed;
    for (const client of clients) {
      if (client.status === "rejected") expect(client.reason.code).toMatch(/ECONNRE(SET|FUSED)/);
    }
    await expect(read(port)).rejects.toThrow("ECONNREFUSED");
  });
});

describe("forkProcesses", () => {
  test("refuses what makes no sense, and a process that serves already", async () => {
    await expect(forkProcesses(-1)).rejects.toThrow(/count must be/);
    await expect(forkProcesses(1.5)).rejects.toThrow(/count must be/);
    await expect(forkProcesses(2, -1)).rejects.toThrow(/maxRestarts must be/);
    const server = make(new Hello());
    await server.listen(0);
    await expect(forkProcesses(2)).rejects.toThrow("must be called before anything is served");
  });

  test("cpuCount and taskId in a process that was not forked", () => {
    expect(cpuCount()).toBe(availableParallelism());
    expect(taskId()).toBe(null);
  });
});

test.each([Number.POSITIVE_INFINITY, 2 ** 31])(
  "a stop with a grace of %d ms cuts no connection off",
  async (graceMs) => {
    let opened = (): void => {};
    const accepted = new Promise<void>((resolve) => {
      opened = resolve;
    });
    class Slow extends TCPServer {
      override async handleStream(stream: IOStream): Promise<void> {
        opened();
        await stream.write(await stream.readUntil("\n"));
        stream.close();
      }
    }
    const server = make(new Slow());
    await server.listen(0);
    const socket = net.connect(portsOf(server)[0]);
    await accepted;
    const stopped = server.stop(graceMs);
    await new Promise((resolve) => setTimeout(resolve, 100)); // a timer that is set to more than 2^31 ms fires at once
    socket.end("in time\n");
    expect(String(Buffer.concat(await socket.toArray()))).toBe("in time\n");
    await stopped;
  },
);
