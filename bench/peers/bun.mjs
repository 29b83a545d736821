// The peer of the fetch handlers: Bun's own server.
// Usage: bun bench/peers/bun.mjs PORT

const HEADERS = { "content-type": "text/plain" };

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  idleTimeout: 0, // connections must stay while they are measured
  fetch: () => new Response("Hello, world", { headers: HEADERS }),
});
