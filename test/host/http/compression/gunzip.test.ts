// decompressRequest: bodies that come as gzip, whole, cut anywhere, damaged, and much larger than they look.
import { randomBytes } from "node:crypto";
import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";

import * as f from "../../../../host/bridge/frames.js";
import {
  Application,
  type HTTPServerRequest,
  type RequestCallback,
  RequestHandler,
  type ServerOptions,
} from "../../../../host/index.js";
import { type Answer, collect, exchange, ID, serve } from "../../support/exchange.js";
import { frame, requestFrame, u16, until } from "../../support/fakeworker.js";

const GZIP: [string, string][] = [["Content-Encoding", "gzip"]];
const TEXT = "field=value&".repeat(50);

/** Sends a body in pieces; the handler answers with all of what it reads. */
async function echo(pieces: Buffer[], options: ServerOptions = {}, headers = GZIP): Promise<Answer> {
  const worker = serve(async (request) => request.respond(200, {}, await request.readBody()), {
    decompressRequest: true,
    ...options,
  });
  worker.emit(requestFrame(ID, { method: 3, flags: 0, contentLength: -1, headers }));
  const parts = pieces.filter(({ length }) => length > 0);
  worker.emit(...parts.map((piece) => frame(f.FRAME_BODY, ID, piece)), frame(f.FRAME_BODY_END, ID));
  const answer = await collect(worker);
  if (worker.failure !== null) throw worker.failure;
  return answer;
}

describe("a body", () => {
  test("is inflated", async () => {
    expect((await echo([gzipSync(TEXT)])).body.toString()).toBe(TEXT);
    expect((await echo([gzipSync(TEXT)], {}, [["content-encoding", "X-GZIP"]])).body.toString()).toBe(TEXT);
    expect((await echo([gzipSync("")])).body.toString()).toBe("");
  });

  test("of no bytes is no gzip, which a request without a body need not be", async () => {
    expect((await echo([])).status).toBe(400);
    class Empty extends RequestHandler {
      override post(): void {}
    }
    const application = new Application([["/", Empty]]);
    const reading = async (request: HTTPServerRequest) => request.respond(200, {}, await request.readBody());
    for (const handler of [reading, application] as RequestCallback[]) {
      const ask = (headers: [string, string][]) =>
        exchange(handler, { method: 3, contentLength: 0, headers }, { decompressRequest: true });
      expect((await ask(GZIP)).status).toBe(200);
      expect((await ask([...GZIP, ["content-length", "0"]])).status).toBe(400);
    }
  });

  test("of several members is one", async () => {
    const members = Buffer.concat([gzipSync("one "), gzipSync("two "), gzipSync("three")]);
    expect((await echo([members])).body.toString()).toBe("one two three");
  });

  test("may be cut anywhere", async () => {
    const bytes = Buffer.concat([gzipSync("one "), gzipSync("two")]);
    for (let at = 0; at <= bytes.length; at++) {
      expect((await echo([bytes.subarray(0, at), bytes.subarray(at)])).body.toString(), `cut at ${at}`).toBe("one two");
    }
    const single = Array.from(bytes, (byte) => Buffer.from([byte]));
    expect((await echo(single)).body.toString()).toBe("one two");
  });

  test("that ends too early is refused, wherever it ends", async () => {
    const bytes = gzipSync("one two");
    for (let at = 1; at < bytes.length; at++) {
      expect((await echo([bytes.subarray(0, at)])).status, `ends at ${at}`).toBe(400);
    }
  });

  const good = gzipSync(TEXT);
  const badSum = Buffer.from(good);
  badSum[badSum.length - 8] ^= 1;
  test.each([
    ["garbage", [Buffer.from("this is no gzip at all")]],
    ["deflate", [deflateSync(TEXT)]],
    ["a wrong checksum", [badSum]],
    ["garbage behind it", [Buffer.concat([good, Buffer.from("garbage")])]],
    ["garbage behind it, in a piece of its own", [good, Buffer.from("garbage")]],
  ])("%s is refused", async (_name, pieces) => {
    expect((await echo(pieces)).status).toBe(400);
  });
});

