// Bodies that wait to be asked for (Expect: 100-continue) and what comes behind a body (trailers), over a scripted
// sandbox.
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import { HTTPServer, type RequestCallback } from "../../../host/index.js";
import { FakeWorker, type Frame, frame, idOf, requestFrame, u16, u32 } from "../support/fakeworker.js";

const ID = idOf(7);
const WINDOW = 20_000;
const CHUNKED = { method: 3, flags: 0, contentLength: -1 };
const ASKING = { method: 3, flags: f.REQUEST_EXPECT, contentLength: 3 };

function serve(handler: RequestCallback): FakeWorker {
  const options = { bodyWindow: WINDOW };
  return new FakeWorker((logger) => new HTTPServer(handler, { ...options, logger }).acceptor(), options).ready();
}

function trailers(...fields: [string, string][]): Buffer {
  const sizes = u16(fields.length, 0, ...fields.flatMap(([name, value]) => [name.length, value.length]));
  return frame(f.FRAME_TRAILERS, ID, Buffer.concat([sizes, Buffer.from(fields.flat().join(""), "latin1")]));
}

const bodyOf = ({ payload }: Frame): string => payload.toString("latin1", f.RESPONSE_BYTES);

describe("a body that waits", () => {
  test("is asked for by the first read, once, with the whole window", async () => {
    let read = (): void => {};
    const worker = serve(async (request) => {
      await new Promise<void>((resolve) => {
        read = resolve;
      });
      request.respond(200, {}, await request.readBody());
    });
    worker.emit(requestFrame(ID, ASKING));
    expect(await worker.receivedAnswers()).toEqual([]);
    read();
    const credits = await worker.receivedAnswers();
    expect(credits).toMatchObject([{ type: f.FRAME_BODY_CREDIT, id: ID, payload: u32(WINDOW) }]);
    worker.emit(frame(f.FRAME_BODY, ID, "ab"), frame(f.FRAME_BODY_END, ID, "c"));
    const answers = await worker.receivedAnswers();
    expect(answers.map(({ type }) => type)).toEqual([f.FRAME_RESPONSE]);
    expect(bodyOf(answers[0])).toBe("abc");
  });

  test("is never asked for when the answer comes without it, or when it would be too large", async () => {
    for (const handler of [
      (request) => request.respond(403),
      async (request) => request.respond(200, {}, await request.readBody(2)),
    ] satisfies RequestCallback[]) {
      const worker = serve(handler);
      worker.emit(requestFrame(ID, ASKING));
      expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_RESPONSE]);
    }
  });

  test("has its window, and not a byte more", async () => {
    const worker = serve((request) => {
      void request.readBody();
    });
    worker.emit(requestFrame(ID, { ...CHUNKED, flags: f.REQUEST_EXPECT }));
    worker.emit(frame(f.FRAME_BODY, ID, "x".repeat(WINDOW)));
    expect(worker.failure).toBeNull();
    const silent = serve(() => {});
    silent.emit(requestFrame(ID, { ...CHUNKED, flags: f.REQUEST_EXPECT }));
    silent.emit(frame(f.FRAME_BODY, ID, "x"));
    expect(silent.failure?.message).toMatch(/^malformed frame/);
  });
});

describe("trailers", () => {
  test("are there when all of the body has come, and empty before", async () => {
    const seen: unknown[] = [];
    const worker = serve(async (request) => {
      seen.push([...request.trailers]);
      await request.readBody();
      seen.push([...request.trailers], request.trailers.get("X-Sum"));
      request.respond(204);
    });
    worker.emit(requestFrame(ID, CHUNKED), frame(f.FRAME_BODY, ID, "abc"));
    worker.emit(trailers(["x-sum", "12"], ["x-latin", "\xe9"], ["x-empty", ""]), frame(f.FRAME_BODY_END, ID));
    await worker.receivedAnswers();
    const all = [
      ["x-sum", "12"],
      ["x-latin", "\xe9"],
      ["x-empty", ""],
    ];
    expect(seen).toEqual([[], all, "12"]);
    expect(worker.failure).toBeNull();
  });

  test("of a request that was answered meanwhile are dropped", async () => {
    const worker = serve((request) => request.respond(200));
    worker.emit(requestFrame(ID, CHUNKED), trailers(["a", "b"]), frame(f.FRAME_BODY_END, ID));
    await worker.receivedAnswers();
    expect(worker.failure).toBeNull();
  });

  test.each<[string, Buffer[]]>([
    ["twice", [requestFrame(ID, CHUNKED), trailers(["a", "b"]), trailers(["a", "b"])]],
    ["behind the end", [requestFrame(ID, CHUNKED), frame(f.FRAME_BODY_END, ID), trailers(["a", "b"])]],
    ["of a body of known length", [requestFrame(ID, { ...CHUNKED, contentLength: 3 }), trailers(["a", "b"])]],
    ["of a complete request", [requestFrame(ID), trailers(["a", "b"])]],
    ["without rows", [requestFrame(ID, CHUNKED), trailers()]],
    ["cut short", [requestFrame(ID, CHUNKED), frame(f.FRAME_TRAILERS, ID, u16(1))]],
    ["more rows than there are", [requestFrame(ID, CHUNKED), frame(f.FRAME_TRAILERS, ID, u16(2, 0, 1, 0))]],
    ["texts longer than it is", [requestFrame(ID, CHUNKED), frame(f.FRAME_TRAILERS, ID, u16(1, 0, 1, 0))]],
    [
      "more than its texts",
      [requestFrame(ID, CHUNKED), frame(f.FRAME_TRAILERS, ID, Buffer.concat([u16(1, 0, 1, 0), Buffer.from("abc")]))],
    ],
    ["for no body", [trailers(["a", "b"])]],
    ["a body that waits and is complete", [requestFrame(ID, { ...ASKING, flags: f.REQUEST_EXPECT | 2, body: "abc" })]],
  ])("%s: are not believed", (_name, frames) => {
    const worker = serve(() => {});
    worker.emit(...frames);
    expect(worker.failure?.message).toMatch(/^malformed frame/);
    expect(worker.killed).toBe(true);
  });
});
