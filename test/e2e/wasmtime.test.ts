// The command with the sandbox in worker processes of wasmtime.
import { describe } from "vitest";

import { commandSuite } from "./suite-command.js";
import { demoSuite } from "./suite-demo.js";
import { faultSuite } from "./suite-faults.js";
import { handlerSuite } from "./suite-handlers.js";
import { httpSuite } from "./suite-http.js";
import { limitSuite } from "./suite-limits.js";
import { echoSuite, streamSuite } from "./suite-streams.js";
import { wasmtimeSuite, workerSuite } from "./suite-workers.js";
import { WASMTIME } from "./ways.js";

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
