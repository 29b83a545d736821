// core.wasm's application with websockets: as the host sees them, and as clients do.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import * as frames from "../../../assembly/bridge/frames";
import { WS_ANSWER_TIMEOUT_MS, WS_CLOSE_TIMEOUT_MS, WS_DATA_COST } from "../../../assembly/core/limits";
import { connect } from "../../../assembly/wasi/sim/net";
import { HTTP, begun, config, ends, frame, heard, heardAfter, idOf, response, stop, tell } from "../support/bridge";
import { accept, bye, credit, data, opened } from "../support/bridgewebsockets";
import { get, received } from "../support/http";
import { pattern, settle } from "../support/sim";
import { ACCEPTED, closing, frames as framesOf, handshake, masked } from "../support/websockets";

describe("opening", () => {
  test("with further fields, turns later, and with what came meanwhile", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(handshake() + masked(0x81, "early"));
    expect(heard()).toContain("REQUEST#1(1,1,11,0 /|");
    expect(heardAfter(2000)).toBe("");
    expect(tell(accept(1, 0, 0, "Sec-WebSocket-Protocol", "chat"))).toBe("WS_DATA#1(1,1 early)");
    expect(received(peer)).toBe(ACCEPTED + "Sec-WebSocket-Protocol: chat\r\n\r\n");
  });

  test("turns later, when the client has ended its side meanwhile: its messages come first", () => {
    begun(config(HTTP, 10 + WS_DATA_COST));
    const peer = connect();
    peer.send(handshake() + masked(0x81, "0123456789abcdef"));
    peer.end();
    expect(heard()).toContain("REQUEST#1(1,1,11,0 /|");
    expect(heardAfter(2000)).toBe("END#1()");
    expect(tell(accept(1))).toBe("WS_DATA#1(1,0 0123456789)");
    expect(heardAfter(2000)).toBe("");
    expect(tell(credit(1, 10 + WS_DATA_COST))).toBe("WS_DATA#1(1,1 abcdef) WS_ENDING#1()");
    expect(tell(data(1, 1, "answer") + bye(1, 0))).toBe("WS_CLOSED#1(1006,2 )");
    expect(received(peer)).toContain("\r\n\r\n\x81\x06answer");
    expect(peer.ended && !peer.wasReset).toBe(true);
  });

  test("is refused as any request is", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(handshake());
    heard();
    tell(response(1, 403, frames.RESPONSE_LAST, -1, "no"));
    expect(received(peer)).toContain("HTTP/1.1 403 Forbidden\r\n");
    peer.send(get("/"));
    expect(heard()).toBe("REQUEST#2(1,1,3,0 /|host=x|)");
  });

  test("what is no handshake has no flag", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(handshake().replace("Version: 13", "Version: 8"));
    expect(heard()).toContain("REQUEST#1(1,1,3,0 /|");
  });

  test("the client is gone: ABORT, and WS_ACCEPT is dropped", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(handshake());
    heard();
    peer.reset();
    expect(heardAfter(1000)).toBe("ABORT#1(3)");
    expect(tell(accept(1) + data(1, 1, "x") + bye(1, 1000))).toBe("");
  });

  test("a field that cannot be: BAD_RESPONSE", () => {
    const names: StaticArray<string> = [
      "Bad Name",
      "Upgrade",
      "connection",
      "sec-websocket-ACCEPT",
      "Date",
      "Content-Length",
    ];
    begun(config(HTTP));
    for (let i = 0; i < names.length; i++) {
      const peer = connect();
      peer.send(handshake());
      heard();
      const id = (i + 1).toString();
      expect(tell(accept(i + 1, 0, 0, names[i], "x"))).toBe("WS_CLOSED#" + id + "(1006,10 )");
      expect(peer.closed).toBe(true);
    }
  });

  test("while the server stops: accepted, and closed at once", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(handshake());
    heard();
    expect(tell(stop(10000) + accept(1))).toBe("");
    expect(received(peer)).toBe(ACCEPTED + "\r\n\x88\x02\x03\xe9");
    peer.send(closing(1001));
    expect(heard()).toBe("WS_CLOSED#1(1001,1 )");
  });
});

