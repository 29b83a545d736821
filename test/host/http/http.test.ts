// Requests and answers over a scripted sandbox: what a handler sees, what leaves, and what is not believed.
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import { HTTPServer, type HTTPServerRequest, inject, type RequestCallback } from "../../../host/index.js";
import {
  FakeWorker,
  type Frame,
  frame,
  idOf,
  type RequestParts,
  requestFrame,
  u16,
  u32,
} from "../support/fakeworker.js";

const ID = idOf(7);
const PLAIN = { "Content-Type": "text/plain" };

function serve(handler: RequestCallback, options = {}): FakeWorker {
  const worker = new FakeWorker((logger) => new HTTPServer(handler, { ...options, logger }).acceptor(), options);
  worker.peers.set(9, { address: { address: "192.0.2.1", port: 5, family: "IPv4" }, tls: null });
  return worker.ready();
}

/** The request that a handler is given for a frame. */
function seen(parts: RequestParts): HTTPServerRequest {
  let found: HTTPServerRequest | undefined;
  const worker = serve((request) => {
    found = request;
  });
  worker.say(requestFrame(ID, parts));
  expect(worker.failure).toBeNull();
  return found as HTTPServerRequest;
}

interface Answer {
  status: number;
  flags: number;
  contentLength: number;
  fields: [string, string][];
  body: string;
}

function parseResponse({ type, payload }: Frame): Answer {
  expect(type).toBe(f.FRAME_RESPONSE);
  const rows = payload.readUInt16LE(4);
  expect(payload.readUInt16LE(6)).toBe(0);
  let at = f.RESPONSE_BYTES + rows * 4;
  const take = (bytes: number): string => payload.toString("latin1", at, (at += bytes));
  const fields: [string, string][] = [];
  for (let row = 0; row < rows; row++) {
    const sizes = f.RESPONSE_BYTES + row * 4;
    const name = take(payload.readUInt16LE(sizes));
    fields.push([name, take(payload.readUInt16LE(sizes + 2))]);
  }
  return {
    status: payload.readUInt16LE(0),
    flags: payload[2],
    contentLength: Number(payload.readBigInt64LE(8)),
    fields,
    body: payload.toString("utf8", at),
  };
}

async function answerOf(handler: RequestCallback, parts: RequestParts = {}): Promise<Answer> {
  const worker = serve(handler);
  worker.say(requestFrame(ID, parts));
  const frames = await worker.hearAnswers();
  expect(frames.map(({ id }) => id)).toEqual([ID]);
  return parseResponse(frames[0]);
}

