// The load of the transfer rows: large bodies over keep-alive connections, one after the other on each.
// Usage: node bench/peers/transfer.mjs PORT download|upload PATH BYTES CONNECTIONS SECONDS
// Each connection begins another transfer until SECONDS are over, and at least one; what has begun is finished.
// It prints one line of JSON: { count, bytes, seconds, busy }. `busy` is the share of a core that it needed itself:
// near 1 it was the load that could do no more. A status other than 200, or a body of another length, ends it with an
// error.

import { connect } from "node:net";
import { performance } from "node:perf_hooks";

const [portText, mode, path, bytesText, connectionsText, secondsText] = process.argv.slice(2);
const [port, size, connections, seconds] = [portText, bytesText, connectionsText, secondsText].map(Number);
const PIECE = Buffer.alloc(Math.min(size, 1 << 18), "x");
const READ_BYTES = 1 << 18;
const download = mode === "download";
const head = download
  ? `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`
  : `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${size}\r\n\r\n`;
let count = 0;
const startedAt = performance.now();
const elapsed = () => (performance.now() - startedAt) / 1000;

function lane() {
  return new Promise((resolve, reject) => {
    /** Bytes of the answer's body that are still to come; null while its head does. */
    let left = null;
    let text = "";
    let sending = 0;

    const begin = () => {
      socket.write(head);
      sending = download ? 0 : size;
      send();
    };
    const send = () => {
      while (sending > 0) {
        const part = Math.min(sending, PIECE.length);
        sending -= part;
        if (!socket.write(part === PIECE.length ? PIECE : PIECE.subarray(0, part))) return;
      }
      if (left === 0) complete();
    };
    const complete = () => {
      left = null;
      count++;
      if (elapsed() < seconds) return begin();
      socket.destroy();
      resolve();
    };
    const take = (length, buffer) => {
      if (left === null) length = takeHead(buffer.latin1Slice(0, length));
      if (left === null) return true;
      left -= length;
      if (left < 0) reject(new Error("more came than Content-Length says"));
      if (left === 0 && sending === 0) complete();
      return true;
    };
    /** Returns how much of the body came with it. */
    const takeHead = (piece) => {
      text += piece;
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return 0;
      const rest = text.length - end - 4;
      const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1]);
      if (!text.startsWith("HTTP/1.1 200 ") || (download && length !== size) || Number.isNaN(length)) {
        reject(new Error(`not the right answer: ${text.slice(0, end)}`));
        return 0;
      }
      left = length;
      text = "";
      return rest;
    };
    const onread = { buffer: Buffer.alloc(READ_BYTES), callback: take };
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, onread }, begin);
    socket.on("drain", send);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed a connection")));
  });
}

try {
  await Promise.all(Array.from({ length: connections }, lane));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
const took = elapsed();
const { user, system } = process.cpuUsage();
const busy = ((user + system) / 1e6 / performance.now()) * 1000;
process.stdout.write(`${JSON.stringify({ count, bytes: count * size, seconds: took, busy })}\n`, () => process.exit(0));
