// Each kind of attack on servers that are broken in one way, on purpose: the finding that names it fails.
import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { expect, onTestFinished, test } from "vitest";

import type { Finding, Kind } from "../../../../host/cli/attack/finding.js";
import { attackTarget, textOf } from "../../../../host/cli/attack/run.js";
import { targetOf } from "../../../../host/cli/attack/target.js";

/** Some of these servers never answer. */
const ANSWER_MS = 2000;
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BAD = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/** Listens until the test is over, and ends its connections with it. */
async function listening(server: net.Server, scheme = "http"): Promise<string> {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function attacked(url: string, kind: Kind): Promise<Finding[]> {
  const target = { ...(await targetOf(url, null, false)), answerMs: ANSWER_MS };
  return attackTarget(target, { only: [kind], patienceMs: 1000, connections: 100, progress() {} });
}

const failed = (findings: Finding[]): string[] =>
  findings.filter(({ verdict }) => verdict === "fail").map(({ name }) => name);

/** Answers each head that `bytes` begin with as `answer` says; returns what is left. */
function heads(socket: Socket, answer: (head: string) => void): void {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
      const head = text.slice(0, end);
      text = text.slice(end + 4);
      answer(head);
    }
  });
}

test("Node's server: nothing fails", async () => {
  const url = await listening(http.createServer((_, response) => response.end("ok")));
  const findings = await attacked(url, "smuggling");
  expect(failed(findings)).toEqual([]);
  expect(findings.length).toBeGreaterThan(80);
});

test("Node's lenient parser: a coding beside a length is taken", async () => {
  const server = http.createServer({ insecureHTTPParser: true }, (_, response) => response.end("ok"));
  const names = failed(await attacked(await listening(server), "smuggling"));
  expect(names).toContain("coding: with a length");
  expect(names).toContain("length and chunks (6.1)");
});

test("a server that looks for the word chunked anywhere, and believes the last length", async () => {
  const server = net.createServer((socket) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        const head = text.slice(0, end);
        if (!/^[A-Z]+ \S+ HTTP/.test(head)) return void socket.end(BAD);
        const length = Number(/.*^content-length:\s*(\d+)/ims.exec(head)?.[1] ?? 0);
        const body = /chunked/i.test(head) ? text.indexOf("0\r\n\r\n", end + 4) - end + 1 : length;
        if (text.length < end + 4 + body) return;
        text = text.slice(end + 4 + body);
        socket.write(OK);
        if (/^connection: close/im.test(head)) return void socket.end();
      }
    });
  });
  const names = failed(await attacked(await listening(server), "smuggling"));
  expect(names).toContain("coding: x in front");
  expect(names).toContain("coding: a space in front of the colon");
  expect(names).toContain("length: two that differ");
  expect(names).not.toContain("length: five");
});

test("a server that goes on behind an error", async () => {
  const server = net.createServer((socket) =>
    heads(socket, (head) => {
      socket.write(/^GET \S+ HTTP\/1\.1\r\nHost/i.test(head) ? OK : "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
      if (/^connection: close/im.test(head)) socket.end();
    }),
  );
  expect(failed(await attacked(await listening(server), "requests"))).toContain("garbage");
});

test("a server that takes heads without end", async () => {
  const server = net.createServer((socket) => {
    socket.on("data", (chunk) => {
      if (chunk.toString("latin1").includes("Connection: close\r\n\r\n")) socket.end(OK);
    });
  });
  const names = failed(await attacked(await listening(server), "limits"));
  expect(names).toEqual(expect.arrayContaining(["a request line without end", "fields without end"]));
  expect(names).not.toContain("a body in chunks without end"); // what an application may want
});

test("a server that waits for ever, and serves no other beside slow clients", async () => {
  const open = new Set<Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    heads(socket, (head) => {
      if (/^connection: close/im.test(head) && open.size < 10) socket.end(OK);
    });
  });
  const names = failed(await attacked(await listening(server), "slow"));
  expect(names).toEqual(
    expect.arrayContaining(["a head that stops", "chunks of one byte", "nothing sent", "others meanwhile"]),
  );
  expect(names).not.toContain("nothing between two requests"); // a keep-alive without end is no fault
});

test("a server that reads on while no client takes its answers", async () => {
  const server = net.createServer((socket) => {
    socket.on("data", (chunk) => {
      if (chunk.includes("Connection: close")) socket.end(OK);
    });
  });
  expect(failed(await attacked(await listening(server), "readers"))).toContain("GET again and again, no answer read");
});

test("a server that ends: it says so, and tries nothing more", async () => {
  const server = net.createServer((socket) =>
    heads(socket, (head) => {
      if (!head.startsWith("BREW")) return void socket.end(OK);
      server.close();
      socket.destroy();
    }),
  );
  const url = await listening(server);
  const findings = await attackTarget(await targetOf(url, null, false), {
    only: ["requests", "smuggling"],
    patienceMs: 1000,
    connections: 1,
    progress() {},
  });
  expect(failed(findings)).toEqual(["the server afterwards"]);
  expect(findings.at(-1)?.came).toMatch(/ECONNREFUSED/);
  expect(findings.filter(({ kind }) => kind === "smuggling")).toEqual([]);
  expect(textOf(url, findings)).toMatch(
    /fail {2}the server afterwards: .*ECONNREFUSED.*\n +wanted: a server that goes on\n/,
  );
});

test("a websocket that takes every frame", async () => {
  const server = http.createServer((_, response) => response.end("ok"));
  server.on("upgrade", ({ headers }, socket: Duplex) => {
    const key = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.on("error", () => {});
    socket.write(
      `HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on("data", (chunk: Buffer) => {
      if (chunk.includes(0x89)) socket.write(Buffer.from([0x8a, 0]));
    });
  });
  const names = failed(await attacked(await listening(server, "ws"), "websocket"));
  expect(names).toEqual(
    expect.arrayContaining(["text without a mask", "reserved bits 1", "text inside text", "fragments without end"]),
  );
});
