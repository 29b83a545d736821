// The rows of what people write on top: a RequestHandler, a fetch handler, Hono, Express, and the CRUD example with its
// database; each beside the same application on Node's own server. Their form is that of rows.mjs.

import { CONNECTIONS } from "./load.mjs";
import {
  crudServers,
  HANDLER_NODE,
  HANDLER_WASMTIME,
  NODE_HTTP,
  sharedServers,
  srvxServer,
  TORNADO,
} from "./servers.mjs";

/** What the project promises of each way to run, beside Node's own server. */
const WASMTIME_AT_LEAST = 1.2;
const NODE_AT_LEAST = 0.95;

const LOAD = `${CONNECTIONS} keep-alive connections, one core`;

/** A row of both runtimes beside Node's own server, and Tornado where it has the same. */
function handlerRow(id, title, { wasmtime, node, http }, more = {}) {
  const claims = (of, way, atLeast) => [
    { name: `${way}, requests/s, of Node's server`, of, over: "http", figure: "requestsPerSecond", ...atLeast },
    { name: `${way}, CPU a request, of Node's server`, of, over: "http", figure: "cpuMicros" },
  ];
  const { promised = true, tornado, srvx, ...row } = more;
  return {
    id,
    kind: "throughput",
    title: `${title}, ${LOAD}`,
    splitCpu: true,
    contenders: {
      wasmtime: { server: wasmtime },
      node: { server: node },
      http: { server: http },
      ...(tornado === undefined ? {} : { tornado: { server: tornado } }),
      ...(srvx === undefined ? {} : { srvx: { server: srvx } }),
    },
    claims: [
      ...claims("wasmtime", "TypeScript behind wasmtime", promised ? { atLeast: WASMTIME_AT_LEAST } : {}),
      ...claims("node", "TypeScript in Node", promised ? { atLeast: NODE_AT_LEAST } : {}),
      ...(tornado === undefined
        ? []
        : [{ name: "TypeScript in Node, of Tornado", of: "node", over: "tornado", figure: "requestsPerSecond" }]),
      ...(srvx === undefined
        ? []
        : [{ name: "TypeScript in Node, CPU a request, of srvx", of: "node", over: "srvx", figure: "cpuMicros" }]),
    ],
    ...row,
  };
}

export const HANDLER_ROWS = [
  handlerRow(
    "request-handler",
    "hello through Application and RequestHandler, beside a bare handler of Node's http and the same on Tornado",
    { wasmtime: HANDLER_WASMTIME, node: HANDLER_NODE, http: NODE_HTTP },
    { tornado: TORNADO },
  ),
  ...["fetch", "hono", "h3"].map((name) =>
    handlerRow(
      name,
      `hello ${name === "fetch" ? "through serve({ fetch })" : `by ${name}`}, beside @hono/node-server and srvx`,
      sharedServers(name),
      { srvx: srvxServer(name) },
    ),
  ),
  handlerRow("express", "hello by Express, beside Node's http", sharedServers("express")),
  handlerRow("crud-list", "GET /users of examples/crud.ts over PostgreSQL, 20 users", crudServers(), {
    promised: false,
    database: true,
    path: "/users",
  }),
];
