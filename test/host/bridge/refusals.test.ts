// What the sandbox has refused, as the operator's log shows it; and REFUSED frames that are none.
import { describe, expect, test } from "vitest";

import { FRAME_CLOSE, FRAME_DETACHED, FRAME_ECHO, FRAME_REFUSED, FRAME_WRITE } from "../../../host/bridge/frames.js";
import { HTTPServer } from "../../../host/server/httpserver.js";
import { TCPServer } from "../../../host/server/tcpserver.js";
import { FakeWorker, frame, u16, u32 } from "../support/fakeworker.js";

const NOWHERE = Buffer.alloc(20);
const IPV4 = Buffer.concat([u16(4, 5000), Buffer.from([192, 0, 2, 7]), Buffer.alloc(12)]);
const SENTENCE = "A header line has no colon";

function refused(
  status: number,
  { unreported = 0, descriptor = 0, address = NOWHERE, sentence = SENTENCE } = {},
): Buffer {
  return Buffer.concat([u16(status, unreported), u32(descriptor), address, Buffer.from(sentence, "latin1")]);
}

function start(): FakeWorker {
  return new FakeWorker((logger) => new HTTPServer(() => {}, { logger }).acceptor()).ready();
}

describe("a refusal", () => {
  test("is one warning", () => {
    const worker = start();
    worker.emit(frame(FRAME_REFUSED, 0, refused(400)));
    expect(worker.log).toEqual([`warn a request was refused with 400: ${SENTENCE}`]);
  });

  test("names the peer of its PROXY header, or of its socket", () => {
    const worker = start();
    worker.peers.set(9, { address: { address: "::1", port: 7, family: "IPv6" }, tls: null });
    worker.emit(frame(FRAME_REFUSED, 0, refused(408, { address: IPV4 })));
    worker.emit(frame(FRAME_REFUSED, 0, refused(408, { descriptor: 9 })));
    expect(worker.log).toEqual([
      `warn a request from 192.0.2.7:5000 was refused with 408: ${SENTENCE}`,
      `warn a request from [::1]:7 was refused with 408: ${SENTENCE}`,
    ]);
  });

  test("says how many it stands for", () => {
    const worker = start();
    worker.emit(
      frame(FRAME_REFUSED, 0, refused(400, { unreported: 1 })),
      frame(FRAME_REFUSED, 0, refused(400, { unreported: 9 })),
    );
    expect(worker.log[0]).toMatch(/; 1 more was refused before it and not logged$/);
    expect(worker.log[1]).toMatch(/; 9 more were refused before it and not logged$/);
    worker.emit(frame(FRAME_REFUSED, 0, refused(400, { unreported: 65_535 }))); // where the sandbox stops counting
    expect(worker.log[2]).toMatch(/; 65535 or more were refused before it and not logged$/);
  });

  test.each<[string, Buffer]>([
    ["a status that is none", refused(200)],
    ["a status beyond", refused(600)],
    ["no sentence", refused(400, { sentence: "" })],
    ["a line break in it", refused(400, { sentence: "one\ntwo" })],
    ["a byte that is not ASCII in it", refused(400, { sentence: "\xe9" })],
    ["a sentence too long", refused(400, { sentence: "x".repeat(257) })],
    ["an address of no family", refused(400, { address: Buffer.concat([u16(5), Buffer.alloc(18)]) })],
    ["nothing", Buffer.alloc(0)],
  ])("with %s ends the worker", (_, payload) => {
    const worker = start();
    worker.emit(frame(FRAME_REFUSED, 0, payload));
    expect(worker.killed).toBe(true);
    expect(worker.failure?.message).toMatch(/REFUSED/);
    expect(worker.log).toEqual([]);
  });

  test("of a request that is the host's to answer: Node's answer, and the end", async () => {
    const worker = new FakeWorker((logger) => new HTTPServer({ handle() {}, asNode: true }, { logger }).acceptor());
    worker.ready().emit(frame(FRAME_REFUSED, 1, refused(431)), frame(FRAME_DETACHED, 1, u32(0)));
    const said = (await worker.received()).filter(({ id, type }) => id === 1 && type !== FRAME_ECHO);
    expect(said.map(({ type }) => type)).toEqual([FRAME_WRITE, FRAME_CLOSE]);
    expect(said[0]?.payload.toString()).toBe(
      "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n",
    );
    expect(worker.killed).toBe(false);
    worker.emit(frame(FRAME_REFUSED, 1, refused(400)));
    expect(worker.killed).toBe(true); // the id is one that was open
  });

  test("for an id, or of a server of streams, ends the worker", () => {
    const one = start();
    one.emit(frame(FRAME_REFUSED, 1, refused(400)));
    expect(one.killed).toBe(true);
    const streams = new FakeWorker((logger) => new TCPServer({ logger }).acceptor()).ready();
    streams.emit(frame(FRAME_REFUSED, 0, refused(400)));
    expect(streams.killed).toBe(true);
  });
});
