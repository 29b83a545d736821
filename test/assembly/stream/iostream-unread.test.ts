// Streams whose peer cannot be heard any more: none of them stays for ever, whatever its handler does.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { HALF_CLOSE_TIMEOUT_MS, READ_CHUNK_BYTES, UNREAD_TIMEOUT_MS } from "../../../assembly/core/limits";
import { accepted, listen, newest, pattern, server, settle, sleep, write } from "../support/sim";

test("a peer that has ended its side: closed when nothing was sent to it for so long", () => {
  listen();
  const peer = accepted();
  peer.end();
  sleep(HALF_CLOSE_TIMEOUT_MS - 1);
  write(newest().stream, "late");
  settle();
  sleep(HALF_CLOSE_TIMEOUT_MS - 1);
  expect(newest().take()).toBe("end");
  sleep(1);
  expect(newest().take()).toBe("close(2)");
  expect(peer.received).toBe("late");
  expect(server.connections).toBe(0);
});

test("the same with bytes before its end that the handler does not read, and a limit of its own", () => {
  listen();
  const peer = accepted();
  newest().stream.halfCloseTimeoutMs = 1000;
  peer.send("unread");
  peer.end();
  sleep(999);
  newest().stream.readBytes(2);
  sleep(999);
  expect(newest().take()).toBe("read(un)");
  sleep(1);
  expect(newest().take()).toBe("close(2)");
  expect(i32(bytesInUse())).toBe(0);
});

test("a peer whose bytes the handler does not take: closed when nothing was taken or sent for so long", () => {
  listen();
  const peer = accepted();
  peer.send(pattern(3 * READ_CHUNK_BYTES));
  peer.close();
  sleep(UNREAD_TIMEOUT_MS - 1);
  newest().stream.readBytes(1);
  sleep(UNREAD_TIMEOUT_MS - 1);
  expect(newest().take()).toBe("read(0)");
  sleep(1);
  expect(newest().take()).toBe("close(4)");
  expect(server.connections).toBe(0);
  expect(i32(bytesInUse())).toBe(0);
});
