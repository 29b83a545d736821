// The channel of core.wasm: batches, credit, frames in any pieces, and malformed ones.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import * as frames from "../../../assembly/bridge/frames";
import { BODY_WINDOW_BYTES, CHANNEL_BYTES_MAX, CHANNEL_PIECE_BYTES } from "../../../assembly/core/limits";
import { connect, network } from "../../../assembly/wasi/sim/net";
import {
  HTTP,
  STREAMS,
  begun,
  config,
  echo,
  ends,
  frame,
  heard,
  idOf,
  marked,
  readBytes,
  readUntil,
  response,
  stop,
  stopEchoing,
  tell,
  u16s,
  u32s,
  write,
} from "../support/bridge";
import { get, post } from "../support/http";
import { pattern, settle, sleep, turn } from "../support/sim";

describe("the channel", () => {
  test("a batch is one write, and ends with its MARK", () => {
    begun(config(STREAMS));
    for (let i = 0; i < 20; i++) connect();
    const before = marked;
    heard();
    expect(marked - before).toBe(1);
  });

  test("frames cut anywhere", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    const batch = write(1, "ab") + readBytes(1, 2) + write(1, "cde");
    for (let cut = 1; cut < batch.length; cut++) {
      peer.send("xy");
      network().host.input.pushText(batch.substr(0, cut));
      settle();
      const said = tell(batch.substr(cut));
      expect(said).toContain("DATA_END#1(xy)");
      expect(peer.take()).toBe("abcde");
    }
  });

  test("a byte at a time", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    network().faults.shortReads = 1000;
    tell(write(1, pattern(3000)) + write(1, "end"));
    expect(peer.take() == pattern(3000) + "end").toBe(true);
  });

  test("what stands before the ECHO at a batch's end is not left behind", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    // As much as one read takes, and one byte, which no event tells of: alone it is not certain. It is the ECHO's last.
    const gone = 12345;
    const first = frame(frames.FRAME_WRITE, gone, pattern(frames.FRAME_BYTES_MAX));
    const second = frame(frames.FRAME_WRITE, gone, pattern(frames.FRAME_BYTES_MAX - 16));
    tell(first + second + write(1, "x") + echo(marked));
    expect(peer.take()).toBe("x");
  });
});

describe("a body that comes faster than the host takes it", () => {
  const whole = CHANNEL_PIECE_BYTES - 2 * frames.FRAME_HEADER_BYTES; // a frame and the MARK fill one piece

  test("travels in frames of which Node reads one at once, three of them ahead of an ECHO", () => {
    begun(config(HTTP));
    stopEchoing();
    const peer = connect();
    peer.send(post("/", ""));
    expect(heard()).toContain("REQUEST#1");
    tell(echo(marked));
    const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    tell(response(1, 204, frames.RESPONSE_LAST, -1, ""));
    peer.send(head);
    heard();
    tell(echo(marked));
    const before = marked;
    peer.send(pattern(1 << 19));
    const said = heard();
    expect(marked - before).toBe(3);
    expect(said.split("BODY#2(").length).toBe(4);
    expect(said.length).toBe(3 * (whole + "BODY#2()".length) + 2);
  });

  test("leaves the rest of the window alone when that is small, unless it is the body's rest as well", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    heard();
    peer.send(pattern(500000));
    expect(heard().split("BODY#1(").length - 1).toBe(BODY_WINDOW_BYTES / whole);
    // One more window at once: four more frames, the last of them for what the body still has.
    tell(credit(1, 4 * whole));
    peer.send(pattern(500000));
    let said = heard();
    for (let i = 0; i < 10; i++) said += tell(credit(1, whole));
    expect(said).toContain("BODY_END#1()");
    const small = connect();
    small.send(post("/", pattern(BODY_WINDOW_BYTES)));
    expect(heard()).toContain("BODY_END#2()");
  });
});

describe("the channel of a slow host", () => {
  test("without ECHO no more is written than the pipe holds, and no socket is read", () => {
    begun(config(STREAMS));
    stopEchoing();
    const peer = connect();
    heard();
    const data = pattern(1 << 20);
    peer.send(data);
    tell(readBytes(1, data.length));
    sleep(100);
    // The network fails the test when a write would block. Nothing more is read, and the loop does not spin.
    const written = marked;
    const left = peer.input.size;
    expect(left).toBeGreaterThan(data.length - CHANNEL_BYTES_MAX - 5 * 65536);
    sleep(100);
    expect(peer.input.size).toBe(left);
    expect(turn()).not.toBe(0);
    expect(marked).toBe(written);
    for (let i = 0; i < 5; i++) tell(echo(marked));
    expect(peer.input.size).toBeLessThan(left);
  });

  test("while the host is behind, what is written still leaves, and frames still come", () => {
    begun(config(STREAMS));
    stopEchoing();
    const flood = connect();
    const peer = connect();
    heard();
    flood.send(pattern(1 << 20));
    tell(readBytes(1, 1 << 20));
    expect(tell(write(2, "it leaves"))).toBe("");
    expect(peer.take()).toBe("it leaves");
    peer.room = 0;
    tell(write(2, "it leaves later"));
    peer.room = 100;
    settle();
    expect(peer.take()).toBe("it leaves later");
  });

  test("everything arrives, through a slow host, in order", () => {
    begun(config(STREAMS));
    stopEchoing();
    const peer = connect();
    heard();
    const data = pattern(700000);
    peer.send(data);
    let said = tell(readBytes(1, data.length));
    for (let i = 0; i < 100; i++) said += tell(echo(marked));
    const got = said.replaceAll("DATA_END#1(", "").replaceAll("DATA#1(", "").replaceAll(")", "").replaceAll(" ", "");
    expect(got == data).toBe(true);
  });

  test("short writes to the host", () => {
    network().faults.shortWrites = 500;
    begun(config(STREAMS));
    const peer = connect();
    heard();
    peer.send(pattern(5000) + ".");
    expect(tell(readUntil(1, ".", 10000)) == "DATA_END#1(" + pattern(5000) + ".)").toBe(true);
  });

  test("the host's end is the module's", () => {
    begun(config(STREAMS));
    network().host.gone = true;
    expect(() => {
      turn();
    }).toThrowError("exit 0");
  });
});

