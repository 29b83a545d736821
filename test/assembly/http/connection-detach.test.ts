// A connection whose stream is handed to another protocol: what was unread stays, HTTP is over, the pool gets its own
// back.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { HTTP1Connection } from "../../../assembly/http/connection";
import { REQUESTS_NOW, stat } from "../../../assembly/core/stats";
import {
  NewProtocol,
  client,
  exchange,
  get,
  handler,
  isAlive,
  ok,
  post,
  received,
  server,
  takeOver,
} from "../support/http";
import { settle, sleep, write } from "../support/sim";

function connection(): HTTP1Connection {
  return server.connectionAt(handler.request!.slot)!;
}

test("what came behind the request belongs to the new protocol", () => {
  const peer = client();
  exchange(peer, get("/hello?n=1") + get("/never") + "behind");
  expect(received(peer)).toBe("");
  const seen = takeOver(handler.request!);
  expect(handler.request!.inFlight).toBe(false);
  expect(i32(stat(REQUESTS_NOW))).toBe(0);
  write(seen.stream, "switched");
  settle();
  expect(received(peer)).toBe("switched");
  expect(seen.take()).toBe("bytes(behind)");
  exchange(peer, "more");
  expect(seen.take()).toBe("bytes(more)");
});

test("from inside the handler's call, with the rest in the same packet", () => {
  const peer = client();
  exchange(peer, get("/upgrade") + "frames");
  expect(handler.takenOver!.take()).toBe("bytes(frames)");
  peer.end();
  settle();
  expect(handler.takenOver!.take()).toBe("end");
  expect(handler.take()).toBe("/upgrade");
});

test("the new handler hears of the peer's end though it came before", () => {
  const peer = client();
  exchange(peer, get("/never"));
  peer.end();
  sleep(1000);
  const seen = takeOver(handler.request!);
  settle();
  expect(seen.take()).toBe("end");
  write(seen.stream, "still");
  seen.stream.finish(false);
  settle();
  expect(received(peer)).toBe("still");
  expect(seen.take()).toBe("close(1)");
});

test("the slot is free again when the stream has closed, and not before", () => {
  const peer = client();
  exchange(peer, get("/never"));
  const slot = handler.request!.slot;
  const seen = takeOver(handler.request!);
  exchange(client(), get("/hello"));
  expect(handler.request!.slot).not.toBe(slot);
  seen.stream.close();
  settle();
  expect(seen.take()).toBe("close(1)");
  expect(server.connections).toBe(1);
  const next = client();
  expect(exchange(next, get("/hello?n=3"))).toBe(ok("hello 3"));
  expect(handler.request!.slot).toBe(slot);
  expect(isAlive(next)).toBe(true);
  expect(handler.take()).not.toContain("gone");
  expect(i32(bytesInUse())).toBe(0);
});

test("twice on the same slot", () => {
  for (let i = 0; i < 3; i++) {
    const peer = client();
    exchange(peer, get("/never"));
    const seen = takeOver(handler.request!);
    peer.reset();
    sleep(1000);
    expect(seen.take()).toBe("close(3)");
    expect(server.connections).toBe(0);
  }
  expect(server.connectionAt(1) == null).toBe(true);
});

test("only a complete request whose answer has not begun is handed over", () => {
  const peer = client();
  exchange(peer, "POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n");
  expect(connection().detach(new NewProtocol()) == null).toBe(true);
  exchange(peer, "abc");
  handler.request!.respond(200, "text/plain", "answered");
  expect(connection().detach(new NewProtocol()) == null).toBe(true);
  exchange(peer, get("/open"));
  expect(connection().detach(new NewProtocol()) == null).toBe(true);
  handler.request!.finish();
  settle();
  received(peer);
  expect(isAlive(peer)).toBe(true);
  exchange(peer, post("/never", "abc"));
  expect(connection().detach(new NewProtocol()) != null).toBe(true);
});

test("it hears of a stop, and may go on until the grace is over", () => {
  const peer = client();
  exchange(peer, get("/never"));
  const seen = takeOver(handler.request!);
  server.drain(5000);
  expect(seen.take()).toBe("drain");
  sleep(4999);
  exchange(peer, "on");
  expect(seen.take()).toBe("bytes(on)");
  sleep(1);
  expect(seen.take()).toBe("close(7)");
  expect(server.connections).toBe(0);
});