describe("a request", () => {
  test("has its parts", () => {
    const request = seen({
      method: 3,
      minor: 0,
      flags: f.REQUEST_END | f.REQUEST_KEEP_ALIVE,
      target: "/a%20b?x=1&x=%32&y",
      headers: [
        ["host", "example"],
        ["x-two", "one"],
        ["x-two", "tw\xf6"],
        ["cookie", "a=1"],
        ["cookie", "b=2"],
      ],
      descriptor: 9,
      body: "hello",
    });
    expect(request.method).toBe("POST");
    expect(request.version).toBe("HTTP/1.0");
    expect(request.keepAlive).toBe(true);
    expect(request.target).toBe("/a%20b?x=1&x=%32&y");
    expect(request.path).toBe("/a%20b");
    expect([...request.query]).toEqual([
      ["x", "1"],
      ["x", "2"],
      ["y", ""],
    ]);
    expect(request.headers.get("HOST")).toBe("example");
    expect(request.headers.get("X-Two")).toBe("one, tw\xf6");
    expect(request.headers.get("cookie")).toBe("a=1; b=2");
    expect(request.headers.getList("x-two")).toEqual(["one", "tw\xf6"]);
    expect(request.headers.get("x-three")).toBeNull();
    expect([request.headers.has("Cookie"), request.headers.has("Set-Cookie")]).toEqual([true, false]);
    expect(request.headers.size).toBe(5);
    expect([...request.headers][0]).toEqual(["host", "example"]);
    expect(request.contentLength).toBe(5);
    expect(request.remoteAddress).toEqual({ address: "192.0.2.1", port: 5, family: "IPv4" });
  });

  test.each([
    ["/a%20b?x=1&y", "http://example:8443/a%20b?x=1&y"],
    ["http://other/x?y", "http://other/x?y"],
    ["http://other", "http://other/"],
  ])("for %s has the whole address, and the time since it came", (target, url) => {
    const request = seen({ target, headers: [["host", "example:8443"]] });
    expect(request.fullUrl()).toBe(url);
    const before = request.requestTime();
    expect(before).toBeGreaterThanOrEqual(0);
    expect(request.requestTime()).toBeGreaterThanOrEqual(before);
  });

  test("has fields and trailers of its own, which may be changed", () => {
    const [one, other] = [1, 2].map(() => seen({ headers: [["x-a", "1"]] }));
    one.headers.add("X-A", "2");
    one.trailers.add("x-sum", "3");
    expect([one.headers.get("x-a"), other.headers.get("x-a"), other.trailers.size]).toEqual(["1, 2", "1", 0]);
  });

  test("has any method", () => {
    expect(seen({ method: 0, methodText: "BREW" }).method).toBe("BREW");
    expect(
      ["", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"].map((name, method) => {
        return method === 0 || seen({ method }).method === name;
      }),
    ).not.toContain(false);
  });

  test.each([
    ["/", "/", ""],
    ["/a/b?", "/a/b", ""],
    ["*", "*", ""],
    ["http://h/x?y", "/x", "y="],
    ["http://h", "/", ""],
    ["http://h?q=/", "/", "q=%2F"],
    ["/?u=http://h/x", "/", "u=http%3A%2F%2Fh%2Fx"],
  ])("with the target %s has the path %s", (target, path, query) => {
    const request = seen({ target });
    expect([request.path, String(request.query)]).toEqual([path, query]);
  });

  test("keeps its own bytes, not the chunk that it came in, when it is answered later", async () => {
    const requests: HTTPServerRequest[] = [];
    const worker = serve((request) => void requests.push(request));
    const many = Array.from({ length: 100 }, (_, i) => requestFrame(idOf(i), { target: `/${i}`, body: `body ${i}` }));
    worker.say(...many);
    for (const [i, request] of requests.entries()) {
      expect(request.target).toBe(`/${i}`);
      expect((await request.readBody()).toString()).toBe(`body ${i}`);
    }
  });

  test("without a known peer has no address", () => {
    expect(seen({ descriptor: 8 }).remoteAddress).toBeNull();
  });
});

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
    worker.say(requestFrame(ID), frame(f.FRAME_ABORT, ID, u16(3)));
    requests[0].respond(200, {}, "x");
    expect(() => requests[0].respond(200)).toThrow();
    expect(await worker.hearAnswers()).toEqual([]);
  });

  test("a large body goes out in pieces, within the window, and is forgotten with its end", async () => {
    const worker = serve((request) => request.respond(200, PLAIN, "x".repeat(50_000)), { writeWindow: 25_000 });
    worker.say(requestFrame(ID));
    const frames = await worker.hearAnswers();
    expect(parseResponse(frames[0])).toMatchObject({ contentLength: 50_000, flags: 0 });
    const bytes = (list: Frame[]): number => list.reduce((sum, { payload }) => sum + payload.length, 0);
    expect(bytes(frames.slice(1))).toBe(25_000);
    worker.say(frame(f.FRAME_SENT, ID, u32(25_000)));
    const rest = await worker.hearAnswers();
    expect(bytes(rest)).toBe(25_000);
    expect(rest.at(-1)?.type).toBe(f.FRAME_RESPONSE_END);
    worker.say(frame(f.FRAME_SENT, ID, u32(25_000)), requestFrame(idOf(7, 2)));
    expect(worker.failure).toBeNull();
  });

  test("the window is small for a peer that has taken little, and grows with what it takes, up to writeWindow", async () => {
    const worker = serve((request) => request.respond(200, PLAIN, Buffer.alloc(20 << 20)), { writeWindow: 65_536 });
    worker.say(requestFrame(ID));
    const size = async (): Promise<number> =>
      (await worker.hearAnswers())
        .filter(({ type }) => type === f.FRAME_RESPONSE_BODY)
        .reduce((sum, { payload }) => sum + payload.length, 0);
    let window = 0;
    let most = 0;
    for (let taken = 0; taken < 18 << 20; taken += window) {
      window = await size();
      if (taken <= 8 << 20) expect(window).toBe(32_768);
      most = Math.max(most, window);
      worker.say(frame(f.FRAME_SENT, ID, u32(window)));
    }
    expect(most).toBe(65_536);
  });

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

