// The rows that vary one number of the same load, to see whether what a request costs stays the same.
// Their form is that of rows.mjs.

import { CONNECTIONS, IDLE_CONNECTIONS } from "./load.mjs";
import { NGINX, NODE_HTTP, SANDBOXED, TYPESCRIPT_NODE, TYPESCRIPT_WASMTIME } from "./servers.mjs";

const CONTENDERS = {
  sandboxed: { server: SANDBOXED },
  wasmtime: { server: TYPESCRIPT_WASMTIME },
  node: { server: TYPESCRIPT_NODE },
  http: { server: NODE_HTTP },
  nginx: { server: NGINX },
};

/** `vary` and `values` as measure-rates.mjs has them; no claims: a curve is there to be seen. */
function curve(id, vary, values, title) {
  return { id: `curve-${id}`, kind: "curve", vary, values, title, contenders: CONTENDERS, claims: [] };
}

export const CURVE_ROWS = [
  curve("connections", "connections", [1, 4, 16, 64, 256, 1024, 4096], "CPU of a hello by active connections"),
  curve(
    "idle",
    "idle",
    [0, 100, 1000, IDLE_CONNECTIONS],
    `CPU of a hello by idle connections beside ${CONNECTIONS} active ones`,
  ),
  curve("fields", "fields", [0, 4, 16, 64], "CPU of a hello by fields of the request beside Host"),
  curve("pipelined", "pipelined", [1, 4, 16, 64], "CPU of a hello by requests that the client sends at a time"),
];
