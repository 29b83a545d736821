// The load of the websocket rows: text messages to an echo, each connection sends its next when the last has come back.
// Usage: node bench/peers/websocket.mjs PORT CONNECTIONS BYTES MESSAGES
// MESSAGES are shared by all connections. It prints one line of JSON: { count, perSecond, busy, p50Micros, p99Micros };
// `busy` is the share of a core that it needed itself. It has its own client, since one that masks and checks each byte
// in JavaScript would be what is measured: frames are masked once, with one key, and answers are compared whole. An
// answer that is another ends it with an error. Reference: RFC 6455 4.1 and 5.2.

import { connect } from "node:net";
import { performance } from "node:perf_hooks";

const [port, connections, bytes, messages] = process.argv.slice(2).map(Number);
const SAMPLES_MAX = 1_000_000;
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; // RFC 6455 1.3
const MASK = [0x37, 0xfa, 0x21, 0x3d];
const HANDSHAKE =
  `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`;
const payload = Buffer.alloc(bytes, "The quick brown fox jumps over the lazy dog. ");
const message = Buffer.concat([frameHead(0x80), Buffer.from(MASK), payload.map((byte, at) => byte ^ MASK[at & 3])]);

/** FIN, text, and the length; `masked` is 0x80 for a client's. */
function frameHead(masked) {
  if (bytes < 126) return Buffer.from([0x81, masked | bytes]);
  if (bytes < 65_536) return Buffer.from([0x81, masked | 126, bytes >> 8, bytes & 255]);
  const head = Buffer.from([0x81, masked | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes, 6);
  return head;
}

/** Takes what an echo sends: one message, in however many frames and pieces. */
class Answer {
  #head = Buffer.alloc(0);
  #left = 0;
  #last = false;
  #got = 0;

  /** Whether `chunk` completes the message; throws when it is not the one that was sent. */
  take(chunk) {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) at = this.#begin(chunk, at);
      const part = Math.min(this.#left, chunk.length - at);
      if (chunk.compare(payload, this.#got, this.#got + part, at, at + part) !== 0) throw new Error("another message");
      this.#got += part;
      this.#left -= part;
      at += part;
    }
    const isComplete = this.#last && this.#left === 0 && this.#head.length === 0;
    if (isComplete && this.#got !== bytes) throw new Error(`${this.#got} bytes came back of ${bytes}`);
    if (isComplete) this.#got = 0;
    return isComplete;
  }

  /** Reads a frame's head, as much of it as is there; returns where it ends. */
  #begin(chunk, from) {
    const head = this.#head.length === 0 ? chunk.subarray(from) : Buffer.concat([this.#head, chunk.subarray(from)]);
    const short = head.length < 2 ? 0 : head[1];
    const size = head.length < 2 ? Infinity : short === 126 ? 4 : short === 127 ? 10 : 2;
    if (head.length < size) {
      this.#head = Buffer.from(head);
      this.#last = false;
      return chunk.length;
    }
    const opcode = head[0] & 0x7f;
    if (short > 127 || opcode !== (this.#got === 0 ? 1 : 0)) throw new Error(`a frame of type ${head[0]}`);
    this.#last = (head[0] & 0x80) !== 0;
    this.#left = short === 126 ? head.readUInt16BE(2) : short === 127 ? head.readUInt32BE(6) : short;
    const before = this.#head.length;
    this.#head = Buffer.alloc(0);
    return from + size - before;
  }
}

const times = [];
let begun = 0;
let count = 0;

/** One connection; `opened` is resolved with what begins its messages, `done` when there are no more. */
function open() {
  let resolveDone;
  const done = new Promise((resolve) => {
    resolveDone = resolve;
  });
  const opened = new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => socket.write(HANDSHAKE));
    const answer = new Answer();
    let text = "";
    let sentAt = 0;
    const send = () => {
      if (begun === messages) {
        socket.removeAllListeners("close").destroy();
        return resolveDone();
      }
      begun++;
      sentAt = performance.now();
      socket.write(message);
    };
    const takeMessage = (chunk) => {
      if (!answer.take(chunk)) return;
      count++;
      if (times.length < SAMPLES_MAX) times.push(performance.now() - sentAt);
      send();
    };
    const takeHandshake = (chunk) => {
      text += chunk.latin1Slice();
      if (!text.endsWith("\r\n\r\n")) return;
      if (!text.startsWith("HTTP/1.1 101 ") || !text.includes(ACCEPT))
        fail(new Error(`no handshake: ${text.split("\r\n")[0]}`));
      socket.off("data", takeHandshake).on("data", takeMessage);
      resolve({ send, done });
    };
    socket.on("data", takeHandshake);
    socket.on("error", reject);
    socket.on("close", () => {
      fail(new Error("the server closed a connection"));
    });
  });
  return opened;
}

function fail(error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

process.on("uncaughtException", fail);
const lanes = await Promise.all(Array.from({ length: connections }, open)).catch(fail);
const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
for (const { send } of lanes) send();
await Promise.all(lanes.map(({ done }) => done));
const seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
times.sort((a, b) => a - b);
const quantile = (share) => times[Math.floor((times.length - 1) * share)] * 1000;
const result = {
  count,
  perSecond: count / seconds,
  busy: (user + system) / 1e6 / seconds,
  p50Micros: quantile(0.5),
  p99Micros: quantile(0.99),
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
