// Answers bit by bit, and handlers that fail before, in the middle of and after an answer.
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import type { HTTPServerRequest } from "../../../host/index.js";
import { ID, readResponse, serve } from "../support/exchange.js";
import { type Frame, frame, idOf, requestFrame, u16, u32 } from "../support/fakeworker.js";

const PLAIN = { "Content-Type": "text/plain" };

describe("an answer bit by bit", () => {
  const frameTypes = (frames: Frame[]): number[] => frames.map(({ type }) => type);

  test("is a head, parts and an end", async () => {
    const worker = serve(async ({ connection }) => {
      connection.writeHeaders(200, PLAIN, "one");
      await connection.write("two");
      connection.finish();
    });
    worker.emit(requestFrame(ID));
    const frames = await worker.receivedAnswers();
    expect(readResponse(frames[0])).toMatchObject({ contentLength: -1, flags: 0 });
    expect(frameTypes(frames.slice(1))).toEqual([f.FRAME_RESPONSE_BODY, f.FRAME_RESPONSE_BODY]);
    worker.emit(frame(f.FRAME_SENT, ID, u32(6)));
    expect(frameTypes(await worker.receivedAnswers())).toEqual([f.FRAME_RESPONSE_END]);
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
    worker.emit(requestFrame(ID));
    const frames = await worker.receivedAnswers();
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
    worker.emit(requestFrame(ID, { method: 2 }));
    const frames = await worker.receivedAnswers();
    expect(readResponse(frames[0]).contentLength).toBe(3);
    expect(frames.slice(1).map(({ type, payload }) => [type, payload.length])).toEqual([[f.FRAME_RESPONSE_END, 0]]);
  });

  test("out of order throws", () => {
    const check = (use: (request: HTTPServerRequest) => unknown) => {
      const worker = serve((request) => {
        expect(() => use(request)).toThrow(expect.objectContaining({ code: "HTTP_OUTPUT" }));
      });
      worker.emit(requestFrame(ID));
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

  test("a write rejects when the peer is gone, and the handler need not catch it", async () => {
    let write: Promise<void> | undefined;
    const worker = serve(({ connection, signal }) => {
      connection.writeHeaders(200);
      void connection.write("a");
      write = connection.write("b");
      signal.addEventListener("abort", () => void connection.write("c"));
    });
    worker.emit(requestFrame(ID), frame(f.FRAME_ABORT, ID, u16(3)));
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
    worker.emit(requestFrame(ID, { target: "/x" }));
    const [frame_] = await worker.receivedAnswers();
    expect(readResponse(frame_)).toMatchObject({ status: 500, body: "Internal Server Error" });
    expect(worker.log).toEqual(["error the handler of GET /x failed: Error: broken"]);
  });

  test("after its head ends the connection", async () => {
    const worker = serve(async ({ connection }) => {
      connection.writeHeaders(200);
      throw new Error("broken");
    });
    worker.emit(requestFrame(ID));
    expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_RESPONSE, f.FRAME_CANCEL]);
    worker.emit(frame(f.FRAME_ABORT, ID, u16(1)), requestFrame(idOf(7, 2)));
    expect(worker.failure).toBeNull();
  });

  test("after its answer is only logged", async () => {
    const worker = serve((request) => {
      request.respond(200, {}, "done");
      throw new Error("broken");
    });
    worker.emit(requestFrame(ID));
    expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_RESPONSE]);
    expect(worker.log[0]).toMatch(/broken/);
  });

  test("does not disturb the other requests of its batch", async () => {
    const worker = serve((request) => {
      if (request.target === "/bad") throw new Error("broken");
      request.respond(200, {}, request.target);
    });
    worker.emit(
      requestFrame(idOf(1), { target: "/a" }),
      requestFrame(idOf(2), { target: "/bad" }),
      requestFrame(idOf(3), { target: "/b" }),
    );
    expect((await worker.receivedAnswers()).map((answer) => readResponse(answer).status)).toEqual([200, 500, 200]);
  });
});
