// The servers that a newcomer compares with, of other languages and engines, each with the least that answers a hello.
// Their form is that of servers.mjs.

import { join } from "node:path";
import { NGINX, NODE_HTTP, sharedServers, srvxServer, TORNADO } from "./servers.mjs";
import { bun, deno, go, hyper, node, ROOT } from "./tools.mjs";

const peer = (title, launch) => ({ title, product: false, launch });
const program = (name) => join(ROOT, "bench/peers", name);

export const PEERS = {
  http: NODE_HTTP,
  fastify: peer("Fastify", (port) => ({ command: [node().command, program("node-fastify.mjs"), String(port)] })),
  hono: { ...sharedServers("hono").http, title: "Hono on @hono/node-server" },
  srvx: { ...srvxServer("hono"), title: "Hono on srvx" },
  bun: peer("Bun.serve", (port) => ({ command: [bun().command, program("bun.mjs"), String(port)] })),
  deno: peer("Deno.serve", (port) => ({
    command: [deno().command, "run", "--allow-net=127.0.0.1", program("deno.mjs"), String(port)],
  })),
  go: peer("Go's net/http", (port) => ({ command: [go().command, String(port)] })),
  hyper: peer("hyper, Rust", (port) => ({ command: [hyper().command, String(port)] })),
  nginx: NGINX,
  tornado: TORNADO,
};
