// The peer for the TypeScript rows: Node's own `http`, as fast as it answers without tricks.
// Usage: node bench/peers/node-http.mjs PORT

import { createServer } from "node:http";

const BODY = "Hello, world";

const server = createServer((_request, response) => {
  response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": BODY.length });
  response.end(BODY);
});
server.keepAliveTimeout = 0; // no limit: idle connections must stay while they are measured
server.listen(Number(process.argv[2]), "127.0.0.1");
