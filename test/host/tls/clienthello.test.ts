// The first record of a TLS connection: read whole, without taking it away, whatever comes instead.
import { once } from "node:events";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";

import { hearHello, serverNameIn } from "../../../host/tls/clienthello.js";

const NAME = "server.example";
let hello: Buffer;
let nameless: Buffer;

/** What node:tls says first. */
function helloFor(options: tls.ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({ read: () => {}, write: (bytes) => resolve(bytes) });
    tls.connect({ socket, ...options }).on("error", () => {});
  });
}

beforeAll(async () => {
  hello = await helloFor({ servername: NAME, ALPNProtocols: ["h2", "http/1.1"] });
  nameless = await helloFor({});
});

/** A connection that brings `pieces`, one at a time. */
class Incoming extends Duplex {
  readonly heard: (string | null)[] = [];

  constructor() {
    super({ read: () => {}, write: (_bytes, _encoding, done) => done() });
    hearHello(this, (serverName) => this.heard.push(serverName));
  }

  async bring(piece: Buffer): Promise<void> {
    this.push(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** From Node 26 on one `read()` gives one piece. */
  readAll(): Buffer {
    return Buffer.concat([...this.#pieces()]);
  }

  *#pieces(): Iterable<Buffer> {
    for (let piece = this.read(); piece !== null; piece = this.read()) yield piece;
  }
}

describe("hearHello", () => {
  test("a hello that comes byte by byte is heard once it is whole, and stays where it was", async () => {
    const incoming = new Incoming();
    for (let at = 0; at < hello.length; at++) {
      expect(incoming.heard).toEqual([]);
      await incoming.bring(hello.subarray(at, at + 1));
    }
    expect(incoming.heard).toEqual([NAME]);
    await incoming.bring(Buffer.from("more"));
    expect(incoming.heard).toEqual([NAME]);
    expect(incoming.readAll()).toEqual(Buffer.concat([hello, Buffer.from("more")]));
  });

  test("what comes with it stays, too", async () => {
    const incoming = new Incoming();
    await incoming.bring(Buffer.concat([nameless, Buffer.from("more")]));
    expect(incoming.heard).toEqual([null]);
    expect(incoming.readAll().length).toBe(nameless.length + 4);
  });

  test.each([
    ["another protocol", "GET / HTTP/1.1\r\n"],
    ["one byte of another protocol", "G"],
    ["a record that is too long", Buffer.from("1603014001", "hex")],
  ])("%s is OpenSSL's to refuse", async (_name, bytes) => {
    const incoming = new Incoming();
    await incoming.bring(Buffer.from(bytes));
    expect(incoming.heard).toEqual([null]);
  });

  test("the longest record is waited for", async () => {
    const incoming = new Incoming();
    const record = Buffer.alloc(5 + (1 << 14));
    Buffer.from("1603014000", "hex").copy(record);
    await incoming.bring(record.subarray(0, -1));
    expect(incoming.heard).toEqual([]);
    await incoming.bring(record.subarray(-1));
    expect(incoming.heard).toEqual([null]);
  });

  test("silence is not heard, nor an end after half a hello", async () => {
    const incoming = new Incoming();
    await incoming.bring(hello.subarray(0, 100));
    incoming.push(null);
    await once(incoming, "end");
    expect(incoming.heard).toEqual([]);
  });
});

describe("serverNameIn", () => {
  test("the name, or that there is none", () => {
    expect(serverNameIn(hello)).toBe(NAME);
    expect(serverNameIn(nameless)).toBeNull();
  });

  test.each(["", "a\nb", "a\0", "a b", "x".repeat(256), "\x7f"])("%j is no name", (name) => {
    const at = hello.indexOf(NAME);
    const size = Buffer.from([name.length >> 8, name.length & 0xff]);
    const changed = Buffer.concat([hello.subarray(0, at - 2), size, Buffer.from(name, "latin1"), hello.subarray(at)]);
    expect(serverNameIn(changed)).toBeNull();
  });

  test("a hello that is cut short or has any byte changed says a name, or none, and nothing else happens", () => {
    for (let at = 0; at < hello.length; at++) {
      expect(serverNameIn(hello.subarray(0, at)) ?? NAME).toMatch(/^[\x21-\x7e]+$/);
      for (const value of [0, 1, 0x7f, 0xff]) {
        const changed = Buffer.from(hello);
        changed[at] = value;
        expect(serverNameIn(changed) ?? NAME).toMatch(/^[\x21-\x7e]+$/);
      }
    }
  });
});