describe("messages", () => {
  test("come in pieces, with their opcode on each", () => {
    const peer = opened();
    peer.send(masked(0x81, "hello") + masked(0x02, "\0") + masked(0x80, "\xff") + masked(0x81, ""));
    expect(heard()).toBe("WS_DATA#1(1,1 hello) WS_DATA#1(2,0 \0) WS_DATA#1(2,1 \xff) WS_DATA#1(1,1 )");
  });

  test("leave as frames, with SENT as they do", () => {
    const peer = opened();
    expect(tell(data(1, 1, "hello"))).toBe("SENT#1(5)");
    expect(framesOf(peer)).toBe("81(hello)");
    peer.room = 0;
    expect(tell(data(1, 2, pattern(100000)))).toBe("");
    peer.room = 60000;
    expect(heard()).toBe("");
    peer.room = i32.MAX_VALUE;
    expect(heard()).toBe("SENT#1(100000)");
    expect(framesOf(peer)).toBe("82(" + pattern(100000) + ")");
  });

  test("compressed, both ways", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(handshake());
    heard();
    tell(accept(1, 0, frames.WS_ACCEPT_DEFLATE, "Sec-WebSocket-Extensions", "permessage-deflate"));
    received(peer);
    peer.send(masked(0x41, "\xf2") + masked(0x80, "\x48"));
    expect(heard()).toBe("WS_DATA#1(1,2 \xf2) WS_DATA#1(1,3 \x48)");
    const packed = frames.WS_COMPRESSED;
    tell(data(1, 1, "\xf2", 1, packed) + data(1, 0, "\x48") + data(1, 2, "c", 0, packed));
    expect(framesOf(peer)).toBe("c1(\xf2\x48) c2(c)");
  });

  test("go no further than their window, each with its cost", () => {
    const peer = opened(10 + WS_DATA_COST);
    peer.send(masked(0x81, "0123456789abcdef"));
    expect(heard()).toBe("WS_DATA#1(1,0 0123456789)");
    expect(heardAfter(1000)).toBe("");
    expect(tell(credit(1, WS_DATA_COST))).toBe("");
    expect(tell(credit(1, 4))).toBe("WS_DATA#1(1,0 abcd)");
    expect(tell(credit(1, 10 + WS_DATA_COST))).toBe("WS_DATA#1(1,1 ef)");
  });

  test("larger than the channel's frames come in pieces that fit", () => {
    const peer = opened(1 << 20);
    peer.send(masked(0x82, pattern(400000)));
    let size = 0;
    const pieces = heard().split(" WS_DATA");
    for (let i = 0; i < pieces.length; i++) size += pieces[i].length;
    expect(size).toBeGreaterThan(400000);
    expect(pieces[pieces.length - 1].startsWith("#1(2,1 ")).toBe(true);
  });

  test("that came before WS_ACCEPT come in pieces, too", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(handshake());
    heard();
    peer.send(masked(0x82, pattern(200000)).substring(0, 65535));
    heardAfter(2000);
    peer.send(masked(0x82, pattern(200000)).substring(65535));
    heardAfter(2000);
    const pieces = tell(accept(1)).split("WS_DATA#1(");
    expect(pieces.length).toBeGreaterThan(3);
    for (let i = 0; i < pieces.length; i++) expect(pieces[i].length).toBeLessThan(65536 + 10);
  });

  test("over the host's limit: 1009 and TOO_LARGE", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(handshake());
    heard();
    tell(accept(1, 10));
    received(peer);
    peer.send(masked(0x81, "0123456789") + masked(0x81, "0123456789a"));
    expect(heard()).toBe("WS_DATA#1(1,1 0123456789) WS_ENDING#1()");
    expect(tell(bye(1, 0))).toBe("WS_CLOSED#1(1006,12 )");
    expect(framesOf(peer)).toBe("88(1009 message too big)");
  });

  test("that break the protocol: BAD_REQUEST", () => {
    const peer = opened();
    peer.send(masked(0x81, "\xff"));
    expect(heard()).toBe("WS_ENDING#1()");
    expect(framesOf(peer)).toBe("");
    expect(tell(bye(1, 0))).toBe("WS_CLOSED#1(1006,11 )");
    expect(framesOf(peer)).toBe("88(1007)");
    expect(tell(data(1, 1, "late") + credit(1, 5) + bye(1, 1000) + frame(frames.FRAME_CANCEL, idOf(1), ""))).toBe("");
    expect(framesOf(peer)).toBe("");
  });
});

