// Serves bench/handlers/worker.ts by Bun's own server.
// Usage: bun bench/peers/bun-worker.mjs PORT

import worker from "../handlers/worker.ts";

Bun.serve({ hostname: "127.0.0.1", port: Number(process.argv[2]), idleTimeout: 0, fetch: worker.fetch });
