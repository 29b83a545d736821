// A request whose connection becomes a stream: what the host hears, and that HTTP is over on it.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { CONNECTIONS_NOW, REQUESTS_NOW, stat } from "../../../assembly/core/stats";
import * as frames from "../../../assembly/bridge/frames";
import { connect } from "../../../assembly/wasi/sim/net";
import {
  HTTP,
  begun,
  close,
  config,
  detach,
  ends,
  frame,
  heard,
  heardAfter,
  idOf,
  readBytes,
  response,
  stop,
  tell,
  write,
} from "../support/bridge";
import { get, received } from "../support/http";
import { settle } from "../support/sim";

let malformed: string = "";

/** Ends the module with status 70. */
function isMalformed(data: string): void {
  malformed = data;
  expect(() => {
    tell(malformed);
  }).toThrowError("exit 70");
}

/** A request, number 1, that waits for its answer. */
function waiting(request: string): void {
  begun(config(HTTP));
  connect().send(request);
  heard();
}

/** CONFIG with the flag CONNECT. */
const CONNECTS: i32 = HTTP | (frames.CONFIG_CONNECT << 8);

describe("detached", () => {
  test("bytes go both ways; what came behind the request is read first", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/a") + get("/never"));
    expect(heard()).toBe("REQUEST#1(1,1,3,0 /a|host=x|)");
    expect(tell(detach(1))).toBe("DETACHED#1(" + get("/never").length.toString() + ")");
    expect(i32(stat(REQUESTS_NOW))).toBe(0);
    expect(tell(readBytes(1, 1000, 1))).toBe("DATA_END#1(" + get("/never") + ")");
    expect(tell(write(1, "raw") + readBytes(1, 1000, 1))).toBe("SENT#1(3)");
    expect(received(peer)).toBe("raw");
    peer.send("more");
    expect(heard()).toBe("DATA_END#1(more)");
    tell(readBytes(1, 1, 1));
    peer.end();
    expect(heard()).toBe("READ_FAILED#1(2) END#1()");
    expect(tell(write(1, "bye") + close(1, 0))).toBe("CLOSED#1(1)");
    expect(peer.take()).toBe("bye");
    expect(peer.closed).toBe(true);
    expect(i32(bytesInUse())).toBeLessThan(1000);
  });

  test("the slot's next request and next stream have other ids", () => {
    begun(config(HTTP));
    for (let i = 1; i < 4; i++) {
      const peer = connect();
      peer.send(get("/"));
      expect(heard()).toBe("REQUEST#" + i.toString() + "(1,1,3,0 /|host=x|)");
      expect(tell(detach(i))).toBe("DETACHED#" + i.toString() + "(0)");
      if (i > 1) expect(tell(write(i - 1, "old") + close(i - 1, 1))).toBe("");
      expect(tell(close(i, 1))).toBe("CLOSED#" + i.toString() + "(1)");
      expect(peer.take()).toBe("");
    }
    expect(i32(stat(CONNECTIONS_NOW))).toBe(0);
  });

  test("frames of the request find nothing any more", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    tell(detach(1));
    expect(tell(response(1, 200, frames.RESPONSE_LAST, -1, "x") + detach(1))).toBe("");
    expect(peer.take()).toBe("");
  });

  test("the end that came before is reported again", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    peer.end();
    expect(heardAfter(2000)).toBe("END#1()");
    expect(tell(detach(1) + readBytes(1, 1, 1))).toBe("DETACHED#1(0) READ_FAILED#1(2) END#1()");
  });

  test("a client that was reset before is not detached", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    peer.reset();
    expect(heardAfter(2000)).toBe("ABORT#1(3)");
    expect(tell(detach(1) + readBytes(1, 1, 1))).toBe("");
  });

  test("it lives through a stop until the grace is over", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    expect(tell(detach(1) + stop(5000))).toBe("DETACHED#1(0)");
    expect(tell(write(1, "x"))).toBe("SENT#1(1)");
    expect(heardAfter(5001)).toBe("CLOSED#1(7) DRAINED()");
    expect(ends()).toBe(true);
  });

  test("a request whose body has not come is malformed", () => {
    waiting("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    isMalformed(detach(1));
  });

  test("a request whose answer has begun is malformed", () => {
    waiting(get("/"));
    tell(response(1, 200, 0, -1, "begun"));
    isMalformed(detach(1));
  });

  test("a stream's frame to a request is malformed", () => {
    waiting(get("/"));
    isMalformed(write(1, "x"));
  });

  test("a DETACH that is not empty is malformed", () => {
    waiting(get("/"));
    isMalformed(frame(frames.FRAME_DETACH, idOf(1), "x"));
  });
});

describe("CONNECT", () => {
  test("is refused unless it is wanted", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n");
    expect(heard().startsWith("REFUSED(501,")).toBe(true);
  });

  test("becomes a request with the authority as its target, and a stream", () => {
    begun(config(CONNECTS));
    const peer = connect();
    peer.send("CONNECT [::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03");
    expect(heard()).toBe("REQUEST#1(0,1,2,0 CONNECT[::1]:443|host=x|)");
    expect(tell(detach(1) + readBytes(1, 100, 1))).toBe("DETACHED#1(2) DATA_END#1(\x16\x03)");
  });

  test("the connection ends behind another answer, whatever was sent into the tunnel", () => {
    begun(config(CONNECTS));
    const peer = connect();
    peer.send("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\nConnection: keep-alive\r\n\r\n" + get("/never"));
    heard();
    expect(tell(response(1, 403, frames.RESPONSE_LAST, -1, ""))).toBe("");
    expect(received(peer)).toBe("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });

  test("what frames a body, and a target that is no authority, are refused", () => {
    begun(config(CONNECTS));
    const fields = ["Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n"];
    for (let i = 0; i < fields.length; i++) {
      const peer = connect();
      peer.send("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n" + fields[i] + "\r\n");
      expect(heard().startsWith("REFUSED(501,")).toBe(true);
    }
    const targets = ["/", "http://x/", "x:1/", "u@x:1", "x:65536", "x", "x:", "x9", "9", "[::1]", ":80"];
    for (let i = 0; i < targets.length; i++) {
      const peer = connect();
      peer.send("CONNECT " + targets[i] + " HTTP/1.1\r\nHost: x\r\n\r\n");
      settle();
      expect(received(peer).startsWith("HTTP/1.1 400 ")).toBe(true);
    }
  });
});
