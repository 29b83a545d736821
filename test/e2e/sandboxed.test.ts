// An application that is itself WebAssembly: with no Node at all, inside Node, and in workers.
import { describe } from "vitest";

import { demoSuite } from "./suites/demo.js";
import { faultSuite } from "./suites/faults.js";
import { httpSuite } from "./suites/http.js";
import { echoSuite } from "./suites/streams.js";
import { SANDBOXED_WAYS } from "./support/ways.js";

for (const way of SANDBOXED_WAYS) {
  describe(way.name, () => {
    demoSuite(way);
    httpSuite(way);
    echoSuite(way, "build/echo.wasm");
    faultSuite(way);
  });
}
