// Applications of Node's kind as a module's export, under the command.
import { execFile } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { CLI, NODE, type Server, start, WASMTIME } from "./support/ways.js";

describe.each([NODE, WASMTIME])("$name", (way) => {
  describe.each(["listener", "express", "fastify", "koalike"])("%s", (name) => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way, `test/e2e/apps/node/${name}.ts`);
    });
    afterAll(() => server.stop());

    test("answers", async () => {
      for (let time = 0; time < 2; time++) {
        const { status, body } = await server.get("/page");
        expect([status, body.toString()]).toEqual([200, `${name} GET /page`]);
      }
    });

    test("is answered, and refused, in the words of Node's server", async () => {
      expect((await server.get("/page")).headers.get("keep-alive")).toBe("timeout=75");
      const client = await server.connect();
      expect((await client.send("(").readToEnd()).toString()).toBe(
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
      );
      client.close();
    });

    if (name === "listener") {
      test("has the names of fields as the client wrote them", async () => {
        const { body } = await server.request("GET /raw HTTP/1.1\r\nHOST: x\r\nX-oNe: 1\r\n\r\n");
        expect(JSON.parse(body.toString())).toEqual(["HOST", "x", "X-oNe", "1"]);
      });

      test("a rejection is 500, and logged", async () => {
        expect((await server.get("/rejects")).status).toBe(500);
        await server.complaint(/rejected on purpose/);
      });
    }
  });
});

test("a function that could be anything is refused", async () => {
  const { code, text } = await new Promise<{ code: unknown; text: string }>((resolve) => {
    execFile(process.execPath, [CLI, "run", "test/e2e/apps/node/unclear.ts", "--port", "0"], (error, _out, text) =>
      resolve({ code: error?.code, text }),
    );
  });
  expect(code).toBe(2);
  expect(text).toContain("a function of 3 parameters is neither (request) nor (req, res)");
});
