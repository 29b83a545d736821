// The peer for posts, transfers and websockets: Node's own `http`, and `ws` on it.
// Usage: node bench/peers/node-site.mjs PORT

import { createServer } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { WebSocketServer } from "ws";

const TEXT = { "Content-Type": "text/plain" };
const PIECE = Buffer.alloc(65_536, "x");
const SIZES = { "/download/1m": 2 ** 20, "/download/1g": 2 ** 30 };

async function handle(request, response) {
  const { url } = request;
  if (url in SIZES) return download(response, SIZES[url]);
  if (url === "/upload") return upload(request, response);
  if (url === "/pieces") return pieces(response);
  if (url === "/echo") return echo(request, response);
  const body = url === "/" ? "Hello, world" : "Not Found";
  response.writeHead(url === "/" ? 200 : 404, { ...TEXT, "Content-Length": body.length });
  response.end(body);
}

function download(response, bytes) {
  response.writeHead(200, { ...TEXT, "Content-Length": bytes });
  let left = bytes;
  const pump = () => {
    while (left > 0) {
      left -= PIECE.length;
      if (!response.write(PIECE) && left > 0) return response.once("drain", pump);
    }
    response.end();
  };
  pump();
}

async function pieces(response) {
  response.writeHead(200, TEXT);
  for (let left = 8; left > 0; left--) {
    response.write(PIECE.subarray(0, 64));
    await nextTurn();
  }
  response.end();
}

function upload(request, response) {
  let bytes = 0;
  request.on("data", (chunk) => {
    bytes += chunk.length;
  });
  request.on("end", () => {
    const text = String(bytes);
    response.writeHead(200, { ...TEXT, "Content-Length": text.length }).end(text);
  });
}

function echo(request, response) {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": body.length });
    response.end(body);
  });
}

const server = createServer(handle);
server.keepAliveTimeout = 0;
server.requestTimeout = 0;
const sockets = new WebSocketServer({ server, path: "/ws", perMessageDeflate: false });
sockets.on("connection", (socket) => {
  socket.on("message", (data, binary) => socket.send(data, { binary }));
  socket.on("error", () => {});
});
server.listen(Number(process.argv[2]), "127.0.0.1");