describe("an answer bit by bit", () => {
  const frameTypes = (frames: Frame[]): number[] => frames.map(({ type }) => type);

  test("is a head, parts and an end", async () => {
    const worker = serve(async ({ connection }) => {
      connection.writeHeaders(200, PLAIN, "one");
      await connection.write("two");
      connection.finish();
    });
    worker.say(requestFrame(ID));
    const frames = await worker.hearAnswers();
    expect(parseResponse(frames[0])).toMatchObject({ contentLength: -1, flags: 0 });
    expect(frameTypes(frames.slice(1))).toEqual([f.FRAME_RESPONSE_BODY, f.FRAME_RESPONSE_BODY]);
    worker.say(frame(f.FRAME_SENT, ID, u32(6)));
    expect(frameTypes(await worker.hearAnswers())).toEqual([f.FRAME_RESPONSE_END]);
  });

  test.each([
    ["too many", "abcd", f.FRAME_CANCEL],
    ["too few", "ab", f.FRAME_CANCEL],
  ])("with %s bytes ends the connection and throws", async (_name, body, last) => {
    const worker = serve(({ connection }) => {
      connection.writeHeaders(200, { "Content-Length": 3 });
      void connection.write(body);
      connection.finish();
    });
    worker.say(requestFrame(ID));
    const frames = await worker.hearAnswers();
    expect(frames.at(-1)?.type).toBe(last);
    expect(frameTypes(frames)).not.toContain(f.FRAME_RESPONSE_END);
    expect(worker.log[0]).toMatch(/Content-Length says 3 bytes/);
  });

  test("to HEAD has no body, whatever is written", async () => {
    const worker = serve(async ({ connection }) => {
      connection.writeHeaders(200, { "Content-Length": 3 });
      await connection.write("x".repeat(100));
      connection.finish();
    });
    worker.say(requestFrame(ID, { method: 2 }));
    const frames = await worker.hearAnswers();
    expect(parseResponse(frames[0]).contentLength).toBe(3);
    expect(frames.slice(1).map(({ type, payload }) => [type, payload.length])).toEqual([[f.FRAME_RESPONSE_END, 0]]);
  });

  test("out of order throws", () => {
    const check = (use: (request: HTTPServerRequest) => unknown) => {
      const worker = serve((request) => {
        expect(() => use(request)).toThrow(expect.objectContaining({ code: "HTTP_OUTPUT" }));
      });
      worker.say(requestFrame(ID));
      expect(worker.log).toEqual([]);
    };
    check(({ connection }) => connection.write("x"));
    check(({ connection }) => connection.finish());
    check(({ connection }) => {
      connection.writeHeaders(200);
      connection.writeHeaders(200);
    });
    check((request) => {
      request.connection.writeHeaders(200);
      request.respond(200);
    });
    check((request) => {
      request.respond(200);
      request.connection.writeHeaders(200);
    });
    check(({ connection }) => {
      connection.writeHeaders(200);
      connection.finish();
      connection.write("x");
    });
  });

  test("a write rejects when the peer is gone, and nobody has to listen", async () => {
    let write: Promise<void> | undefined;
    const worker = serve(({ connection, signal }) => {
      connection.writeHeaders(200);
      void connection.write("a");
      write = connection.write("b");
      signal.addEventListener("abort", () => void connection.write("c"));
    });
    worker.say(requestFrame(ID), frame(f.FRAME_ABORT, ID, u16(3)));
    await expect(write).rejects.toMatchObject({ code: "STREAM_CLOSED", reason: "RESET" });
  });
});

