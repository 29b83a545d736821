// The rows of all servers beside each other, one core each: as much as they can, and how long answers take at a fixed rate.
// Their form is that of rows.mjs.

import { CONNECTIONS } from "./load.mjs";
import { SANDBOXED, sharedServers, TYPESCRIPT_NODE, TYPESCRIPT_WASMTIME } from "./servers.mjs";
import { PEERS } from "./servers-peers.mjs";

const HONO = sharedServers("hono");

const OURS = {
  sandboxed: { server: SANDBOXED },
  wasmtime: { server: TYPESCRIPT_WASMTIME },
  node: { server: TYPESCRIPT_NODE },
  honoWasmtime: { server: HONO.wasmtime, title: `${HONO.wasmtime.title}, Hono` },
  honoNode: { server: HONO.node, title: `${HONO.node.title}, Hono` },
};

const peers = Object.fromEntries(Object.entries(PEERS).map(([key, server]) => [key, { server }]));

/** Well below what the slowest of them can do, and near what Node's own servers can. */
const RATES = [5000, 30_000];

function latencyRow(rate) {
  const { tornado: _slower, ...others } = peers; // it cannot do either
  const { honoWasmtime: _wasmtime, honoNode: _node, ...ours } = OURS;
  const way = { sandboxed: "AssemblyScript", wasmtime: "TypeScript behind wasmtime", node: "TypeScript in Node" };
  return {
    id: `latency-${rate / 1000}k`,
    kind: "latency",
    rate,
    title: `how long a hello takes at ${rate.toLocaleString("en")} a second, ${CONNECTIONS} keep-alive connections, one core`,
    contenders: { ...ours, ...others },
    claims: Object.entries(way).map(([of, name]) => ({
      name: `${name}, p99, of Node's http`,
      of,
      over: "http",
      figure: "p99Micros",
    })),
  };
}

export const PEER_ROWS = [
  {
    id: "peers",
    kind: "throughput",
    title: `a hello by everybody, ${CONNECTIONS} keep-alive connections, one core`,
    contenders: { ...OURS, ...peers },
    claims: Object.entries(PEERS).map(([over, { title }]) => ({
      name: `TypeScript in Node, requests/s, of ${title}`,
      of: "node",
      over,
      figure: "requestsPerSecond",
    })),
  },
  ...RATES.map(latencyRow),
];
