// The rows of components, beside the module of preview1 and others. Their form is that of rows.mjs.

import { CONNECTIONS, IDLE_CONNECTIONS } from "./load.mjs";
import {
  NGINX,
  NODE_HTTP,
  NODE_SITE,
  SANDBOXED,
  TRANSFERS_NODE,
  TRANSFERS_SANDBOXED,
  TRANSFERS_WASMTIME,
  TYPESCRIPT_ASYNC,
  TYPESCRIPT_COMPONENT,
  TYPESCRIPT_WASMTIME,
} from "./servers.mjs";
import {
  COMPONENT,
  COMPONENT_ASYNC,
  HTTP,
  HTTP_ASYNC,
  HTTP_ASYNC_KEPT,
  HTTP_FRESH,
  LEAST_ASYNC,
  ONE_THREAD,
  RUST,
  RUST_ASYNC,
  RUST_ASYNC_KEPT,
  RUST_FRESH,
  STARTS,
  TRANSFERS_ASYNC,
  TRANSFERS_HTTP,
  TWO_THREADS,
} from "./servers-components.mjs";
import { PROXIES } from "./servers-proxies.mjs";

const preview1 = { server: SANDBOXED, title: "Waterspout, AssemblyScript, module of preview1" };

/** `part` of what the other does in a second of CPU: so much more CPU a request. */
const ofCpuSecond = (part) => 1 / part;

const besideIdle = (server, title = server.title) => ({
  server,
  title: `${title}, beside idle connections`,
  idle: IDLE_CONNECTIONS,
});

