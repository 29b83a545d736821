// Handlers in TypeScript above a component, which opens the port: the suites of the runtime `wasmtime`, over WASI 0.3, and their
// core over WASI 0.2.
import { describe } from "vitest";

import { demoSuite } from "./suites/demo.js";
import { faultSuite } from "./suites/faults.js";
import { handlerSuite } from "./suites/handlers.js";
import { httpSuite } from "./suites/http.js";
import { limitSuite } from "./suites/limits.js";
import { slowSuite } from "./suites/slow.js";
import { echoSuite, streamSuite } from "./suites/streams.js";
import { websocketSuite } from "./suites/websocket.js";
import { websocketEndSuite } from "./suites/websocketends.js";
import { websocketHandlerSuite } from "./suites/websockethandlers.js";
import { BRIDGED, BRIDGED_ASYNC } from "./support/ways.js";

describe(BRIDGED_ASYNC.name, () => {
  demoSuite(BRIDGED_ASYNC);
  httpSuite(BRIDGED_ASYNC);
  handlerSuite(BRIDGED_ASYNC);
  echoSuite(BRIDGED_ASYNC);
  streamSuite(BRIDGED_ASYNC);
  limitSuite(BRIDGED_ASYNC);
  faultSuite(BRIDGED_ASYNC);
  websocketSuite(BRIDGED_ASYNC);
  websocketEndSuite(BRIDGED_ASYNC);
  websocketHandlerSuite(BRIDGED_ASYNC);
  slowSuite(BRIDGED_ASYNC, () => "test/e2e/apps/slow.ts");
});

describe(BRIDGED.name, () => {
  demoSuite(BRIDGED);
  handlerSuite(BRIDGED);
  echoSuite(BRIDGED);
  websocketSuite(BRIDGED);
});
