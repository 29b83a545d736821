// An application that is itself WebAssembly: with no Node at all, inside Node, and in workers.
import { describe } from "vitest";

import { demoSuite } from "./suite-demo.js";
import { faultSuite } from "./suite-faults.js";
import { httpSuite } from "./suite-http.js";
import { echoSuite } from "./suite-streams.js";
import { SANDBOXED_BARE, SANDBOXED_NODE, SANDBOXED_WASMTIME } from "./ways.js";

for (const way of [SANDBOXED_BARE, SANDBOXED_NODE, SANDBOXED_WASMTIME]) {
  describe(way.name, () => {
    demoSuite(way);
    httpSuite(way);
    echoSuite(way, "build/echo.wasm");
    faultSuite(way);
  });
}
