// The rows of the HTTP layer: its parser alone, bodies small and large, websockets, and what a log costs.
// Their form is that of rows.mjs.

import { CONNECTIONS } from "./load.mjs";
import { REQUESTS } from "./peers/requests.mjs";
import {
  DEMO_NODE,
  DEMO_WASMTIME,
  LOGGED_NODE,
  LOGGED_WASMTIME,
  NGINX,
  NODE_SITE,
  SANDBOXED,
  TORNADO_SITE,
  TRANSFERS_NODE,
  TRANSFERS_SANDBOXED,
  TRANSFERS_WASMTIME,
  TYPESCRIPT_NODE,
  TYPESCRIPT_WASMTIME,
} from "./servers.mjs";
import { TRANSFERS_ASYNC, TRANSFERS_HTTP, TRANSFERS_RUST } from "./servers-components.mjs";

const GIB = 2 ** 30;
const MIB = 2 ** 20;

const PARSERS = {
  waterspout: { title: "Waterspout", product: true, parser: "wasm", variant: "waterspout" },
  llhttp: { title: "llhttp, WebAssembly with SIMD", parser: "wasm", variant: "llhttp" },
  llhttpBare: { title: "llhttp, with callbacks in WebAssembly", parser: "wasm", variant: "llhttpBare" },
  httparse: { title: "httparse, native, a table for each request", parser: "httparse", variant: "fresh" },
  httparseKept: { title: "httparse, native, a table that is not cleared", parser: "httparse", variant: "kept" },
};

function parserRow(request, what) {
  const claim = (name, over, target) => ({ name, of: "waterspout", over, figure: "perSecond", ...target });
  return {
    id: `parser-${request}`,
    kind: "parser",
    request,
    title: `the head parser alone: ${what}, ${REQUESTS[request].length.toLocaleString("en")} bytes, best of many slices`,
    contenders: PARSERS,
    claims: [
      claim("requests/s, of llhttp in WebAssembly", "llhttp", { atLeast: 4 }),
      claim("requests/s, of httparse native", "httparse", { atLeast: 2 }),
      claim("requests/s, of llhttp with callbacks in WebAssembly", "llhttpBare"),
      claim("requests/s, of httparse without clearing", "httparseKept"),
    ],
  };
}

/** Claims of each way to run, beside Node's http. */
function beside(figure, name) {
  const ways = { sandboxed: "AssemblyScript", wasmtime: "TypeScript behind wasmtime", node: "TypeScript in Node" };
  return Object.entries(ways).map(([of, way]) => ({
    name: `${way}, ${name} of Node's http`,
    of,
    over: "http",
    figure,
  }));
}

function transferRow(mode, size, bytes, connections) {
  const path = mode === "upload" ? "/upload" : `/download/${size}`;
  const many = connections === 1 ? "one connection" : `${connections} connections`;
  return {
    id: `${mode}-${size}`,
    kind: "transfers",
    mode,
    path,
    bytes,
    connections,
    title: `${mode} of ${bytes === GIB ? "1 GiB" : "1 MiB"} bodies, ${many}, one core`,
    contenders: {
      sandboxed: { server: TRANSFERS_SANDBOXED },
      async: { server: TRANSFERS_ASYNC },
      serve: { server: TRANSFERS_HTTP },
      rust: { server: TRANSFERS_RUST },
      wasmtime: { server: TRANSFERS_WASMTIME },
      node: { server: TRANSFERS_NODE },
      http: { server: NODE_SITE },
      nginx: { server: NGINX, title: mode === "upload" ? "nginx, discards" : "nginx, a file by sendfile" },
      tornado: { server: TORNADO_SITE },
    },
    claims: [
      ...beside("megabytesPerSecond", "MB/s"),
      ...beside("cpuMicrosPerMegabyte", "CPU a MB"),
      { name: "WASI 0.3, CPU a MB, of preview1", of: "async", over: "sandboxed", figure: "cpuMicrosPerMegabyte" },
      { name: "wasi:http, CPU a MB, of Rust's", of: "serve", over: "rust", figure: "cpuMicrosPerMegabyte" },
    ],
  };
}

function websocketRow(id, bytes, messages) {
  return {
    id,
    kind: "websocket",
    bytes,
    messages,
    title: `${messages.toLocaleString("en")} websocket messages of ${bytes.toLocaleString("en")} bytes and back, ${CONNECTIONS} connections, one core`,
    contenders: {
      sandboxed: { server: SANDBOXED },
      wasmtime: { server: DEMO_WASMTIME },
      node: { server: DEMO_NODE },
      http: { server: NODE_SITE, title: "Node's http with ws" },
      tornado: { server: TORNADO_SITE },
    },
    claims: [...beside("perSecond", "messages/s"), ...beside("cpuMicros", "CPU a message")],
  };
}

export const HTTP_ROWS = [
  parserRow("short", "a short request"),
  parserRow("browser", "a browser's request"),
  parserRow("cookies", "a browser's request with many cookies"),
  {
    id: "post-1k",
    kind: "throughput",
    script: "post.lua",
    title: `POST of 1 KiB and its echo, ${CONNECTIONS} keep-alive connections, one core`,
    contenders: {
      sandboxed: { server: SANDBOXED },
      wasmtime: { server: DEMO_WASMTIME },
      node: { server: DEMO_NODE },
      http: { server: NODE_SITE },
      tornado: { server: TORNADO_SITE },
    },
    claims: [...beside("requestsPerSecond", "requests/s"), ...beside("cpuMicros", "CPU a request")],
  },
  transferRow("download", "1m", MIB, 8),
  transferRow("download", "1g", GIB, 1),
  transferRow("upload", "1m", MIB, 8),
  transferRow("upload", "1g", GIB, 1),
  websocketRow("websocket", 64, 100_000),
  websocketRow("websocket-64k", 65_536, 10_000),
  {
    id: "access-log",
    kind: "throughput",
    title: "what the access log costs: JSON lines to a pipe that is read, one core",
    contenders: {
      wasmtimeLogged: { server: LOGGED_WASMTIME },
      wasmtime: { server: TYPESCRIPT_WASMTIME },
      nodeLogged: { server: LOGGED_NODE },
      node: { server: TYPESCRIPT_NODE },
    },
    claims: [
      { name: "behind wasmtime, CPU of itself without", of: "wasmtimeLogged", over: "wasmtime", figure: "cpuMicros" },
      { name: "in Node, CPU of itself without", of: "nodeLogged", over: "node", figure: "cpuMicros" },
    ],
  },
];
