// The imports that the node runtime gives a sandbox, called as the sandbox calls them: over memory, with real
// connections behind.
import { once } from "node:events";
import net from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { type Connection, type Descriptor, Listener } from "../../../../host/runtime/node/descriptors.js";
import { listen, type NodeListener } from "../../../../host/runtime/node/listener.js";
import { GuestExit, GuestFault } from "../../../../host/runtime/node/wasi.js";
import {
  AGAIN,
  BADF,
  CLOCK,
  DATA,
  EVENTS,
  FLAGS,
  Guest,
  IOVS,
  OUT,
  PAGE,
  READ,
  SUBS,
  WRITE,
} from "../../support/guest.js";

let guest: Guest;
beforeEach(() => {
  guest = new Guest();
});

let queue: NodeListener;
let listener: number;
const clients: net.Socket[] = [];

beforeEach(async () => {
  queue = await listen("127.0.0.1", 0, 16);
  listener = guest.table.add(new Listener(queue, guest.table));
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const client of clients.splice(0)) client.destroy();
  for (const entry of guest.table.entries)
    if (entry !== undefined && "destroy" in entry) (entry as Connection).destroy();
  queue.close();
});

const until = async (what: () => boolean): Promise<void> => {
  for (let turns = 0; !what(); turns++) {
    if (turns > 20_000) throw new Error(`waited in vain for ${what}`);
    await nextTurn();
  }
};
const entry = (fd: number): Descriptor => guest.table.entries[fd] as Descriptor;

/** Sends `block` again and again until not all of it is acknowledged. Returns how many bytes are, in all. */
function sendUntilFull(fd: number, block: string): number {
  for (let sent = 0; ; ) {
    const errno = guest.send(fd, block);
    if (errno === AGAIN) return sent;
    expect(errno).toBe(0);
    const bytes = guest.view.getUint32(OUT, true);
    sent += bytes;
    if (bytes < block.length) return sent;
  }
}

async function connect(): Promise<{ client: net.Socket; fd: number }> {
  const client = net.connect({ port: queue.address.port, host: "127.0.0.1", allowHalfOpen: true });
  clients.push(client);
  client.on("error", () => {});
  await until(() => entry(listener).readable);
  expect(guest.call.sock_accept(listener, 4, OUT)).toBe(0);
  return { client, fd: guest.view.getUint32(OUT, true) };
}

describe("sockets", () => {
  test("are accepted, read, written and closed", async () => {
    expect(guest.call.sock_accept(listener, 4, OUT)).toBe(AGAIN);
    const { client, fd } = await connect();
    expect(guest.call.sock_accept(listener, 4, OUT)).toBe(AGAIN);
    expect(guest.receive(fd).errno).toBe(AGAIN);
    client.write("hello");
    await until(() => entry(fd).readable);
    expect(guest.receive(fd, 3).text).toBe("hel");
    expect(guest.receive(fd).text).toBe("lo");
    expect(guest.receive(fd).errno).toBe(AGAIN);
    expect(guest.send(fd, "answer")).toBe(0);
    expect(String(await once(client, "data"))).toBe("answer");
    expect(guest.call.fd_close(fd)).toBe(0);
    expect(guest.receive(fd).errno).toBe(BADF);
    expect(guest.call.fd_close(fd)).toBe(BADF);
    client.resume();
    await once(client, "end");
  });

  test("are read into several pieces", async () => {
    const { client, fd } = await connect();
    client.write("abcdef");
    await until(() => entry(fd).readable);
    const count = guest.iov([DATA, 2], [DATA + 100, 3], [DATA + 200, 10]);
    expect(guest.call.sock_recv(fd, IOVS, count, 0, OUT, FLAGS)).toBe(0);
    expect(guest.view.getUint32(OUT, true)).toBe(6);
    expect([guest.text(DATA, 2), guest.text(DATA + 100, 3), guest.text(DATA + 200, 1)]).toEqual(["ab", "cde", "f"]);
  });

  test("have their peer's address", async () => {
    const { client, fd } = await connect();
    expect((entry(fd) as Connection).address).toEqual({ address: "127.0.0.1", port: client.localPort, family: "IPv4" });
  });

  test("tell the peer's end once, and can still send", async () => {
    const { client, fd } = await connect();
    client.end("last");
    await until(() => entry(fd).hungUp());
    expect(guest.poll([CLOCK, 0], [READ, fd])).toEqual([[1, 0, READ, 4, 1]]);
    expect(guest.receive(fd).text).toBe("last");
    expect(guest.poll([READ, fd])).toEqual([[0, 0, READ, 1, 1]]);
    expect(guest.receive(fd)).toEqual({ errno: 0, text: "" });
    expect(guest.poll([CLOCK, 0], [READ, fd])).toEqual([[0, 0, CLOCK, 0, 0]]);
    expect(guest.receive(fd)).toEqual({ errno: 0, text: "" });
    expect(guest.send(fd, "answer")).toBe(0);
    expect(guest.call.sock_shutdown(fd, 2)).toBe(0);
    expect(String(await once(client, "data"))).toBe("answer");
    client.resume();
    await once(client, "end");
  });

  test("tell a reset as an error", async () => {
    const { client, fd } = await connect();
    client.resetAndDestroy();
    await until(() => entry(fd).hungUp());
    expect(guest.receive(fd).errno).toBe(15);
    expect([15, 64]).toContain(guest.send(fd, "x"));
  });
});

