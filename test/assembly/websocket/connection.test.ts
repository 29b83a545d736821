// WebSocketConnection: opening, messages in all their pieces, pings, what breaks the protocol.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { READ_CHUNK_BYTES, WS_FRAMES_PER_TURN } from "../../../assembly/core/limits";
import { REQUESTS_EVER, REQUESTS_NOW, REQUESTS_REFUSED, stat } from "../../../assembly/core/stats";
import { received } from "../support/http";
import { pattern, settle, sleep, turn } from "../support/sim";
import {
  ACCEPTED,
  client,
  closing,
  frames,
  handshake,
  isEmpty,
  isOver,
  masked,
  notes,
  plainClient,
  tell,
  terms,
} from "../support/websockets";

describe("opening", () => {
  test("a handshake is answered with 101, and counts as a request that is done", () => {
    const peer = plainClient();
    expect(tell(peer, handshake("/chat?x=1", "Origin: http://x\r\n"))).toBe("open");
    expect(received(peer)).toBe(ACCEPTED + "\r\n");
    expect(stat(REQUESTS_EVER)).toBe(1);
    expect(stat(REQUESTS_NOW)).toBe(0);
    expect(stat(REQUESTS_REFUSED)).toBe(0);
  });

  test("what comes with the handshake is read, and nothing before it is", () => {
    const peer = plainClient();
    expect(tell(peer, handshake() + masked(0x81, "at once") + closing(1000))).toBe("open text(at once) close(1000,1,)");
    expect(received(peer)).toBe(ACCEPTED + "\r\n\x88\x02\x03\xe8");
    isOver(peer);
    isEmpty();
  });

  test("behind other requests of the connection", () => {
    const peer = plainClient();
    peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + handshake() + masked(0x82, "\0\xff"));
    expect(notes.take()).toBe("open binary(\0\xff)");
    const answers = received(peer);
    expect(answers).toContain("\r\n\r\nhello" + ACCEPTED);
  });

  test("connections are used again, as websockets and not", () => {
    for (let i = 0; i < 5; i++) {
      const peer = client();
      expect(tell(peer, masked(0x81, "half a message", 20))).toBe("text+(half a message)");
      peer.reset();
      expect(tell(peer, "")).toContain("close(1006,3,)");
      const other = plainClient();
      other.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      settle();
      expect(received(other)).toContain("hello");
      other.end();
      isEmpty();
    }
    const peer = client();
    expect(tell(peer, masked(0x81, "fresh"))).toBe("text(fresh)");
  });
});