describe("a handler that fails", () => {
  test.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("and %s is answered with 500 and logged", async (_name, handler) => {
    const worker = serve(handler);
    worker.say(requestFrame(ID, { target: "/x" }));
    const [frame_] = await worker.hearAnswers();
    expect(parseResponse(frame_)).toMatchObject({ status: 500, body: "Internal Server Error" });
    expect(worker.log).toEqual(["error the handler of GET /x failed: Error: broken"]);
  });

  test("after its head ends the connection", async () => {
    const worker = serve(async ({ connection }) => {
      connection.writeHeaders(200);
      throw new Error("broken");
    });
    worker.say(requestFrame(ID));
    expect((await worker.hearAnswers()).map(({ type }) => type)).toEqual([f.FRAME_RESPONSE, f.FRAME_CANCEL]);
    worker.say(frame(f.FRAME_ABORT, ID, u16(1)), requestFrame(idOf(7, 2)));
    expect(worker.failure).toBeNull();
  });

  test("after its answer is only logged", async () => {
    const worker = serve((request) => {
      request.respond(200, {}, "done");
      throw new Error("broken");
    });
    worker.say(requestFrame(ID));
    expect((await worker.hearAnswers()).map(({ type }) => type)).toEqual([f.FRAME_RESPONSE]);
    expect(worker.log[0]).toMatch(/broken/);
  });

  test("does not disturb the other requests of its batch", async () => {
    const worker = serve((request) => {
      if (request.target === "/bad") throw new Error("broken");
      request.respond(200, {}, request.target);
    });
    worker.say(
      requestFrame(idOf(1), { target: "/a" }),
      requestFrame(idOf(2), { target: "/bad" }),
      requestFrame(idOf(3), { target: "/b" }),
    );
    expect((await worker.hearAnswers()).map((answer) => parseResponse(answer).status)).toEqual([200, 500, 200]);
  });
});

describe("a body", () => {
  const streaming = { method: 3, flags: 0, contentLength: -1 };

  test("is collected from its frames", async () => {
    const worker = serve(async (request) => request.respond(200, {}, await request.readBody()));
    worker.say(requestFrame(ID, streaming), frame(f.FRAME_BODY, ID, "one"), frame(f.FRAME_BODY_END, ID, "two"));
    expect(parseResponse((await worker.hearAnswers())[0]).body).toBe("onetwo");
  });

  test("is empty when there is none, and can be read after the answer", async () => {
    const request = seen({});
    request.respond(200);
    expect((await request.readBody()).length).toBe(0);
  });

  test("begins in the REQUEST", async () => {
    const worker = serve(async (request) => request.respond(200, {}, await request.readBody()));
    worker.say(
      requestFrame(ID, { method: 3, flags: 0, contentLength: 6, body: "one" }),
      frame(f.FRAME_BODY_END, ID, "two"),
    );
    expect(parseResponse((await worker.hearAnswers())[0]).body).toBe("onetwo");
  });

  test("gives credit for what the handler takes, not for what waits", async () => {
    const taken: string[] = [];
    let next: () => void = () => {};
    const worker = serve(
      async (request) => {
        for await (const block of request.body) {
          taken.push(block.toString("latin1", 0, 1));
          await new Promise<void>((resolve) => {
            next = resolve;
          });
        }
        request.respond(200, {}, "all");
      },
      { bodyWindow: 40_000 },
    );
    worker.say(requestFrame(ID, streaming));
    worker.say(frame(f.FRAME_BODY, ID, "a".repeat(20_000)), frame(f.FRAME_BODY, ID, "b".repeat(20_000)));
    const credits = async (): Promise<number[]> =>
      (await worker.hearAnswers()).map(({ payload }) => payload.readUInt32LE(0));
    expect(await credits()).toEqual([20_000]);
    expect(taken).toEqual(["a"]);
    next();
    expect(await credits()).toEqual([20_000]);
    worker.say(frame(f.FRAME_BODY_END, ID, "c"));
    next();
    await worker.hear();
    next();
    expect((await worker.hearAnswers()).map(({ type }) => type)).toEqual([f.FRAME_RESPONSE]);
    expect(taken).toEqual(["a", "b", "c"]);
  });

  test("larger than its reader allows is answered with 413", async () => {
    const worker = serve(async (request) => request.respond(200, {}, await request.readBody(5)));
    worker.say(requestFrame(ID, streaming), frame(f.FRAME_BODY, ID, "sixsix"));
    expect(parseResponse((await worker.hearAnswers())[0]).status).toBe(413);
    worker.say(frame(f.FRAME_BODY_END, ID), requestFrame(idOf(7, 2), { method: 3, flags: 0, contentLength: 6 }));
    expect(parseResponse((await worker.hearAnswers())[0]).status).toBe(413);
    expect(worker.failure).toBeNull();
  });

  test("that breaks off rejects, and its handler's failure is no error of its own", async () => {
    const worker = serve(async (request) => request.respond(200, {}, await request.readBody()));
    worker.say(requestFrame(ID, streaming), frame(f.FRAME_BODY, ID, "one"), frame(f.FRAME_ABORT, ID, u16(3)));
    expect(await worker.hearAnswers()).toEqual([]);
    expect(worker.log[0]).toMatch(/^debug/);
  });

  test("can be read by one reader at a time", async () => {
    const requests: HTTPServerRequest[] = [];
    const worker = serve((request) => void requests.push(request));
    worker.say(requestFrame(ID, streaming));
    const first = requests[0].readBody();
    await expect(requests[0].readBody()).rejects.toMatchObject({ code: "ALREADY_READING" });
    worker.say(frame(f.FRAME_BODY_END, ID, "x"));
    expect((await first).toString()).toBe("x");
  });

  test("left unread is forsaken with the answer", async () => {
    const requests: HTTPServerRequest[] = [];
    const worker = serve((request) => void requests.push(request));
    worker.say(requestFrame(ID, streaming));
    const read = requests[0].readBody();
    requests[0].respond(200);
    await expect(read).rejects.toMatchObject({ code: "STREAM_CLOSED" });
    await expect(requests[0].readBody()).rejects.toMatchObject({ code: "STREAM_CLOSED" });
  });
});

