// Websockets in every way to run: the demo's echo in all of them, handlers in TypeScript where there are any.
import { describe } from "vitest";

import { websocketSuite } from "./suite-websocket.js";
import { websocketHandlerSuite } from "./suite-websockethandlers.js";
import { NODE, SANDBOXED_BARE, SANDBOXED_NODE, SANDBOXED_WASMTIME, WASMTIME } from "./ways.js";

for (const way of [NODE, WASMTIME]) {
  describe(way.name, () => {
    websocketSuite(way);
    websocketHandlerSuite(way);
  });
}

for (const way of [SANDBOXED_BARE, SANDBOXED_NODE, SANDBOXED_WASMTIME]) {
  describe(way.name, () => websocketSuite(way));
}
