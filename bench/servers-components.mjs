// The servers of the rows for components: those of servers.mjs that a runtime of components runs.

import { built, NGINX, NODE_HTTP, SANDBOXED, TYPESCRIPT_NODE } from "./servers.mjs";
import {
  leastAsync,
  precompiled,
  tokioThreads,
  transfersAsync,
  transfersHttp,
  wasiHttp,
  wasiHttpAsync,
  wasiTransfers,
  wasmtime,
  wasmtimeAsync,
} from "./tools.mjs";

const KEPT = ["--max-instance-reuse-count", "1000000000"];

/** `tool` runs the file that `file` gives. */
function command(title, tool, file, options = [], product = true) {
  const launch = (port) => {
    const parameters = ["-S", "inherit-network=y", ...options, file(tool()), "--port", String(port)];
    return { command: [tool().command, "run", ...parameters] };
  };
  return { title, product, launch };
}

function serve(title, product, tool, file, options) {
  const launch = (port) => {
    const parameters = ["-S", "cli=y", "--addr", `127.0.0.1:${port}`, ...options, file(tool())];
    return { command: [tool().command, "serve", ...parameters] };
  };
  return { title, product, launch };
}

const demo = (kind) => () => built(`build/demo.${kind}.wasm`);
const compiledDemo = (kind) => (tool) => precompiled(tool, built(`build/demo.${kind}.wasm`));

const TITLE = "Waterspout, AssemblyScript";
export const COMPONENT = command(`${TITLE}, component of WASI 0.2`, wasmtime, demo("component"));
export const COMPONENT_ASYNC = command(`${TITLE}, component of WASI 0.3`, wasmtimeAsync, demo("component-async"));
/** What of COMPONENT_ASYNC is the runtime's and the kernel's. */
export const LEAST_ASYNC = command(
  "the least over WASI 0.3, which parses nothing",
  wasmtimeAsync,
  leastAsync,
  [],
  false,
);
function tokio(threads) {
  const launch = (port) => ({ command: [tokioThreads().command, threads, String(port)] });
  return { title: `Rust without WebAssembly, ${threads} of tokio's threads`, product: false, launch };
}
export const ONE_THREAD = tokio("one");
export const TWO_THREADS = tokio("two");

export const HTTP = serve(`${TITLE}, wasi:http, instances kept`, true, wasmtimeAsync, demo("http"), KEPT);
// What the runtime does by itself: 16 requests at once and 128 in all for an instance.
export const HTTP_ASYNC = serve(`${TITLE}, wasi:http 0.3`, true, wasmtimeAsync, demo("http-async"), []);
export const HTTP_ASYNC_KEPT = serve(
  `${TITLE}, wasi:http 0.3, instances kept`,
  true,
  wasmtimeAsync,
  demo("http-async"),
  KEPT,
);
export const HTTP_FRESH = serve(`${TITLE}, wasi:http, an instance a request`, true, wasmtimeAsync, demo("http"), []);
export const RUST = serve("Rust, wasi:http, instances kept", false, wasmtimeAsync, () => wasiHttp().command, KEPT);
export const RUST_FRESH = serve(
  "Rust, wasi:http, an instance a request",
  false,
  wasmtimeAsync,
  () => wasiHttp().command,
  [],
);

export const RUST_ASYNC = serve("Rust, wasi:http 0.3", false, wasmtimeAsync, () => wasiHttpAsync().command, []);
export const RUST_ASYNC_KEPT = serve(
  "Rust, wasi:http 0.3, instances kept",
  false,
  wasmtimeAsync,
  () => wasiHttpAsync().command,
  KEPT,
);

export const TRANSFERS_ASYNC = command(COMPONENT_ASYNC.title, wasmtimeAsync, transfersAsync);
export const TRANSFERS_HTTP = serve(HTTP.title, true, wasmtimeAsync, transfersHttp, KEPT);
export const TRANSFERS_RUST = serve(RUST.title, false, wasmtimeAsync, () => wasiTransfers().command, KEPT);

const READY = ["--allow-precompiled"];
/** Each from a start without anything to compile. */
export const STARTS = {
  async: command(`${TITLE}, component of WASI 0.3`, wasmtimeAsync, compiledDemo("component-async"), READY),
  component: command(`${TITLE}, component of WASI 0.2`, wasmtime, compiledDemo("component"), READY),
  preview1: {
    ...SANDBOXED,
    launch(port) {
      const options = ["-S", "preview2=n", "-S", `tcplisten=127.0.0.1:${port}`, ...READY];
      return { command: [wasmtime().command, "run", ...options, precompiled(wasmtime(), built("build/demo.wasm"))] };
    },
  },
  serve: serve(`${TITLE}, wasi:http`, true, wasmtimeAsync, compiledDemo("http"), READY),
  rust: serve("Rust, wasi:http", false, wasmtimeAsync, (tool) => precompiled(tool, wasiHttp().command), READY),
  node: TYPESCRIPT_NODE,
  http: NODE_HTTP,
  nginx: NGINX,
};
