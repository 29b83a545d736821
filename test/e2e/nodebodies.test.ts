// Bodies of requests of Node's kind: where one is before its handler reads, and when its client leaves or the answer
// comes first. On Node's own server and on ours.
import { EventEmitter, once } from "node:events";
import http, { type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createServer, type NodeServer } from "waterspout";

import { Client } from "./support/client.js";

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

async function serve(kind: string, listener: RequestListener): Promise<Client> {
  const server: http.Server | NodeServer =
    kind === "http"
      ? http.createServer(listener)
      : createServer({ logger: SILENT, runtime: kind as "node" | "wasmtime" }, listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = await Client.connect((server.address() as AddressInfo).port);
  onTestFinished(async () => {
    client.close();
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return client;
}

const BODIES: Record<string, [head: string, body: string]> = {
  "with a length": ["Content-Length: 5", "hello"],
  "in chunks": ["Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"],
};

describe.each(["http", "node", "wasmtime"])("%s", (kind) => {
  test.each(Object.entries(BODIES))("a body %s that has come waits in the request", async (_what, [head, body]) => {
    const told = new EventEmitter();
    const complete = once(told, "complete");
    const closed = once(told, "closed");
    const client = await serve(kind, (req, res) => {
      const before = req.complete;
      const poll = (): unknown => {
        if (!req.complete || req.readableLength === 0) return setImmediate(poll);
        res.once("close", () => {
          const { aborted, readableAborted, errored } = req;
          const state = [before, aborted, readableAborted, (errored as NodeJS.ErrnoException | null)?.code];
          told.emit("closed", ...state, String(req.read()));
        });
        return told.emit("complete");
      };
      poll();
      client.send(body);
    });
    client.send(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
    await complete;
    client.close();
    expect(await closed).toEqual([false, true, true, "ECONNRESET", "hello"]);
  });

  test("destroySoon ends a connection whose body is read on behind the answer", async () => {
    const client = await serve(kind, (req, res) => {
      req.on("data", () => res.end("early"));
      res.once("close", () => req.socket.destroySoon());
    });
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
    expect((await client.readResponse("POST")).body.toString()).toBe("early");
    await client.gone();
  });
});
