// How websockets end: closing handshakes, both ways and at once; ends without one; limits in time; a stop of the
// server.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import {
  IDLE_TIMEOUT_MS,
  LINGER_MS,
  UNREAD_TIMEOUT_MS,
  WRITE_TIMEOUT_MS,
  WS_CLOSE_TIMEOUT_MS,
} from "../../../assembly/core/limits";
import { CONNECTIONS_NOW, stat } from "../../../assembly/core/stats";
import { received } from "../support/http";
import { bytes, pattern, settle, sleep } from "../support/sim";
import {
  client,
  closing,
  frames,
  handshake,
  isEmpty,
  isOver,
  masked,
  notes,
  plainClient,
  server,
  tell,
  terms,
} from "../support/websockets";

function send(first: i32, data: string): bool {
  const source = bytes(data);
  return notes.socket!.send(first, changetype<usize>(source), data.length);
}

describe("the peer closes", () => {
  test("with a code and words, with a code, with nothing", () => {
    let peer = client();
    expect(tell(peer, closing(4000, "enough"))).toBe("close(4000,1,enough)");
    expect(frames(peer)).toBe("88(4000)");
    isOver(peer);
    peer = client();
    expect(tell(peer, closing(1001))).toBe("close(1001,1,)");
    expect(frames(peer)).toBe("88(1001)");
    isOver(peer);
    peer = client();
    expect(tell(peer, masked(0x88, ""))).toBe("close(1005,1,)");
    expect(frames(peer)).toBe("88()");
    isOver(peer);
    isEmpty();
  });

  test("and nothing is sent or heard behind it", () => {
    const peer = client();
    expect(tell(peer, closing(1000) + masked(0x81, "more"))).toBe("close(1000,1,)");
    expect(send(0x81, "late")).toBe(false);
    notes.socket!.close();
    notes.socket!.ping();
    notes.socket!.abort();
    expect(tell(peer, masked(0x81, "more"))).toBe("");
    expect(frames(peer)).toBe("88(1000)");
    isOver(peer);
  });

  test("in the middle of a message, both ways", () => {
    const peer = client();
    tell(peer, masked(0x01, "half"));
    send(0x01, "half");
    expect(tell(peer, closing(1000))).toBe("close(1000,1,)");
    expect(frames(peer)).toBe("1(half) 88(1000)");
    isOver(peer);
    isEmpty();
  });

  test("and keeps its side open: the connection ends after a while", () => {
    const peer = client();
    tell(peer, closing(1000));
    expect(peer.ended).toBe(true);
    expect(peer.closed).toBe(false);
    sleep(LINGER_MS + 1);
    expect(peer.closed).toBe(true);
  });
});

describe("we close", () => {
  test("and the peer answers", () => {
    const peer = client();
    notes.socket!.close(4321, "good b\u00ffe");
    settle();
    expect(frames(peer)).toBe("88(4321 good b\xc3\xbfe)");
    expect(notes.take()).toBe("");
    expect(tell(peer, closing(4321))).toBe("close(4321,1,)");
    expect(frames(peer)).toBe("");
    isOver(peer);
    isEmpty();
  });

  test("without a code; words that are too long are cut between characters", () => {
    const peer = client();
    notes.socket!.close(1000, "\u20ac".repeat(42));
    settle();
    expect(frames(peer)).toBe("88(1000 " + "\xe2\x82\xac".repeat(41) + ")");
    const other = client();
    notes.socket!.closeWith(0, 0, 0);
    settle();
    expect(frames(other)).toBe("88()");
  });

  test("messages and pings that still come are dropped, whatever waits of them", () => {
    terms.credit = 3;
    const peer = client();
    expect(tell(peer, masked(0x81, "a message") + masked(0x89, "?"))).toBe("text+(a m)");
    notes.socket!.close();
    expect(notes.take()).toBe("");
    expect(frames(peer)).toBe("88(1000)");
    expect(send(0x81, "late")).toBe(false);
    expect(tell(peer, masked(0x82, pattern(200000)) + masked(0x01, "\xff"))).toBe("");
    expect(tell(peer, masked(0x80, "") + closing(1000))).toBe("close(1000,1,)");
    isOver(peer);
    isEmpty();
  });

  test("inside of a message's own call, with the peer's close behind it", () => {
    const peer = client();
    notes.reaction = (socket) => {
      socket.close(4000);
    };
    expect(tell(peer, masked(0x81, "stop") + masked(0x81, "more") + closing(1000))).toBe("text(stop) close(1000,1,)");
    expect(frames(peer)).toBe("88(4000)");
    isOver(peer);
  });

  test("and the peer never answers", () => {
    const peer = client();
    notes.socket!.close();
    sleep(WS_CLOSE_TIMEOUT_MS - 1);
    expect(notes.take()).toBe("");
    expect(peer.ended).toBe(false);
    sleep(1);
    expect(notes.take()).toBe("close(1006,4,)");
    settle();
    expect(peer.closed).toBe(true);
    isEmpty();
  });

  test("and the peer answers with what cannot be", () => {
    const peer = client();
    notes.socket!.close();
    expect(tell(peer, "\x81\x05hello")).toBe("close(1006,11,)");
    expect(frames(peer)).toBe("88(1000)");
    isOver(peer);
  });

  test("behind much that waits for a slow peer: the clock runs from when it has left", () => {
    const peer = client();
    peer.room = 0;
    send(0x82, pattern(100000));
    notes.socket!.close();
    for (let i = 0; i < 10; i++) {
      sleep(WS_CLOSE_TIMEOUT_MS - 1000);
      peer.room = 10000;
      settle();
    }
    expect(notes.log).not.toContain("close");
    peer.room = 10000;
    settle();
    expect(frames(peer)).toContain("88(1000)");
    sleep(WS_CLOSE_TIMEOUT_MS - 1);
    expect(notes.log).not.toContain("close");
    sleep(1);
    expect(notes.take()).toContain("close(1006,4,)");
  });

  test("at the same time as the peer", () => {
    const peer = client();
    notes.socket!.close(1000);
    expect(tell(peer, closing(1001))).toBe("close(1001,1,)");
    expect(frames(peer)).toBe("88(1000)");
    isOver(peer);
    isEmpty();
  });
});

