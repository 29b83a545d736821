// The examples in TypeScript as components, without Node: the demo with its websocket passes the suites of the demo in
// AssemblyScript, and a TCPServer those that it passes under the command.
import { afterAll, beforeAll, describe } from "vitest";

import { demoSuite } from "./suites/demo.js";
import { faultSuite } from "./suites/faults.js";
import { httpSuite } from "./suites/http.js";
import { echoSuite, streamSuite } from "./suites/streams.js";
import { websocketSuite } from "./suites/websocket.js";
import { websocketEndSuite } from "./suites/websocketends.js";
import { websocketHandlerSuite } from "./suites/websockethandlers.js";
import { Built, EDGE, MAKE_MS } from "./support/edge.js";
import { start, type Way } from "./support/ways.js";

const built = new Built();
afterAll(() => built.remove());

const way = { ...EDGE, demo: built.at("demo.cwasm") };

describe(EDGE.name, () => {
  beforeAll(() => built.compile("examples/demo.ts"), MAKE_MS);

  demoSuite(way);
  httpSuite(way);
  faultSuite(way);
  websocketSuite(way);
  websocketEndSuite(way);
});

describe(`streams and websockets, ${EDGE.name}`, () => {
  const serve = async (given: Way, app: string) => start(given, await built.compile(app));
  const options = { serve, less: 64 };
  echoSuite(EDGE, "examples/echo.ts", options);
  streamSuite(EDGE, options);
  websocketHandlerSuite(EDGE, () => serve(EDGE, "test/e2e/apps/websockethandlers.ts"));
});