describe("pings", () => {
  test("of the peer are answered and reported, ours are sent and their pongs reported", () => {
    const peer = opened();
    peer.send(masked(0x89, "there?"));
    expect(heard()).toBe("WS_PING#1(there?)");
    expect(framesOf(peer)).toBe("8a(there?)");
    expect(tell(frame(frames.FRAME_WS_SEND_PING, idOf(1), "and you?"))).toBe("");
    expect(framesOf(peer)).toBe("89(and you?)");
    peer.send(masked(0x8a, "and you?"));
    expect(heard()).toBe("WS_PONG#1(and you?)");
  });
});

describe("the end", () => {
  test("by the peer: WS_CLOSED with its code and words", () => {
    const peer = opened();
    peer.send(closing(4001, "done"));
    expect(heard()).toBe("WS_ENDING#1()");
    expect(tell(bye(1, 0))).toBe("WS_CLOSED#1(4001,1 done)");
    expect(framesOf(peer)).toBe("88(4001)");
    peer.end();
    settle();
    expect(peer.closed && !peer.wasReset).toBe(true);
  });

  test("by the peer, behind messages: the host answers them first, and nothing more is read", () => {
    const peer = opened();
    peer.send(masked(0x81, "hello") + masked(0x89, "?") + closing(1000) + masked(0x81, "late"));
    expect(heard()).toBe("WS_DATA#1(1,1 hello) WS_PING#1(?) WS_ENDING#1()");
    peer.send(masked(0x81, "later") + closing(1000));
    expect(heardAfter(WS_ANSWER_TIMEOUT_MS - 1000)).toBe("");
    expect(framesOf(peer)).toBe("8a(?)");
    expect(tell(credit(1, 100) + data(1, 1, "HELLO"))).toBe("SENT#1(5)");
    expect(framesOf(peer)).toBe("81(HELLO)");
    expect(tell(bye(1, 0) + data(1, 1, "late"))).toBe("WS_CLOSED#1(1000,1 )");
    expect(framesOf(peer)).toBe("88(1000)");
    expect(heardAfter(WS_ANSWER_TIMEOUT_MS)).toBe("");
    expect(peer.closed && !peer.wasReset).toBe(true);
  });

  test("by the peer, and the host closes with a code of its own", () => {
    const peer = opened();
    peer.send(masked(0x81, "hello") + masked(0x83, ""));
    expect(heard()).toBe("WS_DATA#1(1,1 hello) WS_ENDING#1()");
    expect(tell(bye(1, 4000, "enough"))).toBe("WS_CLOSED#1(1006,11 )");
    expect(framesOf(peer)).toBe("88(4000 enough)");
  });

  test("by the peer, and the host does not answer in time: the close goes out without it", () => {
    const peer = opened();
    peer.send(masked(0x81, "hello") + closing(4001, "done"));
    expect(heard()).toBe("WS_DATA#1(1,1 hello) WS_ENDING#1()");
    expect(heardAfter(WS_ANSWER_TIMEOUT_MS - 1)).toBe("");
    expect(framesOf(peer)).toBe("");
    expect(heardAfter(1)).toBe("WS_CLOSED#1(4001,1 done)");
    expect(framesOf(peer)).toBe("88(4001)");
    expect(tell(data(1, 1, "late") + bye(1, 0))).toBe("");
    expect(framesOf(peer)).toBe("");
  });

  test("by the peer, while a stop comes", () => {
    const peer = opened();
    peer.send(closing(1000));
    expect(heard()).toBe("WS_ENDING#1()");
    expect(tell(stop(10000))).toBe("");
    expect(tell(data(1, 1, "answer") + bye(1, 0))).toBe("WS_CLOSED#1(1000,1 )");
    expect(framesOf(peer)).toBe("81(answer) 88(1000)");
  });

  test("by the peer, which then resets the connection, or which CANCEL leaves", () => {
    begun(config(HTTP));
    for (let number = 1; number < 3; number++) {
      const peer = connect();
      peer.send(handshake());
      heard();
      tell(accept(number));
      peer.send(closing(1000));
      const id = number.toString();
      expect(heard()).toBe("WS_ENDING#" + id + "()");
      if (number == 1) peer.reset();
      const sent = data(number, 1, "x");
      const last = number == 1 ? tell(sent) : tell(frame(frames.FRAME_CANCEL, idOf(number), ""));
      expect(last).toBe("WS_CLOSED#" + id + "(1006," + (number == 1 ? "3" : "1") + " )");
    }
  });
});

