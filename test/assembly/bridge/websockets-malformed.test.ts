// Frames of the host's that cannot be, to a websocket or to a request that may become one.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import * as frames from "../../../assembly/bridge/frames";
import { connect, network } from "../../../assembly/wasi/sim/net";
import { HTTP, begun, config, frame, heard, idOf, response, tell, u16s, u32s } from "../support/bridge";
import { accept, bye, data, opened } from "../support/bridgewebsockets";
import { get } from "../support/http";
import { handshake } from "../support/websockets";

let malformed: string = "";

/** To an open websocket, or to a request that waits when `waits`: ends the module with status 70. */
function isMalformed(data: string): void {
  malformed = data;
  expect(() => {
    tell(malformed);
  }).toThrowError("exit 70");
  expect(network().logged.startsWith("waterspout: malformed frame from the host: ")).toBe(true);
}

/** A request, number 1, that waits for its answer. */
function waiting(request: string): void {
  begun(config(HTTP));
  connect().send(request);
  heard();
}

describe("malformed frames end the module", () => {
  test("WS_ACCEPT of a request that is no handshake", () => {
    waiting(get("/"));
    isMalformed(accept(1));
  });
  test("WS_ACCEPT of a request that is none, behind one that was", () => {
    waiting(handshake() + get("/"));
    expect(tell(response(1, 403, frames.RESPONSE_LAST, -1, ""))).toContain("REQUEST#2(1,1,3,0 /|");
    isMalformed(accept(2));
  });
  test("WS_ACCEPT after RESPONSE", () => {
    waiting(handshake());
    tell(response(1, 200, 0, -1, "begun"));
    isMalformed(accept(1));
  });
  test("WS_ACCEPT that is too short", () => {
    waiting(handshake());
    isMalformed(frame(frames.FRAME_WS_ACCEPT, idOf(1), "1234567"));
  });
  test("WS_ACCEPT with sizes that do not add up", () => {
    waiting(handshake());
    isMalformed(frame(frames.FRAME_WS_ACCEPT, idOf(1), u32s(0) + u16s(0) + u16s(1) + u16s(3) + u16s(1) + "abc"));
  });
  test("WS_ACCEPT with more rows than it holds", () => {
    waiting(handshake());
    isMalformed(frame(frames.FRAME_WS_ACCEPT, idOf(1), u32s(0) + u16s(0) + u16s(500) + u32s(0)));
  });
  test("WS_ACCEPT with an unknown flag", () => {
    waiting(handshake());
    isMalformed(accept(1, 0, 2));
  });
});

describe("malformed frames to an open websocket end the module", () => {
  test("WS_SEND that is too short", () => {
    opened();
    isMalformed(frame(frames.FRAME_WS_SEND, idOf(1), "1234567"));
  });
  test("WS_SEND with an unknown opcode", () => {
    opened();
    isMalformed(data(1, 8, ""));
  });
  test("WS_SEND with an unknown flag", () => {
    opened();
    isMalformed(data(1, 1, "", 0, 4));
  });
  test("WS_SEND with the flag LAST, which is WS_DATA's", () => {
    opened();
    isMalformed(data(1, 1, "", 0, frames.WS_LAST));
  });
  test("WS_SEND that continues nothing", () => {
    opened();
    isMalformed(data(1, 0, ""));
  });
  test("WS_SEND that begins in a message", () => {
    opened();
    isMalformed(data(1, 1, "a", 1) + data(1, 1, "b"));
  });
  test("WS_SEND that brings more than its first piece said", () => {
    opened();
    isMalformed(data(1, 1, "a", 2) + data(1, 0, "bcd"));
  });
  test("WS_SEND that ends before what its first piece said", () => {
    opened();
    isMalformed(data(1, 1, "a", 2) + data(1, 0, "b"));
  });
  test("WS_SEND that announces more in the middle", () => {
    opened();
    isMalformed(data(1, 1, "a", 2) + data(1, 0, "b", 2));
  });
  test("WS_SEND, compressed in the middle", () => {
    begun(config(HTTP));
    connect().send(handshake());
    heard();
    tell(accept(1, 0, frames.WS_ACCEPT_DEFLATE));
    isMalformed(data(1, 1, "a", 1) + data(1, 0, "b", 0, frames.WS_COMPRESSED));
  });
  test("WS_SEND_PING in the middle of a message", () => {
    opened();
    isMalformed(data(1, 1, "a", 1) + frame(frames.FRAME_WS_SEND_PING, idOf(1), ""));
  });
  test("WS_CLOSE in the middle of a message", () => {
    opened();
    isMalformed(data(1, 1, "a", 1) + bye(1, 1000));
  });
  test("WS_SEND, compressed without leave", () => {
    opened();
    isMalformed(data(1, 1, "", 0, frames.WS_COMPRESSED));
  });
  test("WS_SEND_PING that is too long", () => {
    opened();
    isMalformed(frame(frames.FRAME_WS_SEND_PING, idOf(1), "x".repeat(126)));
  });
  test("WS_CLOSE that is too short", () => {
    opened();
    isMalformed(frame(frames.FRAME_WS_CLOSE, idOf(1), "x"));
  });
  test("WS_CLOSE with words that are too long", () => {
    opened();
    isMalformed(bye(1, 1000, "x".repeat(124)));
  });
  test("WS_CLOSE with a code that cannot be", () => {
    opened();
    isMalformed(bye(1, 1005));
  });
  test("WS_CLOSE with words and no code", () => {
    opened();
    isMalformed(bye(1, 0, "x"));
  });
  test("a frame of the sandbox's", () => {
    opened();
    isMalformed(frame(frames.FRAME_WS_DATA, idOf(1), u32s(0)));
  });
});
