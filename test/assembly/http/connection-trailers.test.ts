// Trailers of chunked bodies: the handler gets those that are safe, whole, with the end of the body; their memory comes
// back.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { TRAILER_BYTES_MAX } from "../../../assembly/core/limits";
import { chunked, client, exchange, get, handler, isAlive, isRefusal, ok, received } from "../support/http";
import { settle, sleep } from "../support/sim";

const BODY: string = "2\r\nab\r\n0\r\nX-Sum: 12\r\nTransfer-Encoding: gzip\r\nX-Two: \tb c \r\n\r\n";

test("those that are safe, in their order, without the white space around", () => {
  const peer = client();
  expect(exchange(peer, chunked("/sum", BODY))).toBe(ok("2"));
  expect(handler.take()).toBe("/sum finish[X-Sum=12][X-Two=b c]");
  expect(i32(bytesInUse())).toBe(0);
});

test("in any pieces", () => {
  const peer = client();
  const request = chunked("/sum", BODY);
  for (let cut = 1; cut < request.length; cut++) {
    exchange(peer, request.substr(0, cut));
    expect(exchange(peer, request.substr(cut))).toBe(ok("2"));
    expect(handler.take()).toBe("/sum finish[X-Sum=12][X-Two=b c]");
  }
  for (let i = 0; i < request.length; i++) exchange(peer, request.charAt(i));
  expect(handler.take()).toBe("/sum finish[X-Sum=12][X-Two=b c]");
  expect(i32(bytesInUse())).toBe(0);
});

test("by name, in any case", () => {
  const peer = client();
  exchange(peer, chunked("/trailer", BODY));
  expect(received(peer)).toBe("");
  expect(handler.take()).toBe("/trailer data(ab) finish[X-Sum=12][X-Two=b c]");
  expect(handler.trailer).toBe("b c");
});

test("they are of one request only, and gone behind finish()", () => {
  const peer = client();
  exchange(peer, chunked("/never", BODY));
  expect(handler.request!.nextTrailer(0)).toBe(-1);
  expect(i32(bytesInUse())).toBe(0);
  handler.request!.respond(200, "text/plain", "now");
  settle();
  expect(received(peer)).toBe(ok("now"));
  handler.take();
  exchange(peer, chunked("/sum", "0\r\n\r\n"));
  expect(handler.take()).toBe("/sum finish");
});

test("those of a body that the handler does not take are not kept", () => {
  const peer = client();
  expect(exchange(peer, chunked("/early?n=1", "2\r\nab\r\n0\r\nX-Sum: 12\r\n"))).toBe(ok("early 1"));
  expect(i32(bytesInUse())).toBe(0);
  expect(exchange(peer, "\r\n" + get("/hello?n=2"))).toBe(ok("hello 2"));
});

test("cut off: the handler hears that the request is lost, and memory comes back", () => {
  const peer = client();
  exchange(peer, chunked("/sum", "2\r\nab\r\n0\r\nX-Sum: 12\r\nX-T"));
  peer.reset();
  sleep(1000);
  expect(handler.take()).toBe("/sum gone(3)");
  expect(i32(bytesInUse())).toBe(0);
});

test("their size has a limit: on both sides", () => {
  const filler = "X: " + "x".repeat(i32(TRAILER_BYTES_MAX) - "X: \r\n\r\n".length);
  const peer = client();
  exchange(peer, chunked("/sum", "0\r\n" + filler + "\r\n\r\n"));
  received(peer);
  expect(isAlive(peer)).toBe(true);
  isRefusal(peer, exchange(peer, chunked("/sum", "0\r\n" + filler + "x\r\n\r\n")), 431);
});
