// Stopping, counting and crowds, on both runtimes and with several workers.
import { describe } from "vitest";

import { crowdSuite } from "./suites/crowd.js";
import { stopSuite } from "./suites/stop.js";
import { NODE, WASMTIME } from "./support/ways.js";

describe(NODE.name, () => {
  stopSuite(NODE);
  crowdSuite(NODE);
});

describe(WASMTIME.name, () => {
  stopSuite(WASMTIME);
  stopSuite(WASMTIME, 3);
  crowdSuite(WASMTIME);
});