describe("the signal", () => {
  test("is aborted when the peer goes away", () => {
    const signals: AbortSignal[] = [];
    const requests: HTTPServerRequest[] = [];
    const worker = serve((request) => {
      requests.push(request);
      if (request.target === "/early") signals.push(request.signal);
    });
    worker.say(requestFrame(ID, { target: "/early" }), requestFrame(idOf(8)));
    worker.say(frame(f.FRAME_ABORT, ID, u16(3)), frame(f.FRAME_ABORT, idOf(8), u16(4)));
    expect(signals[0].reason).toMatchObject({ reason: "RESET" });
    expect(requests[1].signal.reason).toMatchObject({ reason: "TIMEOUT" });
  });

  test("is aborted when the client has ended its side, which may be answered, and is not aborted again", async () => {
    const reasons: unknown[] = [];
    const worker = serve((request) => {
      request.signal.addEventListener("abort", () => {
        reasons.push(request.signal.reason);
        if (request.target === "/answer") request.respond(200, {}, "all the same");
      });
    });
    worker.say(requestFrame(ID, { target: "/answer" }), frame(f.FRAME_END, ID));
    expect(parseResponse((await worker.hearAnswers())[0]).body).toBe("all the same");
    worker.say(requestFrame(idOf(8)), frame(f.FRAME_END, idOf(8)), frame(f.FRAME_ABORT, idOf(8), u16(3)));
    worker.say(requestFrame(idOf(9), { flags: 0, contentLength: 1 }), frame(f.FRAME_BODY_END, idOf(9), "x"));
    worker.say(frame(f.FRAME_END, idOf(9)));
    expect(reasons).toMatchObject([{ reason: "END" }, { reason: "END" }, { reason: "END" }]);
    expect(worker.failure).toBe(null);
  });

  test("a handler that ends after its client, without a whole answer, ends the connection", async () => {
    const log: string[] = [];
    for (const fails of [false, true]) {
      const worker = serve(
        async (request) => {
          if (!fails) void request.connection.writeHeaders(200, {}, "begun");
          await new Promise((leave) => request.signal.addEventListener("abort", leave));
          if (fails) request.signal.throwIfAborted();
        },
        { logger: { debug() {}, info() {}, warn() {}, error: (_fields: unknown, text: string) => log.push(text) } },
      );
      worker.say(requestFrame(ID), frame(f.FRAME_END, ID));
      const types: number[] = [];
      while (types.at(-1) !== f.FRAME_CANCEL) types.push(...(await worker.hearAnswers()).map(({ type }) => type));
      expect(types[0]).toBe(fails ? f.FRAME_CANCEL : f.FRAME_RESPONSE);
      expect(types).not.toContain(f.FRAME_RESPONSE_END);
    }
    expect(log).toEqual([]);
  });

  test("is aborted when the worker ends", () => {
    const request = { current: null as HTTPServerRequest | null };
    const worker = serve((given) => {
      request.current = given;
    });
    worker.say(requestFrame(ID));
    const { signal } = request.current as HTTPServerRequest;
    worker.bridge.end();
    expect(signal.reason).toMatchObject({ reason: "WORKER" });
  });
});

