// The examples in TypeScript as components, without Node: the demo with its websocket passes the suites of the demo in
// AssemblyScript, and a TCPServer those that it passes under the command.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { demoSuite } from "./suites/demo.js";
import { faultSuite } from "./suites/faults.js";
import { httpSuite } from "./suites/http.js";
import { echoSuite, streamSuite } from "./suites/streams.js";
import { websocketSuite } from "./suites/websocket.js";
import { websocketEndSuite } from "./suites/websocketends.js";
import { websocketHandlerSuite } from "./suites/websockethandlers.js";
import { BOUNDED, Built, EDGE, MAKE_MS } from "./support/edge.js";
import { start, type Way } from "./support/ways.js";
import { BINARY, CLOSE, CONTINUATION, closing, handshakeText, WsClient } from "./support/wsclient.js";

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

  test("a websocket opens whose number comes again, when all others of its slot have been used", async () => {
    const server = await start(EDGE, built.at("websockethandlers.cwasm"));
    const others = 8190; // requests until the numbers of a slot come round
    const request = "GET /notes HTTP/1.1\r\nHost: x\r\n\r\n";
    const witness = await server.connect();
    await witness.send(request).readResponse();
    const socket = await WsClient.open(server, "/echo");
    socket.send(CLOSE, closing(1000, ""));
    await socket.readFrame();
    await socket.client.expectEnd();
    socket.client.close();
    for (let turns = 2; turns > 0; turns--) await witness.send(request).readResponse(); // by then its slot is free
    const client = await server.connect(); // it has that slot
    client.send(request.repeat(others));
    for (let left = others; left > 0; left--) await client.readResponse();
    expect((await client.send(handshakeText("/echo")).readResponse()).status).toBe(101);
    await server.stop();
  });

  test("unfinished messages have 64 MiB; the websocket beyond that is closed with 1013, and the others go on", async () => {
    const server = await start(EDGE, built.at("websockethandlers.cwasm"), BOUNDED);
    const most = Buffer.alloc((10 << 20) - 1); // of one message, with a byte more
    const clients = await Promise.all(Array.from({ length: 7 }, () => WsClient.open(server, "/echo")));
    for (const client of clients) client.send(BINARY, most, { fin: false });
    await server.complaint(/handlers have not taken 64 MiB: a websocket was given up/);
    const answers: (number | string)[] = [];
    for (const client of clients) {
      const answer = client.send(CONTINUATION, "x").readMessage();
      answers.push(await answer.then(({ payload }) => payload.length, String));
    }
    const [failed, ...echoed] = answers.sort((a, b) => (a === b ? 0 : typeof a === "string" ? -1 : 1));
    expect(failed).toContain("the server is busy");
    expect(echoed).toEqual(Array(6).fill(most.length + 1));
    await server.stop();
  }, 60_000);
});