describe("messages", () => {
  test("of every kind", () => {
    const peer = client();
    expect(tell(peer, masked(0x81, "text"))).toBe("text(text)");
    expect(tell(peer, masked(0x82, "\x80\xff"))).toBe("binary(\x80\xff)");
    expect(tell(peer, masked(0x81, "") + masked(0x82, ""))).toBe("text() binary()");
    expect(tell(peer, masked(0x81, "z".repeat(126)))).toBe("text(" + "z".repeat(126) + ")");
    const large = pattern(65536);
    const read = READ_CHUNK_BYTES - 14; // with the frame's header
    expect(tell(peer, masked(0x82, large))).toBe(`binary+(${read} bytes) binary(${large.substring(read)})`);
    expect(frames(peer)).toBe("");
  });

  test("in fragments, with control frames between", () => {
    const peer = client();
    expect(tell(peer, masked(0x01, "one ") + masked(0x00, "two ") + masked(0x80, "three"))).toBe(
      "text+(one ) text+(two ) text(three)",
    );
    expect(tell(peer, masked(0x02, "a") + masked(0x89, "?") + masked(0x8a, "!") + masked(0x80, "b"))).toBe(
      "binary+(a) ping(?) pong(!) binary(b)",
    );
    expect(frames(peer)).toBe("8a(?)");
    expect(tell(peer, masked(0x01, "") + masked(0x00, "") + masked(0x80, ""))).toBe("text()");
    expect(tell(peer, masked(0x01, "a") + masked(0x80, ""))).toBe("text+(a) text()");
  });

  test("text is checked across pieces and fragments", () => {
    const peer = client();
    expect(tell(peer, masked(0x01, "\xe2") + masked(0x00, "\x82") + masked(0x80, "\xac"))).toBe(
      "text+(\xe2) text+(\x82) text(\xac)",
    );
    const whole = masked(0x81, "a\xf0\x9f\x8c\x8a");
    for (let i = 0; i < whole.length - 1; i++) tell(peer, whole.charAt(i));
    expect(tell(peer, whole.charAt(whole.length - 1))).toBe("text(\x8a)");
    expect(tell(peer, masked(0x02, "\xe2") + masked(0x80, ""))).toBe("binary+(\xe2) binary()");
  });

  test("compressed ones are handed on as they are, when they are welcome", () => {
    terms.deflate = true;
    const peer = client();
    expect(tell(peer, masked(0x41, "\xf2") + masked(0x80, "\x48"))).toBe("deflated text+(\xf2) deflated text(\x48)");
    expect(tell(peer, masked(0x81, "plain"))).toBe("text(plain)");
    expect(tell(peer, masked(0x42, "") + masked(0x80, ""))).toBe("deflated binary()");
    expect(tell(peer, masked(0x41, "a") + masked(0xc0, "b"))).toBe("deflated text+(a) close(1006,11,)");
    expect(frames(peer)).toBe("88(1002)");
  });
});

const SCRIPT: string =
  masked(0x01, "h\xc3") +
  masked(0x89, "ping") +
  masked(0x00, "\xa9, ") +
  masked(0x80, "w\xf0\x9f\x8c\x8a") +
  masked(0x8a, "") +
  masked(0x82, "x".repeat(130)) +
  masked(0x81, "") +
  closing(1001, "bye \xe2\x82\xac");

/** What the delegate heard with the pieces of a message put together. */
function joined(log: string): string {
  return log
    .replaceAll(") text+(", "")
    .replaceAll(") text(", "")
    .replaceAll(") binary+(", "")
    .replaceAll(") binary(", "");
}

test("a script is the same at every split", () => {
  for (let cut = 0; cut <= SCRIPT.length; cut++) {
    const peer = client();
    const log = (tell(peer, SCRIPT.substring(0, cut)) + " " + tell(peer, SCRIPT.substring(cut))).trim();
    assert(
      log.endsWith("close(1001,1,bye \xe2\x82\xac)") && log.includes("ping(ping)") && log.includes(" pong() "),
      "cut at " + cut.toString() + ": " + log,
    );
    const message = log.substring(0, log.indexOf("pong()")).replace("ping(ping) ", "");
    assert(
      joined(message).startsWith("text+(h\xc3\xa9, w\xf0\x9f\x8c\x8a)"),
      "text, cut at " + cut.toString() + ": " + log,
    );
    assert(joined(log).includes("x".repeat(130) + ")"), "binary, cut at " + cut.toString());
    assert(frames(peer) == "8a(ping) 88(1001)", "answers, cut at " + cut.toString());
    isOver(peer);
    isEmpty();
  }
});

test("a script is the same byte by byte", () => {
  const peer = client();
  for (let i = 0; i < SCRIPT.length; i++) {
    peer.send(SCRIPT.charAt(i));
    settle();
  }
  expect(joined(notes.take())).toContain("close(1001,1,bye \xe2\x82\xac)");
  expect(frames(peer)).toBe("8a(ping) 88(1001)");
  isOver(peer);
  isEmpty();
});

