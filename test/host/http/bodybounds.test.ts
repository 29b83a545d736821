// setMaxBodySize and setBodyTimeout: bounds for the body of one request, as Tornado's handlers set them.
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import {
  Application,
  HTTPServer,
  type HTTPServerRequest,
  inject,
  RequestHandler,
  type ServerOptions,
} from "../../../host/index.js";
import { collect, ID, serve } from "../support/exchange.js";
import { frame, requestFrame, until } from "../support/fakeworker.js";
import { listening } from "../support/websupport.js";

class Bounded extends RequestHandler<unknown, { maxBytes: number }> {
  override initialize(): void {
    this.request.connection.setMaxBodySize(this.settings.maxBytes);
  }
  override post(): void {
    this.write(String(this.body.length));
  }
}

class Streams extends RequestHandler<unknown, { maxBytes: number }> {
  static override readonly streamRequestBody = true;
  #bytes = 0;
  override prepare(): void {
    this.request.connection.setMaxBodySize(this.settings.maxBytes);
  }
  override dataReceived(chunk: Buffer): void {
    this.#bytes += chunk.length;
  }
  override post(): void {
    this.write(String(this.#bytes));
  }
}

const routes = [
  ["/bounded", Bounded],
  ["/streams", Streams],
] as const;
const { logger } = listening();
const application = (maxBytes: number, server: ServerOptions = {}) =>
  new Application(routes, { maxBytes, server, logger });

describe.each(["/bounded", "/streams"])("setMaxBodySize, %s", (target) => {
  test.each([
    [10, 10, 200],
    [10, 11, 413],
    [0, 0, 200],
    [0, 1, 413],
    [300_000, 300_000, 200],
    [300_000, 300_001, 413],
  ])("of %i, a body of %i bytes: %i", async (maxBytes, bytes, status) => {
    const answer = await application(maxBytes).inject({ method: "POST", target, body: Buffer.alloc(bytes) });
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.text).toBe(String(bytes));
  });

  test("holds for what is inflated, and for one request", async () => {
    const app = application(1000, { decompressRequest: true });
    const headers = { "Content-Encoding": "gzip" };
    const sizes = [1000, 1001, 999];
    const answers = sizes.map((bytes) =>
      app.inject({ method: "POST", target, headers, body: gzipSync(Buffer.alloc(bytes)) }),
    );
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 413, 200]);
  });

  test("beyond the server's bodyBytesMax is refused", async () => {
    expect((await application(11, { bodyBytesMax: 10 }).inject({ method: "POST", target, body: "x" })).status).toBe(
      500,
    );
  });
});

test.each([-1, 1.5, Number.NaN, 0x80000000])("a time of %d ms is none", async (ms) => {
  const server = new HTTPServer((request: HTTPServerRequest) => {
    expect(() => request.connection.setBodyTimeout(ms)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
    if (ms < 0) expect(() => request.connection.setMaxBodySize(ms)).toThrow("bodyBytesMax");
    request.respond(204);
  });
  expect((await inject(server, { method: "POST", body: "x" })).status).toBe(204);
});

describe("setBodyTimeout", () => {
  const CHUNKED = { method: 3, flags: f.REQUEST_KEEP_ALIVE, contentLength: -1 } as const;
  const handler = async (request: HTTPServerRequest) => {
    request.connection.setBodyTimeout(20);
    request.respond(200, {}, await request.readBody());
  };

  test("a body that is not complete by then: 408", async () => {
    const worker = serve(handler);
    worker.emit(requestFrame(ID, CHUNKED), frame(f.FRAME_BODY, ID, "half"));
    let answer: Awaited<ReturnType<typeof collect>> | null = null;
    void collect(worker).then((collected) => {
      answer = collected;
    });
    await until(
      () => answer !== null,
      () => new Promise((resolve) => setImmediate(resolve)),
    );
    expect(answer).toMatchObject({ status: 408, cancelled: false });
  });

  test("one that is complete is answered, however long that takes", async () => {
    const worker = serve(async (request) => {
      await handlerBody(request);
    });
    worker.emit(requestFrame(ID, CHUNKED), frame(f.FRAME_BODY, ID, "half"), frame(f.FRAME_BODY_END, ID, " and half"));
    expect((await collect(worker)).body.toString()).toBe("half and half");
  });

  async function handlerBody(request: HTTPServerRequest): Promise<void> {
    request.connection.setBodyTimeout(1);
    await new Promise((resolve) => setTimeout(resolve, 5)); // longer than the limit, which must not count
    request.respond(200, {}, await request.readBody());
  }
});
