// The peer of the fetch handlers in bench/handlers: srvx, the server of h3 and Nitro.
// Usage: node bench/peers/node-srvx.mjs fetch|hono|h3 PORT

import { serve } from "srvx";

const [kind, port] = process.argv.slice(2);
const { default: application } = await import(`../handlers/${kind}.mjs`);
serve({ fetch: application.fetch, port: Number(port), hostname: "127.0.0.1", silent: true });
