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
const PROMISED = { wasmtime: { http: 1.2 }, node: { http: 0.95 } };
/** The same of handlers of fetch, beside @hono/node-server and srvx. */
const PROMISED_OF_FETCH = { http: 1.3, srvx: 1.2 };

const LOAD = `${CONNECTIONS} keep-alive connections, one core`;

/** A row of both runtimes beside Node's own server, and Tornado where it has the same. */
function handlerRow(id, title, { wasmtime, node, http }, more = {}) {
  const { promised = PROMISED, tornado, srvx, ...row } = more;
  const beside = (of, way, over, peer) => [
    { name: `${way}, requests/s, of ${peer}`, of, over, figure: "requestsPerSecond", atLeast: promised[of]?.[over] },
    { name: `${way}, CPU a request, of ${peer}`, of, over, figure: "cpuMicros" },
  ];
  const claims = (of, way) => [
    ...beside(of, way, "http", "Node's server"),
    ...(srvx === undefined ? [] : beside(of, way, "srvx", "srvx")),
  ];
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
      ...claims("wasmtime", "TypeScript behind wasmtime"),
      ...claims("node", "TypeScript in Node"),
      ...(tornado === undefined
        ? []
        : [{ name: "TypeScript in Node, of Tornado", of: "node", over: "tornado", figure: "requestsPerSecond" }]),
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
      { srvx: srvxServer(name), promised: { wasmtime: PROMISED_OF_FETCH, node: PROMISED_OF_FETCH } },
    ),
  ),
  handlerRow("express", "hello by Express, beside Node's http", sharedServers("express")),
  handlerRow("crud-list", "GET /users of examples/crud.ts over PostgreSQL, 20 users", crudServers(), {
    promised: {},
    database: true,
    path: "/users",
  }),
];