describe("sockets whose peer is slow", () => {
  test("of a peer that does not read say EAGAIN, and are writable when it has read", async () => {
    const { client, fd } = await connect();
    client.pause();
    const block = "x".repeat(40_000);
    const sent = sendUntilFull(fd, block);
    expect(guest.poll([CLOCK, 0], [WRITE, fd])).toEqual([[0, 0, CLOCK, 0, 0]]);
    expect(guest.send(fd, block)).toBe(AGAIN);
    let received = 0;
    client.on("data", (chunk) => {
      received += chunk.length;
    });
    client.resume();
    await until(() => entry(fd).writable);
    expect(guest.poll([CLOCK, 0], [WRITE, fd])).toEqual([[1, 0, WRITE, 65_536, 0]]);
    expect(guest.send(fd, "x")).toBe(0);
    await until(() => received === sent + 1);
  });

  test("of what Node holds for a slow peer acknowledge all but a byte, and do not send it again", async () => {
    const { client, fd } = await connect();
    client.pause();
    const sent = sendUntilFull(fd, "x".repeat(40_000));
    const received: Buffer[] = [];
    client.on("data", (chunk) => received.push(chunk));
    client.resume();
    await until(() => entry(fd).writable);
    expect(guest.send(fd, "x and more")).toBe(0);
    expect(guest.view.getUint32(OUT, true)).toBe("x and more".length);
    const all = `${"x".repeat(sent)}x and more`;
    await until(() => Buffer.concat(received).length >= all.length);
    expect(Buffer.concat(received).toString()).toBe(all);
    expect(sent % 40_000).toBe(39_999);
  });

  test("of slow peers get what was sent to them, whatever memory it waited in", async () => {
    const all = [await connect(), await connect()];
    const memory = Buffer.from(guest.memory.grow(4) > 0 ? guest.memory.buffer : new ArrayBuffer(0));
    const sent = all.map(() => [] as Buffer[]);
    const rest = all.map(() => Buffer.alloc(0)); // was not acknowledged
    const received = all.map(() => [] as Buffer[]);
    for (const { client } of all) client.pause();
    let serial = 0;
    const fill = (index: number, size: number): void => {
      for (;;) {
        const block = Buffer.concat([rest[index], Buffer.alloc(size, ++serial)]);
        block.copy(memory, DATA);
        if (guest.call.sock_send(all[index].fd, IOVS, guest.iov([DATA, block.length]), 0, OUT) === AGAIN) return;
        const bytes = guest.view.getUint32(OUT, true);
        sent[index].push(block.subarray(0, bytes));
        rest[index] = block.subarray(bytes);
        if (bytes < block.length) return;
      }
    };
    const arrived = (index: number): boolean =>
      Buffer.concat(received[index]).length >= Buffer.concat(sent[index]).length;
    for (let round = 0; round < 2; round++) {
      fill(0, 40_000);
      fill(1, 200_000);
      for (const [index, { client, fd }] of all.entries()) {
        if (round === 0) client.on("data", (chunk) => received[index].push(chunk));
        client.resume();
        await until(() => entry(fd).writable && arrived(index));
        client.pause();
      }
    }
    for (const index of [0, 1]) {
      const all = Buffer.concat([...sent[index], rest[index]]);
      const got = Buffer.concat(received[index]);
      expect(all.subarray(0, got.length).equals(got)).toBe(true);
    }
  });

  test("hold one piece that their peer has not taken, and no more", async () => {
    const written = vi.spyOn(net.Socket.prototype, "write");
    const { client, fd } = await connect();
    client.pause();
    guest.memory.grow(4);
    const size = 200_000;
    while (guest.call.sock_send(fd, IOVS, guest.iov([DATA, size]), 0, OUT) === 0) {
      if (guest.view.getUint32(OUT, true) < size) break;
    }
    const socket = written.mock.contexts.at(-1) as net.Socket;
    expect(socket.writableLength).toBeGreaterThan(0);
    expect(socket.writableLength).toBeLessThanOrEqual(65_536);
    expect(guest.poll([CLOCK, 0], [WRITE, fd])).toEqual([[0, 0, CLOCK, 0, 0]]);
    for (let i = 0; i < 10; i++) expect(guest.send(fd, "x")).toBe(AGAIN);
    expect(socket.writableLength).toBeLessThanOrEqual(65_536);
  });
});