/** The frames cost the websocket with this code; what is sent behind them is dropped. */
function breaks(data: string, code: i32, before: string = ""): void {
  const peer = client();
  const reason = code == 1009 ? "12" : "11";
  const log = tell(peer, data + masked(0x81, "never seen"));
  const expected = before + (before.length ? " " : "") + "close(1006," + reason + ",)";
  assert(log == expected, log + " instead of " + expected);
  const words = code == 1009 ? " message too big" : "";
  const answer = frames(peer);
  assert(answer == "88(" + code.toString() + words + ")", answer);
  peer.send(masked(0x81, "dropped"));
  isOver(peer);
  isEmpty();
}

describe("what breaks the protocol", () => {
  test("frames that cannot be", () => {
    breaks("\x81\x05hello", 1002); // not masked
    breaks(masked(0xc1, "a"), 1002);
    breaks(masked(0xa1, "a"), 1002);
    breaks(masked(0x91, "a"), 1002);
    for (let opcode = 3; opcode < 16; opcode++) if (opcode < 8 || opcode > 10) breaks(masked(0x80 | opcode, ""), 1002);
    breaks(masked(0x09, "a"), 1002); // a ping in fragments
    breaks(masked(0x89, "a".repeat(126)), 1002);
    breaks("\x82\xfe\x00\x01abcda", 1002);
    breaks("\x82\xff\x80\0\0\0\0\0\0\0abcd", 1002);
  });

  test("continuation", () => {
    breaks(masked(0x80, "a"), 1002);
    breaks(masked(0x00, "a"), 1002);
    breaks(masked(0x01, "a") + masked(0x81, "b"), 1002, "text+(a)");
    breaks(masked(0x01, "a") + masked(0x02, "b"), 1002, "text+(a)");
    breaks(masked(0x81, "a") + masked(0x80, "b"), 1002, "text(a)");
  });

  test("text that is not UTF-8, as soon as it is certain", () => {
    breaks(masked(0x81, "\xff"), 1007);
    breaks(masked(0x81, "a\xed\xa0\x80"), 1007);
    breaks(masked(0x81, "\xe2\x82"), 1007);
    breaks(masked(0x01, "\xe2") + masked(0x80, "a"), 1007, "text+(\xe2)");
    breaks(masked(0x01, "\xe2") + masked(0x80, ""), 1007, "text+(\xe2)");
    const peer = client();
    expect(tell(peer, masked(0x01, "a\xff", 1000))).toBe("close(1006,11,)");
    expect(frames(peer)).toBe("88(1007)");
  });

  test("close frames that cannot be", () => {
    breaks(masked(0x88, "\x03"), 1002);
    breaks(closing(999), 1002);
    breaks(closing(1004), 1002);
    breaks(closing(1005), 1002);
    breaks(closing(1006), 1002);
    breaks(closing(1015), 1002);
    breaks(closing(2999), 1002);
    breaks(closing(5000), 1002);
    breaks(closing(1000, "\xff"), 1007);
  });

  test("messages over the limit, before any of them is read", () => {
    terms.messageBytesMax = 10;
    breaks(masked(0x82, "", 11), 1009);
    breaks(masked(0x82, "", i64.MAX_VALUE >> 8), 1009);
    breaks(masked(0x01, "12345") + masked(0x00, "6789") + masked(0x80, "", 2), 1009, "text+(12345) text+(6789)");
    const peer = client();
    expect(tell(peer, masked(0x01, "12345") + masked(0x80, "67890") + masked(0x82, pattern(10)))).toBe(
      "text+(12345) text(67890) binary(" + pattern(10) + ")",
    );
  });

  test("a limit of i64's size does not overflow", () => {
    terms.messageBytesMax = 0xffffffff;
    breaks(masked(0x02, "a") + masked(0x80, "", 0xffffffff), 1009, "binary+(a)");
  });
});