export const COMPONENT_ROWS = [
  {
    id: "components",
    kind: "throughput",
    title: `components in wasmtime alone, ${CONNECTIONS} keep-alive connections, one core`,
    contenders: {
      async: { server: COMPONENT_ASYNC },
      component: { server: COMPONENT },
      least: { server: LEAST_ASYNC },
      twoThreads: { server: TWO_THREADS },
      oneThread: { server: ONE_THREAD },
      preview1,
      http: { server: NODE_HTTP },
      nginx: { server: NGINX },
    },
    claims: [
      {
        name: "WASI 0.3, CPU a request, of preview1",
        of: "async",
        over: "preview1",
        figure: "cpuMicros",
        atMost: ofCpuSecond(0.65),
      },
      {
        name: "WASI 0.3, CPU a request, of Node's http",
        of: "async",
        over: "http",
        figure: "cpuMicros",
        atMost: ofCpuSecond(1.3),
      },
      { name: "WASI 0.3, CPU a request, of the least there", of: "async", over: "least", figure: "cpuMicros" },
      {
        name: "the least over WASI 0.3, CPU a request, of preview1",
        of: "least",
        over: "preview1",
        figure: "cpuMicros",
      },
      {
        name: "tokio with two threads, CPU a request, of one",
        of: "twoThreads",
        over: "oneThread",
        figure: "cpuMicros",
      },
      { name: "WASI 0.3, CPU a request, of nginx", of: "async", over: "nginx", figure: "cpuMicros" },
      { name: "WASI 0.2, CPU a request, of preview1", of: "component", over: "preview1", figure: "cpuMicros" },
    ],
  },
  {
    id: "components-idle",
    kind: "throughput",
    title: `components beside ${IDLE_CONNECTIONS.toLocaleString("en")} idle connections`,
    contenders: {
      beside: besideIdle(COMPONENT_ASYNC),
      alone: { server: COMPONENT_ASYNC },
      preview1: besideIdle(SANDBOXED, preview1.title),
      kept: besideIdle(HTTP),
      rust: besideIdle(RUST),
      http: besideIdle(NODE_HTTP),
      nginx: besideIdle(NGINX),
    },
    claims: [
      { name: "requests/s, of itself alone", of: "beside", over: "alone", figure: "requestsPerSecond", atLeast: 0.95 },
      { name: "CPU a request, of itself alone", of: "beside", over: "alone", figure: "cpuMicros" },
    ],
  },
  {
    id: "wasi-http",
    kind: "throughput",
    title: `wasi:http under wasmtime serve, ${CONNECTIONS} keep-alive connections, one core`,
    contenders: {
      kept: { server: HTTP },
      fresh: { server: HTTP_FRESH },
      async: { server: HTTP_ASYNC },
      asyncKept: { server: HTTP_ASYNC_KEPT },
      rust: { server: RUST },
      rustFresh: { server: RUST_FRESH },
      rustAsync: { server: RUST_ASYNC },
      rustAsyncKept: { server: RUST_ASYNC_KEPT },
      preview1,
      http: { server: NODE_HTTP },
      nginx: { server: NGINX },
    },
    claims: [
      {
        name: "instances kept, CPU a request, of Rust's",
        of: "kept",
        over: "rust",
        figure: "cpuMicros",
        atMost: ofCpuSecond(0.9),
      },
      { name: "an instance a request, CPU, of Rust's", of: "fresh", over: "rustFresh", figure: "cpuMicros" },
      { name: "0.3, instances kept, CPU a request, of 0.2's", of: "asyncKept", over: "kept", figure: "cpuMicros" },
      { name: "0.3, CPU a request, of Rust's 0.3", of: "async", over: "rustAsync", figure: "cpuMicros" },
      {
        name: "0.3, instances kept, CPU a request, of Rust's 0.3",
        of: "asyncKept",
        over: "rustAsyncKept",
        figure: "cpuMicros",
        atMost: ofCpuSecond(0.9),
      },
      { name: "0.3 as it comes, CPU a request, of Rust's kept", of: "async", over: "rust", figure: "cpuMicros" },
      { name: "instances kept, CPU a request, of Node's http", of: "kept", over: "http", figure: "cpuMicros" },
    ],
  },
  {
    id: "pieces",
    kind: "throughput",
    path: "/pieces",
    title: `answers of eight pieces, each in a turn of its own, ${CONNECTIONS} keep-alive connections, one core`,
    contenders: {
      async: { server: TRANSFERS_ASYNC },
      preview1: { server: TRANSFERS_SANDBOXED, title: preview1.title },
      serve: { server: TRANSFERS_HTTP },
      wasmtime: { server: TRANSFERS_WASMTIME },
      node: { server: TRANSFERS_NODE },
      http: { server: NODE_SITE },
    },
    claims: [
      { name: "WASI 0.3, requests/s, of preview1", of: "async", over: "preview1", figure: "requestsPerSecond" },
      { name: "WASI 0.3, CPU a request, of preview1", of: "async", over: "preview1", figure: "cpuMicros" },
      { name: "WASI 0.3, CPU a request, of Node's http", of: "async", over: "http", figure: "cpuMicros" },
    ],
  },
  {
    id: "bridge-components",
    kind: "throughput",
    title: `TypeScript behind components, ${CONNECTIONS} keep-alive connections, one core`,
    splitCpu: true,
    contenders: {
      async: { server: TYPESCRIPT_ASYNC },
      component: { server: TYPESCRIPT_COMPONENT },
      preview1: { server: TYPESCRIPT_WASMTIME },
      http: { server: NODE_HTTP },
      nginx: { server: NGINX },
    },
    claims: [
      {
        name: "WASI 0.3, CPU a request, of preview1",
        of: "async",
        over: "preview1",
        figure: "cpuMicros",
        atMost: ofCpuSecond(0.6),
      },
      { name: "WASI 0.2, CPU a request, of preview1", of: "component", over: "preview1", figure: "cpuMicros" },
      { name: "WASI 0.3, CPU a request, of Node's http", of: "async", over: "http", figure: "cpuMicros" },
    ],
  },
  {
    id: "reverse-proxy",
    kind: "throughput",
    title: `reverse proxies in front of nginx, a hello, ${CONNECTIONS} keep-alive connections, one core`,
    contenders: Object.fromEntries(Object.entries(PROXIES).map(([key, server]) => [key, { server }])),
    claims: [
      { name: "WASI 0.3, CPU a request, of nginx's", of: "async", over: "nginx", figure: "cpuMicros" },
      { name: "WASI 0.3, CPU a request, of HAProxy's", of: "async", over: "haproxy", figure: "cpuMicros" },
      { name: "WASI 0.2, CPU a request, of nginx's", of: "component", over: "nginx", figure: "cpuMicros" },
    ],
  },
  {
    id: "cold-start",
    kind: "start",
    title: "from the start of the process to the first byte of an answer, with nothing left to compile, one core",
    contenders: Object.fromEntries(Object.entries(STARTS).map(([key, server]) => [key, { server }])),
    claims: [
      { name: "WASI 0.3, ms", of: "async", figure: "milliseconds", atMost: 15 },
      { name: "WASI 0.3, of Node's http", of: "async", over: "http", figure: "milliseconds" },
      { name: "wasi:http, of Rust's", of: "serve", over: "rust", figure: "milliseconds" },
    ],
  },
];
