// The command with the sandbox in worker processes of wasmtime.
import { describe } from "vitest";

import { commandSuite } from "./suites/command.js";
import { demoSuite } from "./suites/demo.js";
import { faultSuite } from "./suites/faults.js";
import { handlerSuite } from "./suites/handlers.js";
import { httpSuite } from "./suites/http.js";
import { limitSuite } from "./suites/limits.js";
import { echoSuite, streamSuite } from "./suites/streams.js";
import { wasmtimeSuite, workerSuite } from "./suites/workers.js";
import { WASMTIME } from "./support/ways.js";

describe(WASMTIME.name, () => {
  demoSuite(WASMTIME);
  httpSuite(WASMTIME);
  handlerSuite(WASMTIME);
  echoSuite(WASMTIME);
  streamSuite(WASMTIME);
  limitSuite(WASMTIME);
  faultSuite(WASMTIME);
  commandSuite(WASMTIME);
  workerSuite(WASMTIME);
  wasmtimeSuite();
});
