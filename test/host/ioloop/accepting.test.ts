// Listening sockets without a server: addAcceptHandler and IOLoop.addHandler, of either runtime's sockets.
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultLogger } from "../../../host/core/log.js";
import {
  type Address,
  addAcceptHandler,
  bindSockets,
  IOLoop,
  type ListeningSocket,
  type RuntimeName,
  streamFromNode,
  TCPServer,
} from "../../../host/index.js";

const RUNTIMES: RuntimeName[] = ["node", "wasmtime"];
let loop: IOLoop;
const failures: string[] = [];
const opened: { destroy(): void }[] = [];

beforeEach(() => {
  loop = IOLoop.current();
  failures.length = 0;
  loop.logger = { ...defaultLogger, error: (fields) => failures.push(String((fields as { err: unknown }).err)) };
});
afterEach(() => {
  loop.close(true);
  for (const each of opened.splice(0)) each.destroy();
});

async function bound(runtime: RuntimeName): Promise<ListeningSocket> {
  const [socket] = await bindSockets(0, "127.0.0.1", { runtime });
  opened.push({ destroy: () => socket.close() });
  return socket;
}

/** A client, connected. */
async function connect({ address: { port } }: ListeningSocket): Promise<Socket> {
  const client = net.connect(port, "127.0.0.1");
  opened.push(client);
  await once(client, "connect");
  return client;
}

/** The next one of what is pushed. */
function queue<Item>(): { push(item: Item): void; next(): Promise<Item> } {
  const items: Item[] = [];
  const waiters: ((item: Item) => void)[] = [];
  return {
    push: (item) => (waiters.length > 0 ? waiters.shift()?.(item) : items.push(item)),
    next: () => new Promise((resolve) => (items.length > 0 ? resolve(items.shift() as Item) : waiters.push(resolve))),
  };
}

describe.each(RUNTIMES)("a socket for %s", (runtime) => {
  test("addAcceptHandler gives each connection with its address, also those that came before", async () => {
    const socket = await bound(runtime);
    const early = await connect(socket);
    const came = queue<[Socket, Address]>();
    const remove = addAcceptHandler(socket, (connection, address) => came.push([connection, address]));
    const [first, address] = await came.next();
    expect(address).toMatchObject({ address: "127.0.0.1", port: early.localPort });
    const stream = streamFromNode(first);
    early.write("a line\nand more");
    expect((await stream.readUntil("\n")).toString()).toBe("a line\n");
    await stream.write("an answer");
    expect(String((await once(early, "data"))[0])).toBe("an answer");
    stream.close();
    const late = await connect(socket);
    const [second] = await came.next();
    expect(second.remotePort).toBe(late.localPort);
    second.destroy();
    remove();
    await connect(socket); // it stays bound, and no callback is called
    expect(failures).toEqual([]);
  });

  test("a callback that fails is logged, and the next connection comes; the remover ends it in the middle", async () => {
    const socket = await bound(runtime);
    const clients = await Promise.all([1, 2, 3].map(() => connect(socket)));
    const came = queue<Socket>();
    let left = 2;
    const remove = addAcceptHandler(socket, (connection) => {
      came.push(connection);
      if (--left === 0) remove();
      throw new Error("by the callback");
    });
    for (let i = 0; i < 2; i++) (await came.next()).destroy();
    expect(failures).toEqual(["Error: by the callback", "Error: by the callback"]);
    expect(clients).toHaveLength(3);
    const again = queue<Socket>();
    addAcceptHandler(socket, (connection) => again.push(connection));
    (await again.next()).destroy(); // the third has waited
  });

  test("IOLoop.addHandler tells of connections, which accept() gives until there is none", async () => {
    const socket = await bound(runtime);
    const events = queue<number>();
    loop.addHandler(
      socket,
      (target, ready) => {
        for (let next = target.accept(); next !== null; next = target.accept()) next[0].destroy();
        events.push(ready);
      },
      IOLoop.READ,
    );
    await connect(socket);
    expect(await events.next()).toBe(IOLoop.READ);
    expect(() => loop.addHandler(socket, () => {}, IOLoop.READ)).toThrow("added twice");
    loop.updateHandler(socket, IOLoop.NONE);
    await connect(socket);
    loop.updateHandler(socket, IOLoop.READ);
    expect(await events.next()).toBe(IOLoop.READ);
    loop.removeHandler(socket);
    expect(socket.accept()).toBeNull();
  });

  test("is taken once: by a server, or by a handler", async () => {
    const socket = await bound(runtime);
    const remove = addAcceptHandler(socket, () => {});
    await expect(new TCPServer({ runtime }).addSockets([socket])).rejects.toMatchObject({ code: "INVALID_OPTION" });
    remove();
    socket.close();
    expect(() => addAcceptHandler(socket, () => {})).toThrow(expect.objectContaining({ code: "IOLOOP" }));
    expect(() => loop.addHandler(3 as never, () => {}, IOLoop.READ)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  });

  test("close(true) of the loop closes it", async () => {
    const socket = await bound(runtime);
    addAcceptHandler(socket, () => {});
    loop.close(true);
    const client = net.connect(socket.address.port, "127.0.0.1");
    expect((await once(client, "error"))[0]).toMatchObject({ code: "ECONNREFUSED" });
  });
});

test("a socket that a server of this process has is refused", async () => {
  const socket = await bound("node");
  const server = new TCPServer({ runtime: "node" });
  await server.addSockets([socket]);
  expect(() => addAcceptHandler(socket, () => {})).toThrow("a server takes the connections");
  await server.stop(0);
});
