// permessage-deflate: what is agreed on, and messages that are compressed both ways, against zlib's own streams as the
// peer.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import zlib from "node:zlib";
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import { INFLATE_AT_ONCE_BYTES_MAX, INFLATE_MESSAGE_COST, INFLATE_TURN_BYTES_MAX } from "../../../host/core/limits.js";
import type { MessageCompressionOptions } from "../../../host/index.js";
import { negotiate, parseExtensions } from "../../../host/websocket/permessagedeflate.js";
import {
  BINARY,
  data,
  fieldsOf,
  messagesOf,
  type Noting,
  open,
  type Rig,
  type Sent,
  sent,
  serve,
  settle,
  TEXT,
} from "../support/websocketsupport.js";

const PACKED = f.WS_LAST | f.WS_COMPRESSED;
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

function answerTo(value: string, options: MessageCompressionOptions = {}): string | null {
  const offers = parseExtensions(value);
  expect(offers, value).not.toBeNull();
  return negotiate(offers!, options)?.header ?? null;
}

describe("Sec-WebSocket-Extensions", () => {
  test.each([
    ["", []],
    ["a", [{ name: "a", parameters: [] }]],
    [
      'a;b;c=1 , d ; e = "x"',
      [
        {
          name: "a",
          parameters: [
            ["b", true],
            ["c", "1"],
          ],
        },
        { name: "d", parameters: [["e", "x"]] },
      ],
    ],
    ['a; b=""', null],
    ['a; b="x y"', null],
    ["a;", null],
    ["a; =1", null],
    ["a b", null],
    [",a", null],
    ["a; b=", null],
  ])("%j", (value, offers) => {
    expect(parseExtensions(value)).toEqual(offers);
  });

  test("of any length is read in linear time", () => {
    const started = performance.now();
    parseExtensions("a; b=1".repeat(200_000));
    parseExtensions(`a${" ".repeat(600_000)}b`);
    parseExtensions("a;\t".repeat(200_000));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("the answer to an offer", () => {
  const NAME = "permessage-deflate";
  test.each<[string, string | null, MessageCompressionOptions?]>([
    [NAME, NAME],
    ["", null],
    ["x-webkit-deflate-frame", null],
    [`${NAME}; server_no_context_takeover`, `${NAME}; server_no_context_takeover`],
    [`${NAME}; client_no_context_takeover`, `${NAME}; client_no_context_takeover`],
    [`${NAME}; server_no_context_takeover=1`, null],
    [`${NAME}; server_max_window_bits=10`, `${NAME}; server_max_window_bits=10`],
    [`${NAME}; server_max_window_bits=15`, NAME],
    [`${NAME}; server_max_window_bits=8`, null],
    [`${NAME}; server_max_window_bits=7`, null],
    [`${NAME}; server_max_window_bits=16`, null],
    [`${NAME}; server_max_window_bits=010`, null],
    [`${NAME}; server_max_window_bits`, null],
    [`${NAME}; client_max_window_bits`, NAME],
    [`${NAME}; client_max_window_bits=8`, `${NAME}; client_max_window_bits=8`],
    [`${NAME}; client_max_window_bits=16`, null],
    [`${NAME}; client_max_window_bits="9"`, `${NAME}; client_max_window_bits=9`],
    [`${NAME}; unknown`, null],
    [`${NAME}; client_max_window_bits; client_max_window_bits`, null],
    [`${NAME}; unknown, ${NAME}; server_no_context_takeover, ${NAME}`, `${NAME}; server_no_context_takeover`],
    [
      `${NAME}; client_max_window_bits`,
      `${NAME}; server_max_window_bits=11; client_max_window_bits=11`,
      { maxWindowBits: 11 },
    ],
    [NAME, `${NAME}; server_max_window_bits=11`, { maxWindowBits: 11 }],
    [
      `${NAME}; client_max_window_bits=9`,
      `${NAME}; server_max_window_bits=11; client_max_window_bits=9`,
      { maxWindowBits: 11 },
    ],
    [NAME, `${NAME}; server_no_context_takeover; client_no_context_takeover`, { noContextTakeover: true }],
  ])("%j is %j", (offer, answer, options) => {
    expect(answerTo(offer, options)).toBe(answer);
  });

  test.each([
    { compressionLevel: 10 },
    { compressionLevel: -1 },
    { memLevel: 0 },
    { maxWindowBits: 8 },
    { maxWindowBits: 16 },
    { thresholdBytes: -1 },
  ])("options out of their range: %j", (options) => {
    expect(() => negotiate([], options)).toThrow(Object.keys(options)[0]);
  });
});

/** Another implementation's deflate: a zlib stream that lives as long as the connection. */
class Peer {
  private readonly deflate: zlib.DeflateRaw;
  private readonly inflate = zlib.createInflateRaw();
  constructor(windowBits = 15) {
    this.deflate = zlib.createDeflateRaw({ windowBits });
  }

  async pack(message: string | Buffer): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const take = (chunk: Buffer): number => chunks.push(chunk);
    this.deflate.on("data", take);
    this.deflate.write(message);
    await new Promise<void>((resolve) => this.deflate.flush(zlib.constants.Z_SYNC_FLUSH, resolve));
    this.deflate.off("data", take);
    const bytes = Buffer.concat(chunks);
    return bytes.subarray(0, bytes.length - 4);
  }

  async unpack(bytes: Buffer): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const take = (chunk: Buffer): number => chunks.push(chunk);
    this.inflate.on("data", take);
    this.inflate.write(bytes);
    this.inflate.write(TAIL);
    await new Promise<void>((resolve) => this.inflate.flush(resolve));
    this.inflate.off("data", take);
    return Buffer.concat(chunks);
  }
}

async function compressing(
  options: MessageCompressionOptions = {},
  offer = "permessage-deflate; client_max_window_bits",
  settings = {},
): Promise<{ rig: Rig; handler: Noting; extensions: string }> {
  const rig = serve((handler) => {
    handler.getCompressionOptions = () => ({ thresholdBytes: 10, ...options });
  }, settings);
  const { accept, handler } = await open(rig, [["sec-websocket-extensions", offer]]);
  const [[name, extensions]] = fieldsOf(accept);
  expect([name, accept.payload[4]]).toEqual(["Sec-WebSocket-Extensions", f.WS_ACCEPT_DEFLATE]);
  return { rig, handler, extensions };
}

/** Texts of many sizes that have much in common, and a last one that goes through other threads. */
const TEXTS = [5, 20, 100, 3000, 40_000, 70_000, 10, 9000, 33].map((size, index) =>
  `message ${index} `.repeat(Math.ceil(size / 10)).slice(0, size),
);

describe("messages", () => {
  test.each<[string, MessageCompressionOptions]>([
    ["with takeover", {}],
    ["without takeover", { noContextTakeover: true }],
    ["with small windows", { maxWindowBits: 9 }],
    ["at the fastest level, with the least memory", { compressionLevel: 1, memLevel: 1 }],
  ])("to the peer, %s: in order, whole, and small ones as they are", async (_, options) => {
    const { rig, handler } = await compressing(options);
    const peer = new Peer();
    for (const message of TEXTS) void handler.writeMessage(message);
    while (handler.bufferedBytes > 0) await settle();
    const messages = messagesOf(await rig.worker.receivedAnswers());
    expect(messages.length).toBe(TEXTS.length);
    for (const [index, { opcode, flags, bytes }] of messages.entries()) {
      const text = TEXTS[index];
      const packed = flags === PACKED;
      expect(opcode).toBe(TEXT);
      if (text.length < 10 || text.length >= 100) expect(packed, `${text.length} bytes`).toBe(text.length >= 100);
      expect((packed ? await peer.unpack(bytes) : bytes).toString() === text).toBe(true);
      if (packed && text.length > 100) expect(bytes.length).toBeLessThan(text.length / 5);
    }
  });

  test("that would not become smaller are sent as they are, and the next one can still be read", async () => {
    const { rig, handler } = await compressing();
    const noise = Buffer.from(Array.from({ length: 500 }, (_, index) => (index * index * 7919) >> 5));
    const peer = new Peer();
    void handler.writeMessage("hello hello hello hello");
    void handler.writeMessage(noise);
    void handler.writeMessage("hello hello hello hello");
    const [first, second, third] = messagesOf(await rig.worker.receivedAnswers());
    expect((await peer.unpack(first.bytes)).toString()).toBe("hello hello hello hello");
    expect(second).toEqual({ opcode: BINARY, flags: f.WS_LAST, bytes: noise });
    expect((await peer.unpack(third.bytes)).toString()).toBe("hello hello hello hello");
    expect(third.bytes.length).toBeLessThan(first.bytes.length);
  });

  test("keep their order, and what each may refer to, while a large one is in another thread", async () => {
    const { rig, handler } = await compressing();
    const peer = new Peer();
    const phrase = "a phrase that comes back, though much has been said in between";
    const large = "0123456789".repeat(5_000);
    for (const message of [phrase, large, "plain", phrase]) void handler.writeMessage(message);
    while (handler.bufferedBytes > 0) await settle();
    const [first, second, third, fourth] = messagesOf(await rig.worker.receivedAnswers());
    expect((await peer.unpack(first.bytes)).toString()).toBe(phrase);
    expect((await peer.unpack(second.bytes)).toString()).toBe(large);
    expect(third).toEqual({ opcode: TEXT, flags: f.WS_LAST, bytes: Buffer.from("plain") });
    expect((await peer.unpack(fourth.bytes)).toString()).toBe(phrase);
  });

  test("that are long when they are compressed say so in their first piece alone", async () => {
    const { rig, handler } = await compressing();
    const long = randomBytes(120_000).toString("base64");
    void handler.writeMessage(long);
    const frames: Sent[] = [];
    while (frames.at(-1)?.flags !== f.WS_LAST) {
      for (const message of messagesOf(await rig.worker.receivedAnswers())) {
        frames.push(message);
        rig.worker.emit(sent(message.bytes.length));
      }
    }
    expect(frames.length).toBeGreaterThan(1);
    expect(frames[0]).toMatchObject({ opcode: TEXT, flags: f.WS_COMPRESSED });
    for (const { opcode, flags } of frames.slice(1, -1)) expect([opcode, flags]).toEqual([0, 0]);
    expect(frames.at(-1)?.opcode).toBe(0);
    const unpacked = await new Peer().unpack(Buffer.concat(frames.map(({ bytes }) => bytes)));
    expect(unpacked.toString() === long).toBe(true);
  });

  test("to a peer who offers nothing are as they are", async () => {
    const rig = serve((handler) => {
      handler.getCompressionOptions = () => ({ thresholdBytes: 0 });
    });
    const { accept, handler } = await open(rig);
    expect([fieldsOf(accept), accept.payload[4]]).toEqual([[], 0]);
    void handler.writeMessage("hello hello hello");
    expect(messagesOf(await rig.worker.receivedAnswers())[0].flags).toBe(f.WS_LAST);
  });
});

describe("messages from the peer", () => {
  test.each([15, 9])("from a peer whose window has %d bits", async (windowBits) => {
    const offer = windowBits === 15 ? "permessage-deflate" : `permessage-deflate; client_max_window_bits=${windowBits}`;
    const { rig, handler } = await compressing({}, offer);
    const peer = new Peer(windowBits);
    for (const [index, text] of TEXTS.entries()) {
      const packed = await peer.pack(text);
      if (index % 3 === 0) rig.worker.emit(data(TEXT, f.WS_LAST, "between"));
      const middle = packed.length >> 1;
      rig.worker.emit(
        data(TEXT, f.WS_COMPRESSED, packed.subarray(0, middle)),
        data(TEXT, PACKED, packed.subarray(middle)),
      );
    }
    await settle();
    while (handler.notes.length < 1 + TEXTS.length + 3) await settle();
    expect(handler.notes.slice(1).filter((note) => note !== "between")).toEqual(TEXTS);
    expect(handler.notes[1]).toBe("between");
  });

  test("keep their order when large ones go through other threads and small ones do not", async () => {
    const { rig, handler } = await compressing({ noContextTakeover: true });
    const large = zlib.deflateRawSync(Buffer.alloc(4_000_000, "large"), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
    const small = await new Peer().pack("small");
    rig.worker.emit(
      data(BINARY, PACKED, large.subarray(0, -4)),
      data(TEXT, PACKED, small),
      data(TEXT, f.WS_LAST, "plain"),
    );
    while (handler.notes.length < 4) await settle();
    expect(handler.notes.slice(2)).toEqual(["small", "plain"]);
    expect((handler.notes[1] as Buffer).length).toBe(4_000_000);
  });

  test("that end with a final block are read, as RFC 7692 7.2.3.4 shows them, and so is the next", async () => {
    const { rig, handler } = await compressing();
    for (const hex of ["f348cdc9c90700", "f348cdc9c9070000", "f200110000", "00"]) {
      rig.worker.emit(data(TEXT, PACKED, Buffer.from(hex, "hex")));
    }
    expect(handler.notes.slice(1)).toEqual(["Hello", "Hello", "Hello", ""]);
  });
});

describe("inflating holds up no other connection", () => {
  const pack = (message: Buffer): Promise<Buffer> => new Peer().pack(message);
  const inflatedBy = ({ notes }: Noting): number => notes.length - 1;

  test("a small frame that inflates to much is inflated in another thread, one that does not at once", async () => {
    const { rig, handler } = await compressing({ noContextTakeover: true });
    rig.worker.emit(data(BINARY, PACKED, await pack(Buffer.alloc(INFLATE_AT_ONCE_BYTES_MAX))));
    expect(inflatedBy(handler)).toBe(1);
    const packed = await pack(Buffer.alloc(INFLATE_AT_ONCE_BYTES_MAX + 1));
    expect(packed.length).toBeLessThan(100);
    rig.worker.emit(data(BINARY, PACKED, packed));
    expect(inflatedBy(handler)).toBe(1);
    while (inflatedBy(handler) < 2) await settle();
    expect((handler.notes[2] as Buffer).length).toBe(INFLATE_AT_ONCE_BYTES_MAX + 1);
  });

  test.each([
    ["empty messages", 0],
    ["messages of 16 KiB", INFLATE_AT_ONCE_BYTES_MAX],
  ])("of %s so many are inflated in a turn, and those of other peers go between", async (_, bytes) => {
    const [first, second] = [await compressing(), await compressing({ noContextTakeover: true })];
    const packed = await pack(Buffer.alloc(bytes));
    const count = 1000;
    const perTurn = Math.ceil(INFLATE_TURN_BYTES_MAX / (INFLATE_MESSAGE_COST + bytes));
    await new Promise((resolve) => setImmediate(resolve));
    first.rig.worker.emit(...Array.from({ length: count }, () => data(BINARY, PACKED, packed)));
    second.rig.worker.emit(data(BINARY, PACKED, packed));
    let before = inflatedBy(first.handler);
    expect(before).toBe(perTurn);
    expect(inflatedBy(second.handler)).toBe(0);
    while (inflatedBy(first.handler) < count) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(inflatedBy(first.handler) - before).toBeLessThanOrEqual(perTurn);
      before = inflatedBy(first.handler);
      expect(inflatedBy(second.handler)).toBe(1);
    }
  });
});

/** The close code that a compressed message gets. */
async function refusalOf(packed: Buffer, opcode = TEXT, maxMessageBytes = 1000): Promise<number> {
  const { rig, handler } = await compressing({}, undefined, { maxMessageBytes });
  rig.worker.emit(data(opcode, PACKED, packed));
  while (handler.isOpen) await settle();
  const frames = (await rig.worker.receivedAnswers()).filter(({ type }) => type !== f.FRAME_BODY_CREDIT);
  expect([frames.map(({ type }) => type), handler.notes]).toEqual([[f.FRAME_WS_CLOSE], [["open"]]]);
  return frames[0].payload.readUInt16LE(0);
}

describe("messages that are refused", () => {
  test("text that is not UTF-8 once it is inflated: 1007, and the same bytes as a binary message are fine", async () => {
    const packed = await new Peer().pack(Buffer.from([0x68, 0xc3]));
    expect(await refusalOf(packed)).toBe(1007);
    const { rig, handler } = await compressing();
    rig.worker.emit(data(BINARY, PACKED, packed));
    expect(handler.notes[1]).toEqual(Buffer.from([0x68, 0xc3]));
  });

  test("what is no deflate: 1007", async () => {
    expect(await refusalOf(Buffer.from([0xff, 0xff, 0xff]))).toBe(1007);
    expect(await refusalOf(Buffer.from(Array.from({ length: 5000 }, () => 0xff)), TEXT, 10_000)).toBe(1007);
  });

  test("a reference to more than there is: 1007", async () => {
    const peer = new Peer();
    await peer.pack("something that was never sent");
    expect(await refusalOf(await peer.pack("something that was never sent"))).toBe(1007);
  });

  test("the largest size is taken, one byte more is 1009", async () => {
    const { rig, handler } = await compressing({}, undefined, { maxMessageBytes: 1000 });
    rig.worker.emit(data(BINARY, PACKED, await new Peer().pack(Buffer.alloc(1000))));
    expect((handler.notes[1] as Buffer).length).toBe(1000);
    expect(await refusalOf(await new Peer().pack(Buffer.alloc(1001)), BINARY)).toBe(1009);
  });

  test("a bomb is stopped at the bound, whether it is small or large itself", async () => {
    for (const bytes of [1_500_000, 100_000_000]) {
      const deflate = zlib.createDeflateRaw({ level: 9 });
      const packed: Buffer[] = [];
      deflate.on("data", (chunk) => packed.push(chunk));
      const block = Buffer.alloc(1_000_000);
      for (let left = bytes; left > 0; left -= block.length) deflate.write(block);
      deflate.end();
      await once(deflate, "end");
      const before = process.memoryUsage().rss;
      expect(await refusalOf(Buffer.concat(packed), BINARY, 1_000_000)).toBe(1009);
      expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
    }
  });
});

test("what is being compressed when the websocket ends is dropped, and its write rejects", async () => {
  const { rig, handler } = await compressing();
  const writes = [1, 2, 3].map(() => handler.writeMessage("x".repeat(100_000)));
  handler.abort();
  for (const write of writes) await expect(write).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED" });
  for (let turn = 0; turn < 20; turn++) await settle();
  expect((await rig.worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_CANCEL]);
});