describe("pings", () => {
  test("are answered, each, while the peer reads", () => {
    const peer = client();
    let pings = "";
    let pongs = "";
    for (let i = 0; i < 10; i++) {
      pings += masked(0x89, i.toString());
      pongs += (i ? " " : "") + "8a(" + i.toString() + ")";
    }
    tell(peer, pings);
    expect(frames(peer)).toBe(pongs);
    tell(peer, masked(0x89, "") + masked(0x89, "p".repeat(125)));
    expect(frames(peer)).toBe("8a() 8a(" + "p".repeat(125) + ")");
  });

  test("only the newest is, while a pong waits for the peer", () => {
    const peer = client();
    peer.room = 3;
    tell(peer, masked(0x89, "first"));
    for (let i = 0; i < 1000; i++) tell(peer, masked(0x89, i.toString()));
    expect(notes.socket!.unsent).toBeLessThan(10);
    peer.room = i32.MAX_VALUE;
    settle();
    expect(frames(peer)).toBe("8a(first) 8a(999)");
    tell(peer, masked(0x89, "again"));
    expect(frames(peer)).toBe("8a(again)");
  });

  test("a flood of them costs no memory", () => {
    const peer = client();
    peer.room = 0;
    const flood = masked(0x89, "p".repeat(125)).repeat(2000);
    for (let i = 0; i < 10; i++) tell(peer, flood);
    expect(notes.socket!.unsent).toBeLessThan(2 * READ_CHUNK_BYTES);
  });
});

describe("credit", () => {
  test("no more of a message is handed on than there is credit for", () => {
    terms.credit = 10;
    const peer = client();
    expect(tell(peer, masked(0x82, pattern(25)))).toBe("binary+(" + pattern(10) + ")");
    sleep(1000);
    expect(notes.take()).toBe("");
    notes.socket!.takeData(5);
    expect(notes.take()).toBe("binary+(" + pattern(15).substring(10) + ")");
    notes.socket!.takeData(100);
    expect(notes.take()).toBe("binary(" + pattern(25).substring(15) + ")");
    expect(tell(peer, masked(0x81, "next"))).toBe("text(next)");
  });

  test("each piece has its price, also an empty message", () => {
    terms.credit = 200;
    terms.pieceCost = 64;
    const peer = client();
    expect(tell(peer, masked(0x81, "").repeat(10))).toBe("text() text() text()"); // 8 are left
    notes.socket!.takeData(56 + 64);
    expect(notes.take()).toBe("text()");
    expect(tell(peer, masked(0x89, "later"))).toBe("");
    notes.socket!.takeData(1 << 20);
    expect(notes.take()).toBe("text() text() text() text() text() text() ping(later)");
  });

  test("a peer is not read while its messages wait", () => {
    terms.credit = 0;
    const peer = client();
    peer.send(masked(0x82, "", 1 << 20));
    for (let i = 0; i < 40; i++) {
      peer.send(pattern(READ_CHUNK_BYTES / 2));
      settle();
    }
    expect(peer.input.size).toBeGreaterThan(1 << 19);
    notes.socket!.takeData(i32.MAX_VALUE);
    settle();
    expect(peer.input.size).toBe(0);
  });

  test("the peer's end behind what waits is reported behind it", () => {
    terms.credit = 1;
    const peer = client();
    peer.send(masked(0x81, "ab"));
    peer.end();
    expect(notes.take()).toBe("text+(a)");
    notes.socket!.takeData(1);
    expect(notes.take()).toBe("text(b) close(1006,2,)");
    isOver(peer);
    isEmpty();
  });
});

test("a flood of tiny frames gets its share of a turn and no more", () => {
  const flooding = client();
  const other = client();
  notes.lengthsFrom = 0;
  flooding.send(masked(0x82, "").repeat(10 * WS_FRAMES_PER_TURN));
  other.send(masked(0x81, "hello"));
  turn();
  turn();
  const log = notes.log;
  expect(log).toContain("text(5 bytes)");
  expect(log.split("binary()").length).toBeLessThan(2 * WS_FRAMES_PER_TURN + 2);
  expect(notes.take().split("binary()").length).toBe(10 * WS_FRAMES_PER_TURN + 1);
});
