// The load of the stream rows: sends lines to an echo server and counts what comes back, whole and in time.
// Usage: node bench/peers/lines.mjs PORT echo|connect CONNECTIONS BYTES SECONDS
//   echo     CONNECTIONS that stay open; each sends its next line when the last has come back
//   connect  CONNECTIONS at a time; each is opened, sends one line, reads it back and is closed
// It prints one line of JSON: { count, perSecond, busy, p50Micros, p99Micros }. `busy` is the share of a core that it
// needed itself: near 1 it was the load that could do no more, not the server. A connection that fails ends it with an
// error.

import { connect } from "node:net";
import { performance } from "node:perf_hooks";

const [port, mode, connections, bytes, seconds] = process.argv.slice(2).map((text) => Number(text) || text);
// Addresses 127.1.0.0 and up: a closed connection keeps its port for a minute, and the kernel's search for a free one
// among many that are taken would soon cost more than all the rest.
const SOURCES = 65_536;
const SAMPLES_MAX = 1_000_000;
const line = Buffer.alloc(bytes, "x");
line[bytes - 1] = 10;

const times = [];
let count = 0;
let opened = 0;
let over = false;

function open(onOpen, onLine, onClose) {
  const source = opened++ % SOURCES;
  const localAddress = `127.1.${source >> 8}.${source & 255}`;
  const socket = connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
  let left = bytes;
  socket.on("connect", onOpen);
  socket.on("data", (chunk) => {
    left -= chunk.length;
    if (left < 0) throw new Error("more came back than was sent");
    if (left > 0) return;
    left = bytes;
    onLine();
  });
  socket.on("close", onClose);
  socket.on("error", (error) => {
    if (!over) throw error;
  });
  return socket;
}

function note(since) {
  count++;
  if (times.length < SAMPLES_MAX) times.push(performance.now() - since);
}

function echoLane() {
  let sentAt = 0;
  const send = () => {
    sentAt = performance.now();
    socket.write(line);
  };
  const socket = open(
    send,
    () => {
      note(sentAt);
      if (!over) send();
    },
    () => {
      if (!over) throw new Error("the server closed a connection");
    },
  );
}

function connectLane() {
  const began = performance.now();
  const socket = open(
    () => socket.write(line),
    () => {
      note(began);
      socket.destroy();
    },
    () => {
      if (!over) connectLane();
    },
  );
}

for (let index = 0; index < connections; index++) mode === "echo" ? echoLane() : connectLane();
const startedAt = performance.now();
setTimeout(() => {
  over = true;
  const elapsed = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage();
  times.sort((a, b) => a - b);
  const quantile = (share) => times[Math.floor((times.length - 1) * share)] * 1000;
  const result = {
    count,
    perSecond: count / elapsed,
    busy: ((user + system) / 1e6 / performance.now()) * 1000,
    p50Micros: quantile(0.5),
    p99Micros: quantile(0.99),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(count > 0 ? 0 : 1));
}, seconds * 1000);
