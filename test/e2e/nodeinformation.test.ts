// Answers before and beside the final one: 1xx, `checkContinue`, and a body that is read on behind an early answer. The
// same bytes go to Node's own server and to ours.
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServer, type NodeServer } from "waterspout";

import { Client } from "./support/client.js";
import { eventually } from "./support/ways.js";

type Listener = (req: IncomingMessage, res: ServerResponse, log: (line: string) => void) => void;

const POST = "POST / HTTP/1.1\r\nHost: x\r\n";
const HINTS = { link: "</a.css>; rel=preload", "keep-alive": "timeout=1" };

describe.each(["http", "node", "wasmtime"] as const)("%s", (kind) => {
  let server: http.Server | NodeServer;
  let listener: Listener;
  let checked: Listener | null = null;
  let log: string[] = [];
  const note = (line: string) => void log.push(line);

  beforeAll(async () => {
    const call = (req: IncomingMessage, res: ServerResponse) => listener(req, res, note);
    server = kind === "http" ? http.createServer(call) : createServer(call, { runtime: kind });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });

  async function connected(): Promise<Client> {
    log = [];
    return Client.connect((server.address() as AddressInfo).port);
  }

  test("1xx answers leave in front of the final one, with their fields", async () => {
    listener = (_req, res) => {
      res.writeProcessing();
      res.writeEarlyHints(HINTS);
      res.end("final");
    };
    const client = await connected();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    for (let i = 0; i < 2; i++) {
      expect(await client.readUntil("\r\n\r\n")).toBe("HTTP/1.1 102 Processing\r\n\r\n");
      expect(await client.readUntil("\r\n\r\n")).toBe(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nkeep-alive: timeout=1\r\n\r\n",
      );
      expect((await client.readResponse("GET")).body.toString()).toBe("final");
    }
    client.close();
  });

  test("checkContinue takes a request that waits for 100, and writeContinue sends it; the connection goes on", async () => {
    listener = (req, res) => void res.end(`request ${req.url}`);
    checked = (req, res) => {
      res.writeContinue();
      req.on("data", (data) => res.write(`<${data}>`));
      req.on("end", () => res.end());
    };
    const check = (req: IncomingMessage, res: ServerResponse) => checked?.(req, res, note);
    server.on("checkContinue", check);
    const client = await connected();
    client.send(`${POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
    expect(await client.readUntil("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    expect((await client.readResponse("POST")).body.toString()).toBe("<abc>");
    client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await client.readResponse("GET")).body.toString()).toBe("request /next");
    checked = (_req, res) => void res.writeHead(401).end("no");
    client.send(`${POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
    expect((await client.readResponse("POST")).status).toBe(401);
    server.off("checkContinue", check);
    client.close();
  });

  describe("a body behind an early answer", () => {
    test.each([
      ["end", (res: ServerResponse) => void res.end("early")],
      [
        "write and end",
        (res: ServerResponse) => {
          res.setHeader("Content-Length", 5).write("ear");
          res.end("ly");
        },
      ],
      ["writeHead and end", (res: ServerResponse) => void res.writeHead(200, { "Content-Length": "5" }).end("early")],
      ["an empty 204", (res: ServerResponse) => void res.writeHead(204).end()],
    ])("a body with a reader comes to its end behind an early answer: %s", async (_name, answer) => {
      listener = (req, res, log) => {
        let bytes = 0;
        req.on("data", ({ length }) => (bytes += length));
        req.on("end", () => log(`end ${bytes} ${req.complete}`));
        req.on("error", ({ message }) => log(message));
        res.on("finish", () => log("finish"));
        answer(res);
      };
      const client = await connected();
      client.send(`${POST}Content-Length: 600000\r\n\r\n${"x".repeat(300_000)}`);
      await client.readResponse("POST");
      await eventually("finish", () => log.includes("finish"));
      client.send("y".repeat(300_000));
      await eventually("the end", () => log.length > 1);
      expect(log).toEqual(["finish", "end 600000 true"]);
      listener = (_req, res) => void res.end("next");
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      expect((await client.readResponse("GET")).body.toString()).toBe("next");
      client.close();
    });

    test("a body that the handler does not read is dropped behind its answer", async () => {
      listener = (_req, res) => void res.end("early");
      const client = await connected();
      client.send(`${POST}Content-Length: 5\r\n\r\nab`);
      expect((await client.readResponse("POST")).body.toString()).toBe("early");
      client.send("cdeGET / HTTP/1.1\r\nHost: x\r\n\r\n");
      expect((await client.readResponse("GET")).body.toString()).toBe("early");
      client.close();
    });
  });
});
