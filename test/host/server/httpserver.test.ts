// What an HTTPServer takes for its handler.
import { expect, test } from "vitest";

import { HTTPServer } from "../../../host/index.js";

test.each([undefined, null, 5, "handler", {}, { handle: 1 }])("%j is no handler", (handler) => {
  expect(() => new HTTPServer(handler as never)).toThrow("the request handler must be a function");
});

test.each([() => {}, { handle() {} }, { findHandler: () => null }])("%o is one", (handler) => {
  expect(() => new HTTPServer(handler)).not.toThrow();
});
