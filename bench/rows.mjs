// The rows: what is compared with what, and what the project promises of it.
// A claim is the figure of one contender (`of`), divided by that of another (`over`) unless it stands for itself.
// `atLeast` and `atMost` are promises; a claim without either is there to be read.

import { CONNECTIONS, IDLE_CONNECTIONS } from "./load.mjs";
import { COMPONENT_ROWS } from "./rows-components.mjs";
import { CURVE_ROWS } from "./rows-curves.mjs";
import { EDGE_ROWS } from "./rows-edge.mjs";
import { HANDLER_ROWS } from "./rows-handlers.mjs";
import { HTTP_ROWS } from "./rows-http.mjs";
import { PEER_ROWS } from "./rows-peers.mjs";
import {
  NGINX,
  NGINX_STREAM,
  NODE_ECHO,
  NODE_HTTP,
  NODE_NET,
  SANDBOXED,
  SANDBOXED_ECHO,
  TORNADO,
  TORNADO_ECHO,
  TYPESCRIPT_NODE,
  TYPESCRIPT_WASMTIME,
  WASMTIME_ECHO,
} from "./servers.mjs";

const IDLE = IDLE_CONNECTIONS.toLocaleString("en");

const IDLE_SERVERS = {
  sandboxed: { server: SANDBOXED },
  wasmtime: { server: TYPESCRIPT_WASMTIME },
  node: { server: TYPESCRIPT_NODE },
  nginx: { server: NGINX },
  http: { server: NODE_HTTP },
  tornado: { server: TORNADO },
};

const ECHOES = {
  sandboxed: { server: SANDBOXED_ECHO },
  wasmtime: { server: WASMTIME_ECHO },
  node: { server: NODE_ECHO },
  net: { server: NODE_NET },
  tornado: { server: TORNADO_ECHO },
  nginx: { server: NGINX_STREAM },
};
const ECHO_CLAIMS = [
  { name: "AssemblyScript, of Tornado", of: "sandboxed", over: "tornado", figure: "perSecond" },
  { name: "AssemblyScript, CPU each, of Node's net", of: "sandboxed", over: "net", figure: "cpuMicros" },
  { name: "TypeScript behind wasmtime, CPU each, of Node's net", of: "wasmtime", over: "net", figure: "cpuMicros" },
  { name: "TypeScript in Node, CPU each, of Node's net", of: "node", over: "net", figure: "cpuMicros" },
  {
    name: "TypeScript behind wasmtime, CPU each, of nginx's, which forwards",
    of: "wasmtime",
    over: "nginx",
    figure: "cpuMicros",
  },
];

/** `kind` says how a row is measured: see measure.mjs. `splitCpu`: the report shows Node and wasmtime apart; `showsMemory`: how much
 *  all processes of a server have behind the load. */
