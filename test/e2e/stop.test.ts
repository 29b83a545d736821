// Stopping, counting and crowds, on both runtimes and with several workers.
import { describe } from "vitest";

import { crowdSuite } from "./suite-crowd.js";
import { stopSuite } from "./suite-stop.js";
import { NODE, WASMTIME } from "./ways.js";

describe(NODE.name, () => {
  stopSuite(NODE);
  crowdSuite(NODE);
});

describe(WASMTIME.name, () => {
  stopSuite(WASMTIME);
  stopSuite(WASMTIME, 3);
  crowdSuite(WASMTIME);
});