function credit(request: i32, bytes: i32): string {
  return frame(frames.FRAME_BODY_CREDIT, idOf(request), u32s(bytes));
}

let malformed: string = "";

/** The sandbox says one line and ends with status 70. */
function isMalformed(data: string, configuration: string): void {
  begun(configuration);
  malformed = data;
  expect(() => {
    tell(malformed);
  }).toThrowError("exit 70");
  const line = network().logged;
  expect(line.startsWith("waterspout: malformed frame from the host: ")).toBe(true);
  expect(line.indexOf("\n")).toBe(line.length - 1);
}

describe("malformed frames end the module", () => {
  test("anything before CONFIG", () => isMalformed(stop(1), ""));
  test("CONFIG twice", () => isMalformed(config(HTTP), config(HTTP)));
  test("CONFIG of another size", () => isMalformed(frame(frames.FRAME_CONFIG, 0, u16s(1)), ""));
  test("CONFIG of another version", () => isMalformed(frame(frames.FRAME_CONFIG, 0, u16s(2) + "\0".repeat(46)), ""));
  test("a type that there is not", () => isMalformed(frame(0x7f, 0, ""), config(HTTP)));
  test("a type of the sandbox's", () => isMalformed(frame(frames.FRAME_OPEN, 1, ""), config(STREAMS)));
  test("a request's frame to a TCP server", () => isMalformed(frame(frames.FRAME_CANCEL, 1, ""), config(STREAMS)));
  test("a frame larger than the cap", () =>
    isMalformed(u32s((0x53 << 24) | (frames.FRAME_BYTES_MAX + 1)) + u32s(1), config(STREAMS)));
  test("ECHO of what was not sent", () => isMalformed(echo(1000), config(STREAMS)));
  test("ECHO backwards", () => isMalformed(echo(1) + echo(0), config(STREAMS)));
  test("STOP of another size", () => isMalformed(frame(frames.FRAME_STOP, 0, ""), config(HTTP)));
  test("READ_UNTIL without a delimiter", () =>
    isMalformed(frame(frames.FRAME_READ_UNTIL, 1, u32s(9)), config(STREAMS)));
  test("READ_UNTIL with a delimiter too long", () =>
    isMalformed(frame(frames.FRAME_READ_UNTIL, 1, u32s(9) + "x".repeat(257)), config(STREAMS)));
  test("READ_BYTES of nothing", () =>
    isMalformed(frame(frames.FRAME_READ_BYTES, 1, u32s(0) + u32s(0)), config(STREAMS)));
  test("READ_BYTES of another size", () => isMalformed(frame(frames.FRAME_READ_BYTES, 1, u32s(5)), config(STREAMS)));
  test("CLOSE of another size", () => isMalformed(frame(frames.FRAME_CLOSE, 1, ""), config(STREAMS)));
  test("BODY_CREDIT of another size", () => isMalformed(frame(frames.FRAME_BODY_CREDIT, 1, ""), config(HTTP)));
  test("RESPONSE that is too short", () => isMalformed(frame(frames.FRAME_RESPONSE, 1, "short"), config(HTTP)));
  test("RESPONSE with a status out of range", () => respondMalformed(u16s(199) + u16s(1) + u16s(0) + u16s(0), ""));
  test("RESPONSE with sizes that do not add up", () =>
    respondMalformed(u16s(200) + u16s(1) + u16s(1) + u16s(0), u16s(1000) + u16s(1000) + "ab"));
  test("RESPONSE with more rows than it holds", () =>
    respondMalformed(u16s(200) + u16s(1) + u16s(1000) + u16s(0), u16s(1) + u16s(1) + "ab"));
});

/** For a request that waits: an unknown one is dropped. */
function respondMalformed(head: string, rest: string): void {
  begun(config(HTTP));
  connect().send(get("/"));
  heard();
  malformed = frame(frames.FRAME_RESPONSE, idOf(1), head + u32s(0) + u32s(0) + rest);
  expect(() => {
    tell(malformed);
  }).toThrowError("exit 70");
  expect(network().logged.length).toBeGreaterThan(0);
}
