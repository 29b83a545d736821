// The server that `createServer` gives: what its options, properties, methods and events do. The same cases run on
// Node's own server and on ours.
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createServer, type NodeServer, type NodeServerOptions } from "waterspout";

import { Client } from "./support/client.js";
import { eventually } from "./support/ways.js";

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

describe.each(["http", "node", "wasmtime"] as const)("%s", (kind) => {
  const servers: (http.Server | NodeServer)[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      if (!server.listening) continue;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    }
  });

  function made(listener: Listener, options: NodeServerOptions = {}): http.Server | NodeServer {
    const server =
      kind === "http"
        ? http.createServer(options as http.ServerOptions, listener)
        : createServer({ logger: SILENT, ...options, runtime: kind }, listener);
    servers.push(server);
    return server;
  }

  async function connected(server: http.Server | NodeServer): Promise<Client> {
    if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
    return Client.connect((server.address() as AddressInfo).port);
  }

  test.each(["before", "after"])(
    "close waits for no answer to a client that has ended its side %s it",
    async (when) => {
      const answers: ServerResponse[] = [];
      let closes = 0;
      const server = made((req, res) => {
        answers.push(res);
        req.on("close", () => closes++);
      });
      const left = await connected(server);
      left.send(GET);
      await eventually("a request", () => answers.length === 1);
      const waits = await connected(server);
      waits.send(GET);
      await eventually("another one", () => answers.length === 2);
      if (when === "before") {
        left.halfClose();
        await eventually("the client's end", () => closes === 1);
      }
      const closed = once(server, "close");
      server.close();
      if (when === "after") left.halfClose();
      await eventually("the connection's end", () => left.ended || left.error !== null);
      answers[1]?.end("in time");
      expect((await waits.readResponse("GET")).body.toString()).toBe("in time");
      waits.close();
      await closed;
    },
  );
});
