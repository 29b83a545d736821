// An application as a component, served by a runtime alone: the sandboxed suite over WASI 0.2 and 0.3, and what the demo
// answers over wasi:http, whose connections are the runtime's.
import { beforeAll, describe } from "vitest";

import { demoSuite } from "./suites/demo.js";
import { faultSuite } from "./suites/faults.js";
import { httpSuite } from "./suites/http.js";
import { echoSuite } from "./suites/streams.js";
import { websocketSuite } from "./suites/websocket.js";
import { COMPONENT, COMPONENT_ASYNC, HTTP, HTTP_ASYNC, makeComponents } from "./support/ways.js";

beforeAll(makeComponents, 300_000);

describe(COMPONENT_ASYNC.name, () => {
  demoSuite(COMPONENT_ASYNC);
  httpSuite(COMPONENT_ASYNC);
  echoSuite(COMPONENT_ASYNC, "build/echo.component-async.wasm");
  faultSuite(COMPONENT_ASYNC);
  websocketSuite(COMPONENT_ASYNC);
});

describe(COMPONENT.name, () => {
  demoSuite(COMPONENT);
  httpSuite(COMPONENT);
  echoSuite(COMPONENT, "build/echo.component.wasm");
  faultSuite(COMPONENT);
  websocketSuite(COMPONENT);
});

describe(HTTP.name, () => demoSuite(HTTP));

describe(HTTP_ASYNC.name, () => demoSuite(HTTP_ASYNC));