describe("without a closing handshake", () => {
  test("the peer ends its side, in a frame or between", () => {
    let peer = client();
    peer.end();
    expect(notes.take()).toBe("close(1006,2,)");
    settle();
    expect(peer.closed && !peer.wasReset).toBe(true);
    peer = client();
    peer.send(masked(0x81, "ab", 3));
    peer.end();
    expect(notes.take()).toBe("text+(ab) close(1006,2,)");
    peer = client();
    peer.send("\x81");
    peer.end();
    expect(notes.take()).toBe("close(1006,2,)");
    isEmpty();
  });

  test("the peer ends its side with the handshake, or right behind it", () => {
    const peer = plainClient();
    peer.send(handshake() + masked(0x81, "bye"));
    peer.end();
    expect(notes.take()).toBe("open text(bye) close(1006,2,)");
    isEmpty();
  });

  test("whose messages its delegate does not take: its end is not seen, and it counts as gone after a while", () => {
    terms.credit = 3;
    const peer = client();
    expect(tell(peer, masked(0x81, "0123456789"))).toBe("text+(012)");
    peer.close();
    sleep(UNREAD_TIMEOUT_MS - 1);
    expect(peer.closed).toBe(false);
    sleep(1);
    expect(notes.take()).toBe("close(1006,4,)");
    expect(peer.closed).toBe(true);
    isEmpty();
  });

  test("a reset", () => {
    const peer = client();
    tell(peer, masked(0x81, "ab", 3));
    peer.reset();
    expect(notes.take()).toBe("close(1006,3,)");
    isEmpty();
  });

  test("we abort", () => {
    const peer = client();
    notes.socket!.abort();
    expect(notes.take()).toBe("close(1006,1,)");
    expect(peer.closed).toBe(true);
    expect(frames(peer)).toBe("");
    isEmpty();
  });
});

describe("time", () => {
  test("a silent websocket stays", () => {
    const peer = client();
    sleep(10 * IDLE_TIMEOUT_MS);
    expect(tell(peer, masked(0x81, "still here"))).toBe("text(still here)");
    sleep(IDLE_TIMEOUT_MS * 2);
    expect(tell(peer, masked(0x81, "ab", 3))).toBe("text+(ab)");
    sleep(IDLE_TIMEOUT_MS * 2);
    expect(tell(peer, "")).toBe("");
  });

  test("a peer that takes nothing does not", () => {
    const peer = client();
    peer.room = 0;
    send(0x82, pattern(1000));
    settle();
    sleep(WRITE_TIMEOUT_MS - 1);
    expect(notes.take()).toBe("");
    sleep(2);
    expect(notes.take()).toBe("close(1006,4,)");
    isEmpty();
  });
});

describe("a stop of the server", () => {
  test("closes websockets with 1001, in order", () => {
    const peer = client();
    server.drain(10000);
    settle();
    expect(frames(peer)).toBe("88(1001)");
    expect(tell(peer, closing(1001))).toBe("close(1001,1,)");
    isOver(peer);
    expect(stat(CONNECTIONS_NOW)).toBe(0);
  });

  test("does not wait for those that do not answer", () => {
    const peer = client();
    server.drain(3000);
    sleep(3001);
    expect(notes.take()).toBe("close(1006,7,)");
    expect(peer.closed).toBe(true);
    isEmpty();
  });

  test("closes one that comes while it lasts, and one that is closing already but once", () => {
    const peer = plainClient();
    const other = client();
    notes.socket!.close(4000);
    server.drain(10000);
    peer.send(handshake() + closing(1000));
    expect(notes.take()).toBe("open close(1000,1,)");
    expect(received(peer)).toContain("\r\n\r\n\x88\x02\x03\xe9");
    expect(frames(other)).toBe("88(4000)");
  });

  test("with no grace", () => {
    const peer = client();
    server.stop();
    server.closeAllConnections();
    expect(notes.take()).toBe("close(1006,7,)");
    expect(peer.closed).toBe(true);
    isEmpty();
  });
});
