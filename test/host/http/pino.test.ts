// pino itself as the logger of a server, and of its access log.
import { pino } from "pino";
import { expect, test } from "vitest";

import { HTTPServer, inject } from "../../../host/index.js";

test("pino takes the access log, and errors of handlers with their stack", async () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const server = new HTTPServer(
    (request) => {
      if (request.path === "/fails") throw new TypeError("on purpose");
      request.respond(200, {}, "hello");
    },
    { logger, accessLog: logger },
  );
  expect((await inject(server, "/hello?a=1")).status).toBe(200);
  expect((await inject(server, "/fails")).status).toBe(500);
  const request = { level: 30, msg: "request", method: "GET", address: "127.0.0.1", aborted: null };
  expect(lines).toMatchObject([
    { ...request, target: "/hello?a=1", status: 200, bytes: 5 },
    { level: 50, err: { type: "TypeError", message: "on purpose", stack: expect.stringContaining("pino.test.ts") } },
    { ...request, target: "/fails", status: 500 },
  ]);
});
