// The peer of the applications in bench/handlers: Node's own server, for fetch handlers with Hono's adapter.
// Usage: node bench/peers/node-handlers.mjs fetch|hono|h3|express PORT

import { createServer } from "node:http";
import { serve } from "@hono/node-server";

const [kind, port] = process.argv.slice(2);
const { default: application } = await import(`../handlers/${kind}.mjs`);
if (kind === "express") createServer(application).listen(Number(port), "127.0.0.1");
else serve({ fetch: application.fetch, port: Number(port), hostname: "127.0.0.1" });
