// What handlers hold of bodies, all together: who fits, who is refused, and when there is room again.
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import { HTTPServer, type HTTPServerRequest, type RequestCallback, type ServerOptions } from "../../../host/index.js";
import { FakeWorker, type Frame, frame, idOf, requestFrame, u16 } from "../support/fakeworker.js";

const MAX = 1000;
const CHUNKED = { method: 3, flags: 0, contentLength: -1 };
const FORM = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data; boundary=b";

function serve(handler: RequestCallback, given: ServerOptions = {}): FakeWorker {
  const options = { bodiesBytesMax: MAX, ...given };
  return new FakeWorker((logger) => new HTTPServer(handler, { ...options, logger }).acceptor(), options).ready();
}

/** Reads the body and keeps the request without an answer. */
function keeping(): { worker: FakeWorker; kept: HTTPServerRequest[] } {
  const kept: HTTPServerRequest[] = [];
  const worker = serve(async (request) => {
    await request.readBody();
    kept.push(request);
    await new Promise(() => {});
  });
  return { worker, kept };
}

function post(worker: FakeWorker, slot: number, body: string, type = "text/plain"): void {
  worker.emit(requestFrame(idOf(slot), { ...CHUNKED, headers: [["content-type", type]] }));
  worker.emit(frame(f.FRAME_BODY, idOf(slot), body), frame(f.FRAME_BODY_END, idOf(slot)));
}

const statusOf = ({ payload }: Frame): number => payload.readUInt16LE(0);
const statuses = async (worker: FakeWorker): Promise<number[]> =>
  (await worker.receivedAnswers()).filter(({ type }) => type === f.FRAME_RESPONSE).map(statusOf);

describe("bodies that handlers hold", () => {
  test("up to bodiesBytesMax; the one that does not fit is answered with 503, until another has been answered", async () => {
    const { worker, kept } = keeping();
    post(worker, 1, "x".repeat(600));
    post(worker, 2, "x".repeat(400));
    expect(await statuses(worker)).toEqual([]);
    expect(kept.length).toBe(2);
    post(worker, 3, "x");
    const [refused] = (await worker.receivedAnswers()).filter(({ type }) => type === f.FRAME_RESPONSE);
    expect(statusOf(refused)).toBe(503);
    expect(refused.payload.toString("latin1")).toContain("Retry-After1");
    kept[1].respond(204);
    post(worker, 4, "x".repeat(400));
    expect(await statuses(worker)).toEqual([204]);
    post(worker, 5, "x");
    expect(await statuses(worker)).toEqual([503]);
    worker.emit(frame(f.FRAME_ABORT, idOf(1), u16(3))); // its client has left
    post(worker, 6, "x".repeat(600));
    expect(await statuses(worker)).toEqual([]);
    expect(kept.length).toBe(4);
    for (const request of kept) if (request.gone === null && !request.finished) request.respond(204);
  });

  test("of several that grow at the same time only as many are refused as do not fit", async () => {
    const { worker, kept } = keeping();
    const slots = [1, 2, 3, 4];
    for (const slot of slots) worker.emit(requestFrame(idOf(slot), CHUNKED));
    worker.emit(...slots.map((slot) => frame(f.FRAME_BODY, idOf(slot), "x".repeat(240))));
    expect(await statuses(worker)).toEqual([]);
    worker.emit(...slots.map((slot) => frame(f.FRAME_BODY, idOf(slot), "x".repeat(100))));
    expect(await statuses(worker)).toEqual([503, 503]);
    worker.emit(frame(f.FRAME_BODY_END, idOf(2)), frame(f.FRAME_BODY_END, idOf(3)));
    await worker.received();
    expect(kept.length).toBe(2);
    for (const request of kept) request.respond(204);
  });

  test("one that is too large for all of it: 413", async () => {
    const { worker } = keeping();
    post(worker, 1, "x".repeat(MAX + 1));
    expect(await statuses(worker)).toEqual([413]);
    post(worker, 2, "x".repeat(MAX));
    expect(await statuses(worker)).toEqual([]);
    worker.emit(frame(f.FRAME_ABORT, idOf(2), u16(3)));
  });

  test("the error has a code, and a handler may catch it", async () => {
    const codes: unknown[] = [];
    const worker = serve(async (request) => {
      const error = await request.readBody().catch((reason: unknown) => reason);
      codes.push((error as { code?: unknown }).code);
      if (codes.length > 1) request.respond(429);
      else await new Promise(() => {});
    });
    post(worker, 1, "x".repeat(MAX));
    expect(await statuses(worker)).toEqual([]);
    post(worker, 2, "x");
    expect(await statuses(worker)).toEqual([429]);
    expect(codes).toEqual([undefined, "BODIES_FULL"]);
    worker.emit(frame(f.FRAME_ABORT, idOf(1), u16(3)));
  });

  test("block by block they do not count", async () => {
    const worker = serve(async (request) => {
      let bytes = 0;
      for await (const block of request.body) bytes += block.length;
      request.respond(200, {}, String(bytes));
    });
    for (let slot = 1; slot <= 5; slot++) post(worker, slot, "x".repeat(MAX * 2));
    expect(await statuses(worker)).toEqual([200, 200, 200, 200, 200]);
  });

  test.each([
    ["a form", FORM, (size: number) => `a=${"x".repeat(size - 2)}`],
    [
      "the text of a multipart one",
      MULTIPART,
      (size: number) => `--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n${"x".repeat(size)}\r\n--b--\r\n`,
    ],
  ])("%s counts", async (_name, type, bodyOf) => {
    const ends: (() => void)[] = [];
    const worker = serve(async (request) => {
      await request.readForm();
      await new Promise<void>((resolve) => ends.push(resolve));
      request.respond(204);
    });
    post(worker, 1, bodyOf(MAX), type);
    expect(await statuses(worker)).toEqual([]);
    post(worker, 2, bodyOf(10), type);
    expect(await statuses(worker)).toEqual([503]);
    ends[0]();
    expect(await statuses(worker)).toEqual([204]);
    post(worker, 3, bodyOf(MAX), type);
    expect(await statuses(worker)).toEqual([]);
    ends[1]();
    expect(await statuses(worker)).toEqual([204]);
  });
});