export const ROWS = [
  {
    id: "sandboxed",
    kind: "throughput",
    title: `AssemblyScript handler under wasmtime, ${CONNECTIONS} keep-alive connections, one core`,
    contenders: { waterspout: { server: SANDBOXED }, nginx: { server: NGINX }, tornado: { server: TORNADO } },
    claims: [
      { name: "requests/s, of nginx", of: "waterspout", over: "nginx", figure: "requestsPerSecond", atLeast: 0.9 },
      { name: "requests/s, of Tornado", of: "waterspout", over: "tornado", figure: "requestsPerSecond", atLeast: 12 },
      { name: "CPU a request, of nginx", of: "waterspout", over: "nginx", figure: "cpuMicros" },
    ],
  },
  {
    id: "sandboxed-idle",
    kind: "throughput",
    title: `the same beside ${IDLE} idle connections`,
    contenders: {
      beside: { server: SANDBOXED, title: `beside ${IDLE} idle connections`, idle: IDLE_CONNECTIONS },
      alone: { server: SANDBOXED, title: "without them" },
    },
    claims: [
      { name: "requests/s, of itself alone", of: "beside", over: "alone", figure: "requestsPerSecond", atLeast: 0.9 },
      { name: "CPU a request, of itself alone", of: "beside", over: "alone", figure: "cpuMicros" },
    ],
  },
  {
    id: "typescript-wasmtime",
    kind: "throughput",
    title: "TypeScript handler behind wasmtime; one core for both processes, and then any core for everything",
    splitCpu: true,
    contenders: {
      waterspout: { server: TYPESCRIPT_WASMTIME },
      http: { server: NODE_HTTP },
      waterspoutFree: { server: TYPESCRIPT_WASMTIME, title: `${TYPESCRIPT_WASMTIME.title}, not pinned`, anyCore: true },
      httpFree: { server: NODE_HTTP, title: `${NODE_HTTP.title}, not pinned`, anyCore: true },
    },
    claims: [
      { name: "requests/s, of Node's http", of: "waterspout", over: "http", figure: "requestsPerSecond", atLeast: 1.2 },
      {
        name: "CPU a request in Node, of Node's http",
        of: "waterspout",
        over: "http",
        figure: "mainCpuMicros",
        atMost: 1 / 3,
      },
      { name: "requests/s, not pinned", of: "waterspoutFree", over: "httpFree", figure: "requestsPerSecond" },
      { name: "CPU a request in Node, not pinned", of: "waterspoutFree", over: "httpFree", figure: "mainCpuMicros" },
    ],
  },
  {
    id: "typescript-node",
    kind: "throughput",
    title: "TypeScript handler in Node, one core",
    contenders: { waterspout: { server: TYPESCRIPT_NODE }, http: { server: NODE_HTTP } },
    claims: [
      { name: "requests/s, of Node's http", of: "waterspout", over: "http", figure: "requestsPerSecond", atLeast: 1.0 },
      { name: "CPU a request, of Node's http", of: "waterspout", over: "http", figure: "cpuMicros" },
    ],
  },
  {
    id: "accept",
    kind: "lines",
    mode: "connect",
    bytes: 64,
    title: `connections that bring one line of 64 bytes and end, ${CONNECTIONS} at a time, one core`,
    contenders: ECHOES,
    claims: ECHO_CLAIMS,
  },
  {
    id: "echo-64",
    kind: "lines",
    mode: "echo",
    bytes: 64,
    title: `echo of lines of 64 bytes, ${CONNECTIONS} connections, one core`,
    contenders: ECHOES,
    claims: ECHO_CLAIMS,
  },
  {
    id: "echo-64k",
    kind: "lines",
    mode: "echo",
    bytes: 65_536,
    title: `echo of lines of 64 KiB, ${CONNECTIONS} connections, one core`,
    contenders: ECHOES,
    claims: ECHO_CLAIMS,
  },
  ...PEER_ROWS,
  ...COMPONENT_ROWS,
  ...EDGE_ROWS,
  ...HANDLER_ROWS,
  ...HTTP_ROWS,
  ...CURVE_ROWS,
  {
    id: "timers",
    kind: "timers",
    title: "a timer, while 1,000, 10,000 and 100,000 others are armed",
    contenders: {
      sandbox: { title: "Waterspout, the sandbox's loop in Node", product: true, timers: "sandbox" },
      node: { title: "Node's timers", timers: "node" },
      tornado: { title: "Tornado's IOLoop", timers: "tornado" },
    },
    claims: [
      {
        name: "arm and remove with 100,000 armed, percent of that with 1,000 (in proportion to their number: 10,000)",
        of: "sandbox",
        figure: "growthPercent",
        atMost: 500,
      },
      {
        name: "arm and remove with 100,000 armed, of Node's timers",
        of: "sandbox",
        over: "node",
        figure: "pair100000",
      },
      { name: "the same, of Tornado", of: "sandbox", over: "tornado", figure: "pair100000" },
      { name: "arm and fire with 100,000 armed, of Node's timers", of: "sandbox", over: "node", figure: "fire100000" },
      { name: "the same, of Tornado", of: "sandbox", over: "tornado", figure: "fire100000" },
    ],
  },
  {
    id: "size",
    kind: "size",
    title: "the core that both hosts load",
    contenders: { core: { file: "build/core.wasm", title: "build/core.wasm", product: true } },
    claims: [{ name: "bytes", of: "core", figure: "bytes", atMost: 65_536 }],
  },
  {
    id: "idle-memory-1000",
    kind: "memory",
    connections: 1000,
    title: "memory of an idle keep-alive connection, from 0 to 1,000",
    contenders: IDLE_SERVERS,
    claims: [],
  },
  {
    id: "idle-memory",
    kind: "memory",
    title: `memory of an idle keep-alive connection, from 0 to ${IDLE}`,
    contenders: IDLE_SERVERS,
    claims: [
      { name: "bytes, AssemblyScript in wasmtime", of: "sandboxed", figure: "rss", atMost: 4096 },
      { name: "bytes, TypeScript behind wasmtime", of: "wasmtime", figure: "rss", atMost: 4096 },
      { name: "bytes, TypeScript in Node", of: "node", figure: "rss", atMost: 4096 },
    ],
  },
];
