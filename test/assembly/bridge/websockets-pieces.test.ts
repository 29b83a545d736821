// Messages that the host sends in pieces: each leaves as one frame, and nothing gets into the middle of it.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import * as frames from "../../../assembly/bridge/frames";
import { WS_ANSWER_TIMEOUT_MS } from "../../../assembly/core/limits";
import { ends, frame, heard, heardAfter, idOf, stop, tell } from "../support/bridge";
import { bye, data, opened } from "../support/bridgewebsockets";
import { pattern } from "../support/sim";
import { closing, frames as framesOf, masked } from "../support/websockets";

describe("a message in pieces", () => {
  test("is one frame, whatever its pieces and turns", () => {
    const peer = opened();
    expect(tell(data(1, 2, "a", 3) + data(1, 0, "", 3) + data(1, 0, "bc", 1))).toBe("SENT#1(3)");
    expect(peer.take()).toBe("\x82\x04abc");
    expect(tell(data(1, 0, "d") + data(1, 1, "next"))).toBe("SENT#1(5)");
    expect(peer.take()).toBe("d\x81\x04next");
    const sizes: StaticArray<i32> = [65535, 65536, 200000];
    for (let i = 0; i < sizes.length; i++) {
      const all = pattern(sizes[i]);
      tell(data(1, 1, all.substring(0, 30000), sizes[i] - 30000));
      tell(data(1, 0, all.substring(30000, 60000), sizes[i] - 60000));
      for (let at = 60000; at < sizes[i]; at += 70000) {
        tell(data(1, 0, all.substring(at, at + 70000), max(sizes[i] - at - 70000, 0)));
      }
      expect(framesOf(peer) == "81(" + all + ")").toBe(true);
    }
  });

  test("may be larger than memory", () => {
    const peer = opened();
    tell(data(1, 2, "a", 0xffffffffffff));
    expect(peer.take()).toBe("\x82\x7f\0\x01\0\0\0\0\0\0a");
  });

  test("has pongs in front of it and behind it, of the newest ping alone", () => {
    const peer = opened();
    peer.send(masked(0x89, "1"));
    heard();
    tell(data(1, 1, "a", 2));
    peer.send(masked(0x89, "2") + masked(0x89, "3"));
    expect(heard()).toBe("WS_PING#1(2) WS_PING#1(3)");
    tell(data(1, 0, "b", 1));
    expect(peer.take()).toBe("\x8a\x011\x81\x03ab");
    tell(data(1, 0, "c") + frame(frames.FRAME_WS_SEND_PING, idOf(1), "?"));
    expect(peer.take()).toBe("c\x8a\x013\x89\x01?");
  });

  test("is complete before a stop closes the websocket, and what follows is dropped", () => {
    const peer = opened();
    tell(data(1, 1, "a", 2));
    expect(tell(stop(10000))).toBe("");
    expect(tell(data(1, 0, "b", 1))).toBe("SENT#1(1)");
    expect(peer.take()).toBe("\x81\x03ab");
    tell(data(1, 0, "c") + data(1, 1, "too", 4) + data(1, 0, "late") + bye(1, 1000));
    expect(peer.take()).toBe("c\x88\x02\x03\xe9");
    peer.send(closing(1001));
    peer.end();
    expect(heard()).toContain("WS_CLOSED#1(1001,1 ) DRAINED()");
    expect(ends()).toBe(true);
  });

  test("is complete before the peer's close is answered", () => {
    const peer = opened();
    tell(data(1, 1, "a", 1));
    peer.send(masked(0x89, "?") + closing(4001));
    expect(heard()).toBe("WS_PING#1(?) WS_ENDING#1()");
    tell(data(1, 0, "b") + bye(1, 0));
    expect(peer.take()).toBe("\x81\x02ab\x8a\x01?\x88\x02\x0f\xa1");
  });

  test("that is not complete in time ends with its connection: no close frame gets into it", () => {
    const peer = opened();
    tell(data(1, 1, "a", 1));
    peer.send(closing(4001));
    expect(heard()).toBe("WS_ENDING#1()");
    expect(heardAfter(WS_ANSWER_TIMEOUT_MS)).toBe("WS_CLOSED#1(4001,1 )");
    expect(peer.take()).toBe("\x81\x02a");
    expect(peer.ended).toBe(true);
    expect(tell(data(1, 0, "b"))).toBe("");
  });

  test("ends with its connection by CANCEL", () => {
    const peer = opened();
    tell(data(1, 1, "a", 1));
    expect(tell(frame(frames.FRAME_CANCEL, idOf(1), "") + data(1, 0, "b"))).toBe("WS_CLOSED#1(1006,1 )");
    expect(peer.take() + (peer.closed ? "." : "")).toBe("\x81\x02a.");
  });

  test("ends with its connection by a stop whose grace is over", () => {
    const peer = opened();
    tell(data(1, 1, "a", 1) + stop(1000));
    expect(heardAfter(1001)).toBe("WS_CLOSED#1(1006,7 ) DRAINED()");
    expect(peer.take()).toBe("\x81\x02a");
  });
});