describe("is not believed", () => {
  const head = (change: (payload: Buffer) => void, parts: RequestParts = {}): Buffer => {
    const bytes = requestFrame(ID, parts);
    change(bytes.subarray(f.FRAME_HEADER_BYTES));
    return bytes;
  };
  const rows: [string, string][] = [["a", "b"]];
  const cases: [string, Buffer[]][] = [
    ["a head cut short", [frame(f.FRAME_REQUEST, ID, "x".repeat(f.REQUEST_BYTES - 1))]],
    ["more rows than it holds", [head((payload) => payload.writeUInt16LE(65_535, 4))]],
    ["a target longer than it is", [head((payload) => payload.writeUInt16LE(2, 8))]],
    ["a value longer than it is", [head((payload) => payload.writeUInt16LE(2, 26), { headers: rows })]],
    ["an unknown method", [head((payload) => payload.writeUInt8(8, 0))]],
    ["a known method with a text", [requestFrame(ID, { methodText: "GET" })]],
    ["another method without a text", [requestFrame(ID, { method: 0 })]],
    ["HTTP/1.2", [head((payload) => payload.writeUInt8(2, 1))]],
    ["unknown flags", [head((payload) => payload.writeUInt8(64, 2))]],
    ["a complete body shorter than its length", [requestFrame(ID, { contentLength: 2, body: "x" })]],
    ["a body longer than its length", [requestFrame(ID, { flags: 0, contentLength: 2, body: "xxx" })]],
    ["no body that is still to come", [requestFrame(ID, { flags: 0, contentLength: 0 })]],
    ["a negative length", [requestFrame(ID, { contentLength: -2 })]],
    ["a body after a complete request", [requestFrame(ID), frame(f.FRAME_BODY, ID, "x")]],
    ["more body than announced", [requestFrame(ID, { flags: 0, contentLength: 2 }), frame(f.FRAME_BODY, ID, "xxx")]],
    ["less body than announced", [requestFrame(ID, { flags: 0, contentLength: 2 }), frame(f.FRAME_BODY_END, ID, "x")]],
    [
      "body beyond the credit",
      [
        requestFrame(ID, { flags: 0, contentLength: -1 }),
        ...Array<Buffer>(3).fill(frame(f.FRAME_BODY, ID, "x".repeat(100_000))),
      ],
    ],
    ["an empty part", [requestFrame(ID, { flags: 0, contentLength: -1 }), frame(f.FRAME_BODY, ID)]],
    ["SENT without an answer", [requestFrame(ID), frame(f.FRAME_SENT, ID, u32(1))]],
    ["END of some size", [requestFrame(ID), frame(f.FRAME_END, ID, "x")]],
    ["END twice", [requestFrame(ID), frame(f.FRAME_END, ID), frame(f.FRAME_END, ID)]],
    ["END before the body's", [requestFrame(ID, { flags: 0, contentLength: 2 }), frame(f.FRAME_END, ID)]],
    ["ABORT without a reason", [requestFrame(ID), frame(f.FRAME_ABORT, ID)]],
    ["a frame after ABORT", [requestFrame(ID), frame(f.FRAME_ABORT, ID, u16(3)), frame(f.FRAME_ABORT, ID, u16(3))]],
    ["a stream's frame", [requestFrame(ID), frame(f.FRAME_DATA, ID, "x")]],
  ];
  test.each(cases)("%s", (_name, sent) => {
    const worker = serve(() => {});
    worker.say(...sent);
    expect(worker.failure?.message).toMatch(/^malformed frame/);
    expect(worker.killed).toBe(true);
  });

  test("any mutation of a request, and it never throws into the reader", () => {
    const bytes = requestFrame(ID, { headers: rows, body: "hello", method: 3 });
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const mutant = Buffer.from(bytes);
        mutant[at] = value;
        const worker = serve(async (request) => {
          void [request.method, request.target, request.path, request.query, [...request.headers]];
          request.respond(200, {}, await request.readBody());
        });
        worker.say(mutant);
        if (worker.failure !== null) expect(worker.failure.message).toMatch(/^malformed frame/);
      }
    }
  });
});
