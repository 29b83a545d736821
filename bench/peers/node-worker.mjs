// The peer of bench/handlers/worker.ts: the same answers, written for Node's own `http`.
// Usage: node bench/peers/node-worker.mjs PORT

import { createServer } from "node:http";

const WAIT_MS = 10;

function answer(response, status, text, type = "text/plain") {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

async function echo(request, response) {
  request.setEncoding("utf8");
  let text = "";
  for await (const piece of request) text += piece;
  answer(response, 200, text);
}

const server = createServer((request, response) => {
  const { url } = request;
  if (url === "/") return answer(response, 200, "Hello, world");
  if (url === "/json") {
    return answer(response, 200, JSON.stringify({ message: "Hello, world", items: [1, 2, 3] }), "application/json");
  }
  if (url === "/echo") return echo(request, response);
  if (url !== "/wait") return answer(response, 404, "Not Found");
  setTimeout(() => answer(response, 200, "waited"), WAIT_MS);
});
server.keepAliveTimeout = 0; // no limit: idle connections must stay while they are measured
server.listen(Number(process.argv[2]), "127.0.0.1");