describe("sockets at their end", () => {
  test("closed in order, when all has been acknowledged, deliver it", async () => {
    const { client, fd } = await connect();
    client.pause();
    const sent = sendUntilFull(fd, "x".repeat(40_000));
    let received = 0;
    client.on("data", (chunk) => {
      received += chunk.length;
    });
    client.resume();
    await until(() => entry(fd).writable);
    expect(guest.send(fd, "x")).toBe(0);
    guest.call.fd_close(fd);
    await once(client, "end");
    expect(received).toBe(sent + 1);
  });

  test("given up, with more to send than their peer has taken, end at once", async () => {
    const { client, fd } = await connect();
    client.pause();
    client.on("error", () => {});
    const sent = sendUntilFull(fd, "x".repeat(40_000)) + 1;
    expect(guest.send(fd, "x and more")).toBe(AGAIN);
    guest.call.fd_close(fd);
    expect(guest.table.lingering.size).toBe(0);
    let received = 0;
    client.on("data", (chunk) => {
      received += chunk.length;
    });
    client.once("end", () => client.end());
    client.resume();
    await once(client, "close");
    expect(received).toBeLessThan(sent);
  });

  test("hold a sender that is not read", async () => {
    const { client, fd } = await connect();
    const block = Buffer.alloc(1 << 20, "x");
    for (let i = 0; i < 32; i++) client.write(block);
    await until(() => entry(fd).available() > 65_536);
    for (let turns = 0; turns < 200; turns++) await nextTurn();
    expect(entry(fd).available()).toBeLessThan(256 * 1024);
    let total = 0;
    await until(() => {
      for (let got = guest.receive(fd, 10_000); got.text.length > 0; got = guest.receive(fd, 10_000)) {
        total += got.text.length;
      }
      return total === 32 << 20;
    });
  });

  test("shut down for reading are at their end", async () => {
    const { client, fd } = await connect();
    client.write("ignored");
    await until(() => entry(fd).readable);
    guest.call.sock_shutdown(fd, 1);
    expect(guest.receive(fd)).toEqual({ errno: 0, text: "" });
  });
});

describe("descriptors", () => {
  test("wake the sandbox, and a poll finds each", async () => {
    const all = [await connect(), await connect(), await connect()];
    const { wakes } = guest;
    all[0].client.write("a");
    all[2].client.write("ccc");
    await until(() => entry(all[0].fd).readable && entry(all[2].fd).readable);
    expect(guest.wakes).toBeGreaterThan(wakes);
    const events = guest.poll([CLOCK, 0], [READ, listener], ...all.map(({ fd }): [number, number] => [READ, fd]));
    expect(events).toEqual([
      [2, 0, READ, 1, 0],
      [4, 0, READ, 3, 0],
    ]);
    const pending = net.connect(queue.address.port, "127.0.0.1");
    clients.push(pending);
    await until(() => entry(listener).readable);
    expect(guest.poll([READ, listener])).toEqual([[0, 0, READ, 1, 0]]);
  });

  test("take descriptors that are free", async () => {
    const first = await connect();
    guest.call.fd_close(first.fd);
    expect((await connect()).fd).toBe(first.fd);
  });

  test("count what is ready", async () => {
    const { client, fd } = await connect();
    client.end("x");
    await until(() => entry(fd).hungUp());
    guest.call.fd_close(fd);
    expect(guest.table.ready).toBe(0);
  });

  test("that are listeners close their port", async () => {
    guest.call.fd_close(listener);
    const client = net.connect(queue.address.port, "127.0.0.1");
    clients.push(client);
    const [error] = await once(client, "error");
    expect(error.code).toBe("ECONNREFUSED");
  });

  test("are distinguished by fd_fdstat_get", () => {
    expect(guest.call.fd_fdstat_get(listener, OUT)).toBe(0);
    expect(guest.view.getUint8(OUT)).toBe(6);
    expect(guest.call.fd_fdstat_get(99, OUT)).toBe(BADF);
  });
});

