// Bodies of requests: their frames, the credit that the host gives for them, and the signal of a client that leaves.
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import type { HTTPServerRequest } from "../../../host/index.js";
import { ID, readResponse, seen, serve } from "../support/exchange.js";
import { frame, idOf, requestFrame, u16 } from "../support/fakeworker.js";

describe("a body", () => {
  const streaming = { method: 3, flags: 0, contentLength: -1 };

  test("is collected from its frames", async () => {
    const worker = serve(async (request) => request.respond(200, {}, await request.readBody()));
    worker.emit(requestFrame(ID, streaming), frame(f.FRAME_BODY, ID, "one"), frame(f.FRAME_BODY_END, ID, "two"));
    expect(readResponse((await worker.receivedAnswers())[0]).body).toBe("onetwo");
  });

  test("is empty when there is none, and can be read after the answer", async () => {
    const request = seen({});
    request.respond(200);
    expect((await request.readBody()).length).toBe(0);
  });

  test("begins in the REQUEST", async () => {
    const worker = serve(async (request) => request.respond(200, {}, await request.readBody()));
    worker.emit(
      requestFrame(ID, { method: 3, flags: 0, contentLength: 6, body: "one" }),
      frame(f.FRAME_BODY_END, ID, "two"),
    );
    expect(readResponse((await worker.receivedAnswers())[0]).body).toBe("onetwo");
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
    worker.emit(requestFrame(ID, streaming));
    worker.emit(frame(f.FRAME_BODY, ID, "a".repeat(20_000)), frame(f.FRAME_BODY, ID, "b".repeat(20_000)));
    const credits = async (): Promise<number[]> =>
      (await worker.receivedAnswers()).map(({ payload }) => payload.readUInt32LE(0));
    expect(await credits()).toEqual([20_000]);
    expect(taken).toEqual(["a"]);
    next();
    expect(await credits()).toEqual([20_000]);
    worker.emit(frame(f.FRAME_BODY_END, ID, "c"));
    next();
    await worker.received();
    next();
    expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_RESPONSE]);
    expect(taken).toEqual(["a", "b", "c"]);
  });

  test("larger than its reader allows is answered with 413", async () => {
    const worker = serve(async (request) => request.respond(200, {}, await request.readBody(5)));
    worker.emit(requestFrame(ID, streaming), frame(f.FRAME_BODY, ID, "sixsix"));
    expect(readResponse((await worker.receivedAnswers())[0]).status).toBe(413);
    worker.emit(frame(f.FRAME_BODY_END, ID), requestFrame(idOf(7, 2), { method: 3, flags: 0, contentLength: 6 }));
    expect(readResponse((await worker.receivedAnswers())[0]).status).toBe(413);
    expect(worker.failure).toBeNull();
  });

  test("that breaks off rejects, and its handler's failure is no error of its own", async () => {
    const worker = serve(async (request) => request.respond(200, {}, await request.readBody()));
    worker.emit(requestFrame(ID, streaming), frame(f.FRAME_BODY, ID, "one"), frame(f.FRAME_ABORT, ID, u16(3)));
    expect(await worker.receivedAnswers()).toEqual([]);
    expect(worker.log[0]).toMatch(/^debug/);
  });

  test("can be read by one reader at a time", async () => {
    const requests: HTTPServerRequest[] = [];
    const worker = serve((request) => void requests.push(request));
    worker.emit(requestFrame(ID, streaming));
    const first = requests[0].readBody();
    await expect(requests[0].readBody()).rejects.toMatchObject({ code: "ALREADY_READING" });
    worker.emit(frame(f.FRAME_BODY_END, ID, "x"));
    expect((await first).toString()).toBe("x");
  });

  test("left unread is forsaken with the answer", async () => {
    const requests: HTTPServerRequest[] = [];
    const worker = serve((request) => void requests.push(request));
    worker.emit(requestFrame(ID, streaming));
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
    worker.emit(requestFrame(ID, { target: "/early" }), requestFrame(idOf(8)));
    worker.emit(frame(f.FRAME_ABORT, ID, u16(3)), frame(f.FRAME_ABORT, idOf(8), u16(4)));
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
    worker.emit(requestFrame(ID, { target: "/answer" }), frame(f.FRAME_END, ID));
    expect(readResponse((await worker.receivedAnswers())[0]).body).toBe("all the same");
    worker.emit(requestFrame(idOf(8)), frame(f.FRAME_END, idOf(8)), frame(f.FRAME_ABORT, idOf(8), u16(3)));
    worker.emit(requestFrame(idOf(9), { flags: 0, contentLength: 1 }), frame(f.FRAME_BODY_END, idOf(9), "x"));
    worker.emit(frame(f.FRAME_END, idOf(9)));
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
      worker.emit(requestFrame(ID), frame(f.FRAME_END, ID));
      const types: number[] = [];
      while (types.at(-1) !== f.FRAME_CANCEL) types.push(...(await worker.receivedAnswers()).map(({ type }) => type));
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
    worker.emit(requestFrame(ID));
    const { signal } = request.current as HTTPServerRequest;
    worker.bridge.end();
    expect(signal.reason).toMatchObject({ reason: "WORKER" });
  });
});
