// Websockets of fetch handlers and of Hono, on every runtime.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";

import { NODE, type Server, start, WASMTIME } from "./support/ways.js";
import { BINARY, CLOSE, handshakeText, TEXT, WsClient } from "./support/wsclient.js";

describe.each([NODE, WASMTIME])("$name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way, "test/e2e/apps/sockets.ts");
  });
  afterAll(() => server.stop());
  const textOf = async (socket: WsClient) => (await socket.readMessage()).payload.toString();

  test("text and bytes, in their order, and a close", async () => {
    const socket = await WsClient.open(server, "/echo");
    for (const text of ["slow", "quick"]) socket.send(TEXT, text);
    expect([await textOf(socket), await textOf(socket)]).toEqual(["slow", "quick"]);
    expect(await socket.send(BINARY, "\x01\x02\x03").readMessage()).toMatchObject({
      opcode: BINARY,
      payload: Buffer.from([3, 2, 1]),
    });
    expect(await textOf(socket.send(TEXT, "state"))).toBe("0,1,,ws:");
    await socket.close(4000);
    await server.complaint(/^closed: 4000 {2}true 3$/);
  });

  test.each(["throw", "reject"])("a listener that does not succeed (%s) closes its websocket alone", async (text) => {
    const [one, other] = [await WsClient.open(server, "/echo"), await WsClient.open(server, "/echo")];
    const { opcode, payload } = await one.send(TEXT, text).readFrame();
    expect([opcode, payload.readUInt16BE()]).toEqual([CLOSE, 1011]);
    await server.complaint(new RegExp(`a listener that ${text}s`));
    expect(await textOf(other.send(TEXT, "on"))).toBe("on");
    one.client.close();
    await other.close();
  });

  test("the limit of a message, a lost connection", async () => {
    const socket = await WsClient.open(server, "/echo");
    const most = "x".repeat(1000);
    expect(await textOf(socket.send(TEXT, most))).toBe(most);
    expect(await socket.send(TEXT, `${most}x`).readClose()).toBe(1009);
    socket.client.close();
    const lost = await WsClient.open(server, "/echo");
    lost.client.reset();
    await server.complaint(/^closed: 1006 {2}false 3$/);
  });

  test("what is no handshake, a page of another site, a copy and an answer that is not the response", async () => {
    expect((await server.get("/echo")).status).toBe(400);
    await server.complaint(/^never opened$/);
    const foreign = handshakeText("/echo", { Origin: "https://evil.example" });
    expect((await server.request(foreign)).status).toBe(403);
    expect((await server.request(handshakeText("/copy"))).status).toBe(500);
    await server.complaint(/upgradeWebSocket needs the Request that fetch was called with/);
    const vetoed = await server.request(handshakeText("/vetoed"));
    expect([vetoed.status, vetoed.body.toString()]).toEqual([403, "vetoed"]);
  });

  test("another client, ws, with a subprotocol and compression", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/echo`, ["other", "echo"]);
    const answer = await new Promise((resolve, reject) => {
      socket.on("open", () => socket.send("state")).on("message", (data) => resolve(String(data)));
      socket.on("error", reject);
    });
    expect(answer).toBe("0,1,echo,ws:");
    expect([socket.protocol, socket.extensions]).toEqual(["echo", expect.stringContaining("permessage-deflate")]);
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.close();
    expect(await closed).toBe(1005);
  });

  test("Hono's helper on top of it", async () => {
    const socket = await WsClient.open(server, "/hono/attic");
    expect(await textOf(socket)).toBe("welcome to attic");
    expect(await textOf(socket.send(TEXT, "hey"))).toBe("hey!");
    await socket.close(1000);
    await server.complaint(/^hono: closed with 1000$/);
    expect((await server.get("/hono/attic")).body.toString()).toBe("no websocket");
    expect((await server.get("/")).body.toString()).toBe("hello");
  });
});

test("a program whose Request and Response are left alone", async () => {
  const server = await start(NODE, "test/e2e/apps/sockets.ts", [], { env: { GENUINE: "1" } });
  try {
    const socket = await WsClient.open(server, "/echo");
    expect((await socket.send(TEXT, "genuine").readMessage()).payload.toString()).toBe("genuine");
    await socket.close();
    expect((await server.get("/echo")).status).toBe(400);
  } finally {
    await server.stop();
  }
});