describe("a poll", () => {
  test("without a clock and with nothing ready has no events", () => {
    expect(guest.poll([READ, 5])).toEqual([[0, BADF, READ, 0, 0]]);
    expect(guest.poll([CLOCK, 0])).toEqual([[0, 0, CLOCK, 0, 0]]);
    expect(guest.call.poll_oneoff(SUBS, EVENTS, 0, OUT)).toBe(28);
  });
});

describe("the rest", () => {
  test("clocks go forward and are right", () => {
    const read = (clock: number): bigint => {
      expect(guest.call.clock_time_get(clock, 1n, OUT)).toBe(0);
      return guest.view.getBigUint64(OUT, true);
    };
    const [first, second] = [read(1), read(1)];
    expect(second).toBeGreaterThanOrEqual(first);
    expect(Math.abs(Number(first / 1000n) / 1000 - performance.now())).toBeLessThan(1000);
    expect(Math.abs(Number(read(0) / 1_000_000n) - Date.now())).toBeLessThan(1000);
  });

  test("proc_exit ends the call", () => {
    expect(() => guest.call.proc_exit(70)).toThrow(GuestExit);
  });

  test("output and log lines reach their streams", () => {
    for (let fd = 0; fd < 3; fd++) guest.table.add(new (class extends Listener {})(noQueue, guest.table));
    Buffer.from(guest.memory.buffer).write("abcdef", DATA);
    expect(guest.call.fd_write(1, IOVS, guest.iov([DATA, 2], [DATA + 2, 4]), OUT)).toBe(0);
    expect(guest.view.getUint32(OUT, true)).toBe(6);
    expect(guest.call.fd_write(2, IOVS, guest.iov([DATA, 1]), OUT)).toBe(0);
    expect(guest.written).toEqual([
      [1, "ab"],
      [1, "cdef"],
      [2, "a"],
    ]);
    guest.input = Buffer.from("input");
    expect(guest.call.fd_read(0, IOVS, guest.iov([DATA, 3]), OUT)).toBe(0);
    expect(guest.text(DATA, guest.view.getUint32(OUT, true))).toBe("inp");
    expect(guest.call.fd_read(1, IOVS, 1, OUT)).toBe(BADF);
    expect(guest.call.fd_write(0, IOVS, 1, OUT)).toBe(BADF);
  });

  test("memory that has grown is the memory that is used", () => {
    guest.call.clock_time_get(1, 1n, OUT);
    guest.memory.grow(1);
    const far = 2 * PAGE + 8;
    expect(guest.call.clock_time_get(0, 1n, far)).toBe(0);
    expect(guest.view.getBigUint64(far, true)).toBeGreaterThan(0n);
  });
});

describe("a pointer that leads out of memory ends the sandbox", () => {
  const END = 2 * PAGE;
  const cases: [string, (g: Guest) => number][] = [
    ["a result", (g) => g.call.clock_time_get(1, 1n, END - 4)],
    ["a negative result", (g) => g.call.clock_time_get(1, 1n, -8)],
    ["a result that is not aligned", (g) => g.call.clock_time_get(1, 1n, OUT + 1)],
    ["subscriptions", (g) => g.call.poll_oneoff(END - 48, EVENTS, 2, OUT)],
    ["events", (g) => g.call.poll_oneoff(SUBS, END - 32, 2, OUT)],
    ["a count", (g) => g.call.poll_oneoff(SUBS, EVENTS, 0x7fffffff, OUT)],
    ["a vector", (g) => g.call.fd_write(2, END - 8, 2, OUT)],
    ["a buffer", (g) => g.call.fd_write(2, IOVS, g.iov([END - 1, 2]), OUT)],
    ["a huge buffer", (g) => g.call.fd_write(2, IOVS, g.iov([8, 0xffffffff]), OUT)],
    ["an input buffer", (g) => g.call.fd_read(0, IOVS, g.iov([END, 1]), OUT)],
    ["a file's state", (g) => g.call.fd_fdstat_get(0, END - 8)],
  ];
  test.each(cases)("%s", (_name, use) => {
    for (let fd = 0; fd < 3; fd++) guest.table.add(new (class extends Listener {})(noQueue, guest.table));
    expect(() => use(guest)).toThrow(GuestFault);
  });
});

const noQueue = { waiting: 0, shift: () => undefined, watch: () => {}, close: () => {} };
