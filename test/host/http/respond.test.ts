// Answers in one piece over a scripted sandbox: which frames leave, and what is refused before anything is sent.
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import { HTTPServer, type HTTPServerRequest, inject, type RequestCallback } from "../../../host/index.js";
import { answerOf, ID, readResponse, serve } from "../support/exchange.js";
import { type Frame, frame, idOf, requestFrame, u16, u32 } from "../support/fakeworker.js";

const PLAIN = { "Content-Type": "text/plain" };

describe("respond", () => {
  test("sends status, fields and body in one frame", async () => {
    expect(await answerOf((request) => request.respond(201, PLAIN, "grüße"))).toEqual({
      status: 201,
      flags: f.RESPONSE_LAST,
      contentLength: -1,
      fields: [["Content-Type", "text/plain"]],
      body: "grüße",
    });
  });

  test.each([
    ["an object", { A: "1", B: 2, C: ["3", "4"] }],
    [
      "pairs",
      [
        ["A", "1"],
        ["B", 2],
        ["C", "3"],
        ["C", "4"],
      ] as [string, string | number][],
    ],
    [
      "a map",
      new Map([
        ["A", "1"],
        ["B", "2"],
      ]),
    ],
  ])("takes header fields as %s", async (_name, headers) => {
    const { fields } = await answerOf((request) => request.respond(200, headers));
    expect(fields.slice(0, 2)).toEqual([
      ["A", "1"],
      ["B", "2"],
    ]);
    if (fields.length > 2)
      expect(fields.slice(2)).toEqual([
        ["C", "3"],
        ["C", "4"],
      ]);
  });

  test("sends an object's fields as they are at that moment", async () => {
    const headers: Record<string, string> = { A: "1" };
    for (const value of ["1", "2", "1"]) {
      headers.A = value;
      const { fields } = await answerOf((request) => request.respond(200, headers));
      expect(fields).toEqual([["A", value]]);
    }
    expect((await answerOf((request) => request.respond(200, { A: "1", B: "2" }))).fields.length).toBe(2);
    const list = ["1"];
    await answerOf((request) => request.respond(200, { A: list }));
    list[0] = "2";
    expect((await answerOf((request) => request.respond(200, { A: list }))).fields).toEqual([["A", "2"]]);
  });

  test.each([
    "",
    "a",
    "x".repeat(39),
    "x".repeat(41),
    "ü".repeat(20),
    `${"x".repeat(39)}é`,
    "\ud800",
    "y".repeat(16_000),
  ])("sends text %#", async (text) => {
    expect((await answerOf((request) => request.respond(200, {}, text))).body).toBe(Buffer.from(text).toString());
  });

  test("takes bytes", async () => {
    expect((await answerOf((request) => request.respond(200, {}, new Uint8Array([65, 66])))).body).toBe("AB");
  });
});

describe("the framing of an answer", () => {
  test("keeps what frames the message out of the rows", async () => {
    const headers = { "content-length": "2", Connection: "close", A: "1" };
    const answer = await answerOf((request) => request.respond(200, headers, "ab"));
    expect(answer).toMatchObject({ flags: f.RESPONSE_LAST | f.RESPONSE_CLOSE, fields: [["A", "1"]], body: "ab" });
    expect((await answerOf((request) => request.respond(200, { connection: "Keep-Alive" }))).flags).toBe(
      f.RESPONSE_LAST,
    );
  });

  test("to HEAD says how long the body would be, and sends none", async () => {
    const respond: RequestCallback = (request) => request.respond(200, {}, "hello");
    expect(await answerOf(respond, { method: 2 })).toMatchObject({
      contentLength: 5,
      body: "",
      flags: f.RESPONSE_LAST,
    });
    const declared: RequestCallback = (request) => request.respond(200, { "Content-Length": 99 });
    expect(await answerOf(declared, { method: 2 })).toMatchObject({ contentLength: 99, body: "" });
  });

  test("to HEAD says no length of a body that is not given: GET may have one", async () => {
    for (const compressResponse of [false, true]) {
      const server = new HTTPServer((request) => request.respond(200, PLAIN), { compressResponse });
      const head = await inject(server, { method: "HEAD" });
      expect([head.status, head.headers.get("content-length")]).toEqual([200, null]);
      expect((await inject(server, { method: "GET" })).headers.get("content-length")).toBe("0");
    }
  });

  test.each([204, 304])("with %i has no body and no length", async (status) => {
    const answer = await answerOf((request) => request.respond(status, {}, "dropped"));
    expect(answer).toMatchObject({ status, contentLength: -1, body: "" });
  });
});

