// The peer for the stream rows: a line echo over Node's own `net`.
// Usage: node bench/peers/node-net.mjs PORT

import { createServer } from "node:net";

const NEWLINE = 10;

const server = createServer({ noDelay: true }, (socket) => {
  let begun = null; // a line whose end has not come
  socket.on("data", (chunk) => {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      if (begun !== null) socket.write(begun);
      socket.write(chunk.subarray(0, end));
      begun = null;
    }
    if (end < chunk.length) begun = begun === null ? chunk.subarray(end) : Buffer.concat([begun, chunk.subarray(end)]);
  });
  socket.on("error", () => {});
});
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 511 });
