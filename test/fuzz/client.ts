// A client of the fuzzers: sends requests in order, broken ones, websockets or anything, in pieces, and leaves in any
// way.
//
// What it asks for carries a mark, `((client.number))`, which handlers send back. Invariant tested: a client sees its
// own marks alone, each once, and in the order in which it asked.

import { corpus } from "../corpus/corpus.js";
import { Generator } from "../sandbox/differential/generator.js";
import type { Random } from "./random.js";

/** The client's end of a connection, scripted or real. */
export interface Line {
  send(bytes: Uint8Array): void;
  /** The client ends its side. */
  ended: boolean;
  /** A client that does not read sets this to false. */
  reads: boolean;
  reset(): void;
  /** What has come since the last call. */
  take(): Buffer;
}

const REQUESTS = corpus.map(({ request }) => request);
const FIELDS = [
  "Range: bytes=0-3",
  "Range: bytes=-2,1-",
  "If-None-Match: *",
  'If-None-Match: "a", W/"b"',
  "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
  "Accept-Encoding: gzip, br;q=0.5",
  "Expect: 100-continue",
  "Connection: close",
  "Cookie: a=b; __proto__=c",
  "Origin: http://x",
  `X-Long: ${"a ".repeat(2000)}`,
];

/** How the client leaves. */
type End = "fin" | "reset" | "half" | "vanish";

export class FuzzClient {
  readonly #wire: Line;
  readonly #random: Random;
  readonly #id: number;
  readonly #end: End;
  #left: Uint8Array;
  #asked = 0;
  #seen = -1;
  #tail = "";
  #done = false;
  #hasSocket = false;
  /** Marks that came back. */
  answers = 0;

  /** `targets`: what its requests ask for; each holds the place of a mark, `%`. `preamble`: what it sends first. */
  constructor(id: number, wire: Line, random: Random, targets: readonly string[], preamble: Buffer = Buffer.alloc(0)) {
    this.#id = id;
    this.#wire = wire;
    this.#random = random;
    this.#end = random.pick(["fin", "fin", "reset", "half", "vanish"]);
    this.#left = Buffer.concat([preamble, this.#script(targets)]);
    if (random.once(12)) wire.reads = false;
  }

  /**
   * It may have a websocket, which has no time limit unless it is pinged: one that vanishes stays until it is reset.
   */
  get maySocket(): boolean {
    return this.#hasSocket;
  }

  reset(): void {
    this.#wire.reset();
  }

  get done(): boolean {
    return this.#done;
  }

  /** Sends a piece, or leaves when there is none; takes what has come. Throws when that is not its own. */
  step(): void {
    this.send();
    this.check();
  }

  send(): void {
    const random = this.#random;
    if (this.#left.length > 0) {
      const size = random.once(3) ? this.#left.length : 1 + random.below(Math.min(this.#left.length, 4000));
      this.#wire.send(this.#left.subarray(0, size));
      this.#left = this.#left.subarray(size);
      if (random.once(200)) this.leave();
    } else if (!this.#done && random.once(4)) this.leave();
  }

  leave(): void {
    this.#done = true;
    this.#left = Buffer.alloc(0);
    if (this.#end === "reset") this.#wire.reset();
    else if (this.#end !== "vanish") this.#wire.ended = true;
    if (this.#end === "fin") this.#wire.reads = true;
  }

  check(): void {
    const text = this.#tail + this.#wire.take().toString("latin1");
    for (const [, client, number] of text.matchAll(/\(\((\d+)\.(\d+)\)\)/g)) {
      const isOwn = Number(client) === this.#id && Number(number) > this.#seen && Number(number) < this.#asked;
      if (!isOwn) throw new Error(`client ${this.#id} got ((${client}.${number})) after ${this.#seen}`);
      this.#seen = Number(number);
      this.answers++;
    }
    this.#tail = text.slice(Math.max(text.lastIndexOf("))") + 2, text.length - 20));
  }

  // --- what it sends ---

  #script(targets: readonly string[]): Buffer {
    const random = this.#random;
    const parts: Buffer[] = [];
    for (let i = 1 + random.below(6); i > 0; i--) parts.push(this.#request(targets));
    this.#hasSocket = random.once(3);
    if (this.#hasSocket) parts.push(this.#websocket(targets));
    if (random.once(2)) parts.push(new Generator(random.below(1 << 30), REQUESTS).next());
    if (random.once(20)) parts.unshift(new Generator(random.below(1 << 30), REQUESTS).next());
    if (random.once(30)) parts.push(random.bytes(random.below(300_000)));
    return Buffer.concat(parts);
  }

  #head(method: string, targets: readonly string[], fields: readonly string[]): string {
    const target = this.#random.pick(targets).replace("%", `((${this.#id}.${this.#asked++}))`);
    const more = this.#random.once(4) ? [this.#random.pick(FIELDS)] : [];
    return `${method} ${target} HTTP/1.1\r\n${["Host: x", ...fields, ...more].join("\r\n")}\r\n\r\n`;
  }

  #request(targets: readonly string[]): Buffer {
    const random = this.#random;
    const kind = random.below(10);
    if (kind < 6) return Buffer.from(this.#head(random.pick(METHODS), targets, []), "latin1");
    const size = random.once(8) ? random.below(400_000) : random.below(2000);
    const body = Buffer.alloc(size, `a=${random.below(100)}&`);
    if (kind < 8) {
      const head = this.#head("POST", targets, [`Content-Length: ${size}`, FORM]);
      return Buffer.concat([Buffer.from(head, "latin1"), body]);
    }
    const parts = [Buffer.from(this.#head("POST", targets, ["Transfer-Encoding: chunked", FORM]), "latin1")];
    for (let at = 0; at < size; ) {
      const piece = body.subarray(at, at + 1 + random.below(random.once(3) ? 30 : 8000));
      parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"));
      at += piece.length;
    }
    parts.push(Buffer.from(random.once(3) ? "0\r\nX-Trailer: a\r\n\r\n" : "0\r\n\r\n"));
    return Buffer.concat(parts);
  }

  #websocket(targets: readonly string[]): Buffer {
    const random = this.#random;
    const fields = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    fields.push("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
    if (random.once(2)) fields.push("Sec-WebSocket-Extensions: permessage-deflate");
    const parts: Buffer[] = [Buffer.from(this.#head("GET", targets, fields), "latin1")];
    for (let i = random.below(20); i > 0; i--) parts.push(this.#frame());
    return Buffer.concat(parts);
  }

  #frame(): Buffer {
    const random = this.#random;
    const opcode = random.pick([1, 1, 1, 2, 2, 0, 8, 9, 10, random.below(16)]);
    const payload = random.once(3) ? random.bytes(random.below(400)) : Buffer.alloc(random.below(400), "a");
    const first = (random.once(4) ? 0 : 0x80) | (random.once(10) ? 0x40 : 0) | opcode;
    const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
    const isMasked = !random.once(30);
    const mask = random.bytes(4);
    const bytes = isMasked ? payload.map((byte, i) => byte ^ (mask[i & 3] as number)) : payload;
    const head = [first, (length[0] as number) | (isMasked ? 0x80 : 0), ...length.slice(1)];
    return Buffer.concat([Buffer.from(head), isMasked ? mask : Buffer.alloc(0), bytes]);
  }
}

const METHODS = ["GET", "GET", "GET", "GET", "GET", "HEAD", "OPTIONS"];
const FORM = "Content-Type: application/x-www-form-urlencoded";
