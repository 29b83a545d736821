// Handlers in TypeScript above a component, which opens the port. These suites go through the frames and back-pressure of the bridge over
// WASI 0.3, and those with the most to do with it over WASI 0.2. Bare components have the others (components.test.ts), with the same
// sockets below; what takes many seconds of waiting runs with the runtime `wasmtime` (wasmtime.test.ts, websocket.test.ts).
import { describe } from "vitest";

import { demoSuite } from "./suites/demo.js";
import { badPeerSuite } from "./suites/faults.js";
import { handlerSuite } from "./suites/handlers.js";
import { httpSuite } from "./suites/http.js";
import { limitSuite } from "./suites/limits.js";
import { slowSuite } from "./suites/slow.js";
import { echoSuite, streamSuite } from "./suites/streams.js";
import { websocketSuite } from "./suites/websocket.js";
import { BRIDGED, BRIDGED_ASYNC } from "./support/ways.js";

describe(BRIDGED_ASYNC.name, () => {
  demoSuite(BRIDGED_ASYNC);
  httpSuite(BRIDGED_ASYNC);
  handlerSuite(BRIDGED_ASYNC);
  echoSuite(BRIDGED_ASYNC);
  streamSuite(BRIDGED_ASYNC);
  limitSuite(BRIDGED_ASYNC);
  badPeerSuite(BRIDGED_ASYNC);
  websocketSuite(BRIDGED_ASYNC);
  slowSuite(BRIDGED_ASYNC, () => "test/e2e/apps/slow.ts");
});

describe(BRIDGED.name, () => {
  handlerSuite(BRIDGED);
  echoSuite(BRIDGED);
});
