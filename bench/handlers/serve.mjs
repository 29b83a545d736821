// Serves one of these applications by Waterspout, in a program of its own as its users write it.
// Usage: node bench/handlers/serve.mjs fetch|hono|h3|express PORT node|wasmtime

import { createServer, serve } from "waterspout";

const [kind, port, runtime] = process.argv.slice(2);
const { default: application } = await import(`./${kind}.mjs`);
const options = { runtime, accessLog: "off" };
const server =
  kind === "express"
    ? createServer(application, options).listen(Number(port), "127.0.0.1")
    : serve({ fetch: application.fetch, port: Number(port), hostname: "127.0.0.1", ...options });
process.once("SIGTERM", () => server.close());
