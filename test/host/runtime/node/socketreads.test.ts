// Sockets of Node's that are read into one buffer.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";

import { SOCKET_READ_BYTES } from "../../../../host/core/limits.js";
import { copyOfRead, readShared } from "../../../../host/runtime/node/socketreads.js";

test("an accepted socket gives what comes, and is not read while that is not wanted", async () => {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  const reads: Buffer[] = [];
  const isRead = readShared(socket, function (bytes, buffer) {
    expect(this).toBe(socket);
    reads.push(copyOfRead(buffer, bytes));
    this.emit("read");
    return false;
  });
  expect(isRead, "this Node has what is needed").toBe(true);
  const sent = Buffer.from(Array.from({ length: 5 * SOCKET_READ_BYTES + 7 }, (_, index) => index % 251));
  client.end(sent);
  for (let bytes = 0; bytes < sent.length; ) {
    const read = once(socket, "read");
    const before = reads.length;
    socket.resume();
    await read;
    await new Promise((resolve) => setImmediate(resolve));
    expect(reads.length, "one read a resume").toBe(before + 1);
    bytes += (reads.at(-1) as Buffer).length;
  }
  expect(Buffer.concat(reads).equals(sent)).toBe(true);
  expect(socket.readableLength).toBe(0);
  const ended = once(socket, "end");
  socket.resume();
  await ended;
  socket.destroy();
  server.close();
});
