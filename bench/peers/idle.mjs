// Opens keep-alive connections, one request on each, and then does nothing with them until it has to close.
// Invariant: nothing here runs between "open" and the next message, so it takes no CPU from what is measured.
// Usage (with an IPC channel): node bench/peers/idle.mjs PORT COUNT
// It sends { open }; on "count" it sends { open } again, on "close" it closes them all and ends.

import { connect } from "node:net";

const [port, count] = process.argv.slice(2).map(Number);
const OPENING_MAX = 64;
const SOURCES = 4; // addresses 127.0.0.2 and up, so that a narrow range of local ports is enough
const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n";
const BODY = "Hello, world";

const sockets = new Set();

function openOne(index) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.0.${2 + (index % SOURCES)}` });
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
      if (!answer.includes(BODY)) return;
      sockets.add(socket);
      resolve();
    });
    socket.on("close", () => {
      sockets.delete(socket);
      reject(new Error(`connection ${index + 1} of ${count} was closed before its answer came`));
    });
    socket.on("error", (error) => reject(error));
    socket.write(REQUEST);
  });
}

async function openAll() {
  let next = 0;
  const lane = async () => {
    while (next < count) await openOne(next++);
  };
  await Promise.all(Array.from({ length: OPENING_MAX }, lane));
}

process.on("message", (message) => {
  if (message === "count") process.send({ open: sockets.size });
  if (message === "close") process.exit(0);
});
process.on("disconnect", () => process.exit(0));

openAll().then(
  () => process.send({ open: sockets.size }),
  (error) => process.send({ problem: error.message }),
);