describe("the end, not by the peer alone", () => {
  test("by the host: WS_CLOSED when the peer has answered, or has not", () => {
    const peer = opened();
    expect(tell(bye(1, 1000, "so long"))).toBe("");
    expect(framesOf(peer)).toBe("88(1000 so long)");
    peer.send(masked(0x81, "dropped") + closing(1000));
    expect(heard()).toBe("WS_CLOSED#1(1000,1 )");
    const other = connect();
    other.send(handshake());
    heard();
    tell(accept(2) + bye(2, 0));
    expect(heardAfter(WS_CLOSE_TIMEOUT_MS)).toBe("WS_CLOSED#2(1006,4 )");
    expect(received(other)).toContain("\r\n\r\n\x88\0");
  });

  test("by CANCEL, a reset, the peer's end", () => {
    const peer = opened();
    expect(tell(frame(frames.FRAME_CANCEL, idOf(1), ""))).toBe("WS_CLOSED#1(1006,1 )");
    expect(peer.closed).toBe(true);
    for (let number = 2; number < 4; number++) {
      const other = connect();
      other.send(handshake());
      heard();
      tell(accept(number));
      if (number == 2) other.reset();
      else other.end();
      if (number == 3) expect(heardAfter(1000)).toBe("WS_ENDING#3()");
      const last = number == 2 ? heardAfter(1000) : tell(bye(number, 0));
      const reason = number == 2 ? "3" : "2";
      expect(last).toBe("WS_CLOSED#" + number.toString() + "(1006," + reason + " )");
    }
  });

  test("by a stop: 1001, and DRAINED when all are gone", () => {
    const peer = opened();
    expect(tell(stop(10000))).toBe("");
    expect(framesOf(peer)).toBe("88(1001)");
    expect(tell(data(1, 1, "too late"))).toBe("");
    peer.send(closing(1001));
    peer.end();
    expect(heard()).toBe("WS_CLOSED#1(1001,1 ) DRAINED()");
    expect(ends()).toBe(true);
  });

  test("by a stop whose grace is over", () => {
    opened();
    expect(tell(stop(1000))).toBe("");
    expect(heardAfter(1001)).toBe("WS_CLOSED#1(1006,7 ) DRAINED()");
  });

  test("of a slot: the next request there has another id", () => {
    const peer = opened();
    peer.send(closing(1000));
    peer.end();
    expect(heard()).toBe("WS_ENDING#1()");
    expect(tell(bye(1, 0))).toBe("WS_CLOSED#1(1000,1 )");
    const next = connect();
    next.send(handshake());
    expect(heard()).toContain("REQUEST#2(1,1,11,0 /|");
    expect(idOf(1) & 0x3ffff).toBe(idOf(2) & 0x3ffff);
    const late = data(1, 1, "x") + bye(1, 1000) + frame(frames.FRAME_CANCEL, idOf(1), "");
    expect(tell(accept(1) + late)).toBe("");
    expect(tell(accept(2) + late + data(2, 1, "fine"))).toBe("SENT#2(4)");
    expect(received(next)).toBe(ACCEPTED + "\r\n\x81\x04fine");
  });
});