describe("a second answer, or a late one", () => {
  test.each([
    ["in one piece", (request: HTTPServerRequest) => request.respond(200, {}, "second")],
    ["bit by bit", (request: HTTPServerRequest) => void request.connection.writeHeaders(200)],
  ])("twice throws, and the first counts: %s", async (_name, again) => {
    const errors: unknown[] = [];
    const answer = await answerOf((request) => {
      expect(request.connection.started).toBe(false);
      request.respond(200, {}, "first");
      try {
        again(request);
      } catch (error) {
        errors.push(error);
      }
    });
    expect(answer.body).toBe("first");
    expect(errors).toEqual([expect.objectContaining({ code: "HTTP_OUTPUT" })]);
  });

  test("after the peer has gone does nothing", async () => {
    const requests: HTTPServerRequest[] = [];
    const worker = serve((request) => void requests.push(request));
    worker.emit(requestFrame(ID), frame(f.FRAME_ABORT, ID, u16(3)));
    requests[0].respond(200, {}, "x");
    expect(() => requests[0].respond(200)).toThrow();
    expect(await worker.receivedAnswers()).toEqual([]);
  });
});

describe("the write window", () => {
  test("a large body goes out in pieces, within the window, and is forgotten with its end", async () => {
    const worker = serve((request) => request.respond(200, PLAIN, "x".repeat(50_000)), { writeWindow: 25_000 });
    worker.emit(requestFrame(ID));
    const frames = await worker.receivedAnswers();
    expect(readResponse(frames[0])).toMatchObject({ contentLength: 50_000, flags: 0 });
    const bytes = (list: Frame[]): number => list.reduce((sum, { payload }) => sum + payload.length, 0);
    expect(bytes(frames.slice(1))).toBe(25_000);
    worker.emit(frame(f.FRAME_SENT, ID, u32(25_000)));
    const rest = await worker.receivedAnswers();
    expect(bytes(rest)).toBe(25_000);
    expect(rest.at(-1)?.type).toBe(f.FRAME_RESPONSE_END);
    worker.emit(frame(f.FRAME_SENT, ID, u32(25_000)), requestFrame(idOf(7, 2)));
    expect(worker.failure).toBeNull();
  });

  test("the window is small for a peer that has taken little, and grows with what it takes, up to writeWindow", async () => {
    const worker = serve((request) => request.respond(200, PLAIN, Buffer.alloc(20 << 20)), { writeWindow: 65_536 });
    worker.emit(requestFrame(ID));
    const size = async (): Promise<number> =>
      (await worker.receivedAnswers())
        .filter(({ type }) => type === f.FRAME_RESPONSE_BODY)
        .reduce((sum, { payload }) => sum + payload.length, 0);
    let window = 0;
    let most = 0;
    for (let taken = 0; taken < 18 << 20; taken += window) {
      window = await size();
      if (taken <= 8 << 20) expect(window).toBe(32_768);
      most = Math.max(most, window);
      worker.emit(frame(f.FRAME_SENT, ID, u32(window)));
    }
    expect(most).toBe(65_536);
  });
});

describe("what cannot be sent", () => {
  test.each([
    ["a status below 200", 100, {}, "INVALID_HEADER"],
    ["a status that is no number", Number.NaN, {}, "INVALID_HEADER"],
    ["a line end in a value", 200, { A: "b\r\nSet-Cookie: c" }, "INVALID_HEADER"],
    ["a line end at the end of a value", 200, { A: "b\n" }, "INVALID_HEADER"],
    ["NUL in a value", 200, { A: "b\0" }, "INVALID_HEADER"],
    ["a value that is not latin-1", 200, { A: "\u20ac" }, "INVALID_HEADER"],
    ["a value that is none", 200, { A: undefined as never }, "INVALID_HEADER"],
    ["a space in a name", 200, { "A B": "c" }, "INVALID_HEADER"],
    ["an empty name", 200, { "": "c" }, "INVALID_HEADER"],
    ["a line end in a name", 200, { "A\r\nB": "c" }, "INVALID_HEADER"],
    ["Transfer-Encoding", 200, { "Transfer-Encoding": "chunked" }, "INVALID_HEADER"],
    ["another Connection", 200, { Connection: "upgrade" }, "INVALID_HEADER"],
    ["a Content-Length that is none", 200, { "Content-Length": "1e1" }, "INVALID_HEADER"],
    ["two Content-Lengths", 200, { "Content-Length": "1", "content-length": "2" }, "INVALID_HEADER"],
    ["too many bytes of fields", 200, { A: "x".repeat(70_000) }, "INVALID_HEADER"],
    ["a Content-Length that is not the body's", 200, { "Content-Length": 3 }, "HTTP_OUTPUT"],
  ])("refuses %s before anything is sent", async (_name, status, headers, code) => {
    let error: unknown;
    const answer = await answerOf((request) => {
      try {
        request.respond(status, headers, "ab");
      } catch (thrown) {
        error = thrown;
      }
      request.respond(200, {}, "instead");
    });
    expect(error).toMatchObject({ code });
    expect(answer.body).toBe("instead");
  });

  test("a body that is neither text nor bytes is refused before anything is sent", async () => {
    for (const body of [1, {}, [1], true, new ArrayBuffer(1)]) {
      const answer = await answerOf((request) => {
        expect(() => request.respond(200, {}, body as never)).toThrow(TypeError);
        request.respond(200, {}, "instead");
      });
      expect(answer.body).toBe("instead");
    }
  });
});
