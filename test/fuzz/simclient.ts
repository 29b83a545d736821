// A client of the simulated server: requests in a row, or a websocket with messages that come back. Each answer is known
// by its mark, `((client.number))`.
//
// Invariant tested: marks come once and in order; a 413 or 503 stands for one of them.
import type { Random } from "./random.js";
import { Wire } from "./wire.js";

const COUNT_MAX = 4;
const BODY_BYTES_MAX = 40_000;
/** Longer than a mark, and than the status line of a 503. */
const TAIL_CHARS = 40;
const TEXT = 1;
const CLOSE = 8;
const HANDSHAKE =
  "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** It stays for all answers, unless it is one that resets. */
export class SimClient {
  wire = new Wire();
  readonly leaves: boolean;
  readonly isSocket: boolean;
  readonly count: number;
  /** What was served for certain when it connected. */
  leastVersion = 0;
  /** An accident has taken its connection. */
  isLost = false;
  /** Answers that have come, and of these 413 and 503. */
  seen = 0;
  shed = 0;
  done = false;
  readonly #parts: readonly Buffer[];
  #left: Buffer = Buffer.alloc(0);
  #text = "";

  constructor(
    readonly id: number,
    random: Random,
  ) {
    this.leaves = random.once(4);
    this.isSocket = random.once(4);
    this.count = 1 + random.below(COUNT_MAX);
    this.#parts = Array.from({ length: this.count }, (_, index) => {
      const mark = `((${id}.${index}))`;
      const body = "b".repeat(random.below(random.once(5) ? BODY_BYTES_MAX : 200));
      if (this.isSocket) return message(TEXT, body + mark, random);
      const head = `/${mark} HTTP/1.1\r\nHost: x\r\n`;
      const text = random.once(2) ? `GET ${head}\r\n` : `POST ${head}Content-Length: ${body.length}\r\n\r\n${body}`;
      return Buffer.from(text);
    });
    this.begin();
  }

  /** Begins a connection, with what has no answer yet. */
  begin(): void {
    this.wire = new Wire();
    this.#text = "";
    const upgrade = this.isSocket ? [Buffer.from(`GET /ws HTTP/1.1\r\n${HANDSHAKE}`)] : [];
    this.#left = Buffer.concat([...upgrade, ...this.#parts.slice(this.seen)]);
  }

  /** The mark that it waits for. */
  get next(): string {
    return `((${this.id}.${this.seen}))`;
  }

  /** Whether it can get nothing more: its worker has ended, or the server has closed. */
  get #isCut(): boolean {
    return this.wire.isReset || this.wire.closed || this.wire.isShut;
  }

  /** Sends a piece and takes what has come; false: it is done, since it has all answers, has left or was cut. */
  step(random: Random): boolean {
    const size = random.once(2) ? this.#left.length : Math.min(this.#left.length, 1 + random.below(3000));
    this.wire.send(this.#left.subarray(0, size));
    this.#left = this.#left.subarray(size);
    if (this.leaves && random.once(40)) {
      this.wire.reset();
      this.done = true;
      return false;
    }
    this.#look();
    if (this.seen < this.count && !this.#isCut) return true;
    this.done = true;
    if (this.isSocket && !random.once(3)) this.wire.send(message(CLOSE, "\x03\xe8", random));
    this.wire.ended = true;
    return false;
  }

  #look(): void {
    this.#text += this.wire.take().toString("latin1");
    let end = 0;
    for (const found of this.#text.matchAll(/HTTP\/1\.1 (?:413|503)|\(\((\d+)\.(\d+)\)\)/g)) {
      const [, id, index] = found;
      if (id === undefined) this.shed++;
      else if (Number(id) !== this.id || Number(index) !== this.seen) {
        throw new Error(`client ${this.id} got ((${id}.${index})) in place of ${this.seen}`);
      }
      this.seen++;
      end = found.index + found[0].length;
    }
    this.#text = this.#text.slice(Math.max(end, this.#text.length - TAIL_CHARS));
  }
}

/** A frame of a client's, masked. */
function message(opcode: number, text: string, random: Random): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const mask = random.bytes(4);
  const head = bytes.length < 126 ? [bytes.length | 0x80] : [0xfe, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.concat([
    Buffer.from([0x80 | opcode, ...head]),
    mask,
    bytes.map((byte, i) => byte ^ (mask[i & 3] ?? 0)),
  ]);
}