describe("a body at its bound", () => {
  test("may become as large as any body, and no larger", async () => {
    const zeros = gzipSync(Buffer.alloc(100_000));
    expect((await echo([zeros], { bodyBytesMax: 100_000 })).body.length).toBe(100_000);
    expect((await echo([zeros], { bodyBytesMax: 99_999 })).status).toBe(413);
  });

  test("may become no larger for a handler that iterates either", async () => {
    for (const [bodyBytesMax, status] of [
      [100_000, 200],
      [99_999, 413],
    ]) {
      const worker = serve(
        async (request) => {
          for await (const block of request.body) expect(block.length).toBeGreaterThan(0);
          request.respond(200);
        },
        { decompressRequest: true, bodyBytesMax },
      );
      const body = gzipSync(Buffer.alloc(100_000)).toString("latin1");
      worker.emit(requestFrame(ID, { method: 3, headers: GZIP, body }));
      expect((await collect(worker)).status).toBe(status);
    }
  });

  test("that would become huge is given up long before", async () => {
    const before = process.memoryUsage().rss;
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    const pieces = Array.from({ length: Math.ceil(bomb.length / 16_384) }, (_, i) =>
      bomb.subarray(i * 16_384, (i + 1) * 16_384),
    );
    expect((await echo(pieces, { bodyBytesMax: 1 << 20 })).status).toBe(413);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  });

  test("is read with the reader's own bound", async () => {
    const worker = serve(async (request) => request.respond(200, {}, await request.readBody(10)), {
      decompressRequest: true,
    });
    worker.emit(requestFrame(ID, { method: 3, headers: GZIP, body: gzipSync("x".repeat(11)).toString("latin1") }));
    expect((await collect(worker)).status).toBe(413);
  });
});

describe("a body that its handler does not read", () => {
  test("that its handler does not read to the end disturbs no other request", async () => {
    const worker = serve(
      async (request) => {
        for await (const block of request.body) {
          request.respond(200, {}, String(block.length > 0));
          break;
        }
      },
      { decompressRequest: true },
    );
    worker.emit(requestFrame(ID, { method: 3, flags: 0, contentLength: -1, headers: GZIP }));
    worker.emit(frame(f.FRAME_BODY, ID, gzipSync(Buffer.alloc(1 << 20)).subarray(0, 1000)));
    expect((await collect(worker)).body.toString()).toBe("true");
    for (let turn = 0; turn < 20; turn++) await worker.received();
    expect(worker.log).toEqual([]);
  });

  test("is not inflated ahead of its reader", async () => {
    const worker = serve(
      async (request) => {
        for await (const block of request.body) if (block.length > 0) await new Promise(() => {});
      },
      { decompressRequest: true, bodyWindow: 16_384 },
    );
    worker.emit(requestFrame(ID, { method: 3, flags: 0, contentLength: -1, headers: GZIP }));
    const bytes = gzipSync(randomBytes(200_000));
    let sent = 0;
    for (let credit = 16_384, turn = 0; turn < 200; turn++) {
      const piece = bytes.subarray(sent, sent + credit);
      if (piece.length > 0) worker.emit(frame(f.FRAME_BODY, ID, piece));
      sent += piece.length;
      const given = (await worker.receivedAnswers()).filter(({ type }) => type === f.FRAME_BODY_CREDIT);
      credit = given.reduce((sum, { payload }) => sum + payload.readUInt32LE(0), 0);
    }
    expect(sent).toBeLessThan(120_000);
  });

  test("whose peer leaves is an error, not an end", async () => {
    let failure: unknown;
    const worker = serve(
      async (request) => {
        failure = await request.readBody().catch((error) => error);
      },
      { decompressRequest: true },
    );
    worker.emit(requestFrame(ID, { method: 3, flags: 0, contentLength: -1, headers: GZIP }));
    worker.emit(frame(f.FRAME_BODY, ID, gzipSync(TEXT).subarray(0, 20)));
    await worker.received();
    worker.emit(frame(f.FRAME_ABORT, ID, u16(3)));
    await until(
      () => failure !== undefined,
      () => worker.received(),
    );
    expect(failure).toMatchObject({ code: "STREAM_CLOSED", reason: "RESET" });
  });
});

describe("the head", () => {
  const headOf = async (headers: [string, string][], options: ServerOptions): Promise<[string, string][]> => {
    let request: HTTPServerRequest | undefined;
    const worker = serve((given) => void (request = given), options);
    worker.emit(requestFrame(ID, { headers }));
    return [...(request as HTTPServerRequest).headers];
  };

  test("tells that a coding was taken away, and a client's own field cannot", async () => {
    const headers: [string, string][] = [
      ["content-encoding", "gzip"],
      ["x-consumed-content-encoding", "br"],
    ];
    expect(await headOf(headers, { decompressRequest: true })).toEqual([["x-consumed-content-encoding", "gzip"]]);
    expect(await headOf(headers, {})).toEqual(headers);
  });

  test("keeps other codings, whose bodies are left alone", async () => {
    for (const coding of ["br", "gzip, gzip"]) {
      const headers: [string, string][] = [["content-encoding", coding]];
      expect(await headOf(headers, { decompressRequest: true })).toEqual(headers);
      expect((await echo([Buffer.from("as it is")], {}, headers)).body.toString()).toBe("as it is");
    }
  });
});

test("without the option the body is what came", async () => {
  const bytes = gzipSync(TEXT);
  expect((await echo([bytes], { decompressRequest: false })).body).toEqual(bytes);
});
