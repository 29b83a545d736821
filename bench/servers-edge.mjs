// The servers of bench/handlers/worker.ts: one application in TypeScript's way, as a component without Node and by others.
// Their form is that of servers.mjs.

import { join } from "node:path";
import { built } from "./servers.mjs";
import { bun, edgeWorker, node, precompiled, ROOT, starlingMonkey, wasmtimeAsync } from "./tools.mjs";

const program = (name) => join(ROOT, "bench/peers", name);
const ready = (made) => precompiled(wasmtimeAsync(), made());

/** `deployed`: the files that a machine needs, apart from the application's source. */
export const EDGE = {
  component: {
    title: "Waterspout, TypeScript in a component, bare wasmtime",
    product: true,
    launch(port) {
      const options = ["-S", "inherit-network=y", "--allow-precompiled"];
      return { command: [wasmtimeAsync().command, "run", ...options, ready(edgeWorker), "--port", String(port)] };
    },
    deployed: () => [wasmtimeAsync().command, edgeWorker()],
  },
  http: {
    title: "Node's http",
    product: false,
    launch: (port) => ({ command: [node().command, program("node-worker.mjs"), String(port)] }),
    deployed: () => [node().command],
  },
  node: {
    title: "Waterspout, TypeScript in Node",
    product: true,
    launch(port) {
      const options = ["--runtime", "node", "--port", String(port), "--access-log", "off"];
      const application = join(ROOT, "bench/handlers/worker.ts");
      return { command: [node().command, built("dist/host/cli/main.js"), "run", application, ...options] };
    },
  },
  bun: {
    title: "Bun.serve",
    product: false,
    launch: (port) => ({ command: [bun().command, program("bun-worker.mjs"), String(port)] }),
    deployed: () => [bun().command],
  },
  starlingMonkey: {
    title: "StarlingMonkey, wasi:http, wasmtime serve",
    product: false,
    launch(port) {
      // An instance for each request: StarlingMonkey's answers no second one.
      const options = ["-S", "cli=y", "--allow-precompiled", "--addr", `127.0.0.1:${port}`];
      return { command: [wasmtimeAsync().command, "serve", ...options, ready(starlingMonkey)] };
    },
    deployed: () => [wasmtimeAsync().command, starlingMonkey()],
  },
};
