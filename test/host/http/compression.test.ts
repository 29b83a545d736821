// compressResponse: what is negotiated, what a compressed answer looks like, and what is never compressed.
import zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import { COMPRESSORS_MAX } from "../../../host/core/limits.js";
import { type ContentCoding, negotiateCoding } from "../../../host/http/compression/acceptencoding.js";
import { HTTPServer, type RequestCallback, type ServerOptions } from "../../../host/index.js";
import { type Answer, exchange, ID, serve } from "../support/exchange.js";
import { frame, idOf, requestFrame, u16, u32, until } from "../support/fakeworker.js";

const PLAIN = { "Content-Type": "text/plain" };
const TEXT = "All the same words, again and again. ".repeat(200);
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Buffer) => Buffer };
const DECODERS: Record<ContentCoding, (bytes: Buffer) => Buffer> = {
  zstd: (bytes) => zstdDecompressSync?.(bytes) as Buffer,
  br: zlib.brotliDecompressSync,
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
};
/** What this Node can compress with, in the order of preference. */
const CODINGS = (["zstd", "br", "gzip", "deflate"] as const).filter(
  (coding) => coding !== "zstd" || zstdDecompressSync !== undefined,
);

function accepting(accept: string | null, method = 1) {
  return { method, headers: accept === null ? [] : ([["accept-encoding", accept]] as [string, string][]) };
}

function answerTo(accept: string | null, handler: RequestCallback, options: ServerOptions = {}): Promise<Answer> {
  return exchange(handler, accepting(accept), { compressResponse: true, ...options });
}

const whole =
  (body: string | Uint8Array, headers: Record<string, string> = PLAIN, status = 200): RequestCallback =>
  (request) =>
    request.respond(status, headers, body);

function decoded({ fields, body }: Answer): string {
  const coding = fields.get("content-encoding");
  return (coding === undefined ? body : DECODERS[coding as ContentCoding](body)).toString();
}

describe("Accept-Encoding", () => {
  test.each<[string | null, ContentCoding | null, boolean]>([
    [null, null, false],
    ["", null, false],
    ["gzip", "gzip", false],
    ["gzip, deflate, br", "br", false],
    ["gzip;q=1.0, br;q=0.5", "gzip", false],
    ["GZIP", "gzip", false],
    ["x-gzip", "gzip", false],
    ["deflate", "deflate", false],
    ["gzip;q=0", null, false],
    ["gzip; q=0.001", "gzip", false],
    ["*", "br", false],
    ["*;q=0", null, true],
    ["br;q=0, *", "zstd", false],
    ["identity", null, false],
    ["gzip, identity", "gzip", false],
    ["gzip;q=0.5, identity;q=0.8", null, false],
    ["gzip;q=0.5, *;q=0.8", "br", false],
    ["identity;q=0", null, true],
    ["gzip, identity;q=0", "gzip", true],
    ["zstd", "zstd", false],
    ["br, zstd;q=0.9", "br", false],
    ["compress", null, false],
    ["gzip;q=2", null, false],
    ["gzip;level=9", null, false],
    ["gzip;q=1;x", null, false],
    [",,gzip,,", "gzip", false],
  ])("%j chooses %j", (header, coding, identityRefused) => {
    expect(negotiateCoding(header, ["br", "zstd", "gzip", "deflate"])).toEqual({ coding, identityRefused });
  });

  test("of those that are offered, in their order", () => {
    expect(negotiateCoding("gzip, br", ["gzip", "br"]).coding).toBe("gzip");
    expect(negotiateCoding("br", ["gzip"]).coding).toBeNull();
  });
});

describe("zstd", () => {
  const all = "gzip, deflate, br, zstd";

  test("is preferred where Node has it, and passed over where it has not", async () => {
    expect((await answerTo(all, whole(TEXT))).fields.get("content-encoding")).toBe(CODINGS[0]);
    const wanted = { compressResponse: { encodings: ["zstd", "gzip"] as const } };
    const [first = "gzip"] = CODINGS.filter((coding) => coding !== "br");
    expect((await answerTo(all, whole(TEXT), wanted)).fields.get("content-encoding")).toBe(first);
  });

  test("alone it is an OptionError without it", async () => {
    const make = () => new HTTPServer(whole(TEXT), { compressResponse: { encodings: ["zstd"] } });
    if (zstdDecompressSync === undefined) expect(make).toThrow("this Node has no zstd");
    else expect(make).not.toThrow();
  });
});

describe("a whole answer", () => {
  test.each(CODINGS)("%s", async (coding) => {
    const answer = await answerTo(coding, whole(TEXT, { ...PLAIN, ETag: '"1"', "Content-Length": `${TEXT.length}` }));
    expect(Object.fromEntries(answer.fields)).toEqual({
      "content-type": "text/plain",
      "content-encoding": coding,
      vary: "Accept-Encoding",
      etag: 'W/"1"',
    });
    expect(answer.body.length).toBeLessThan(TEXT.length / 10);
    expect(decoded(answer)).toBe(TEXT);
  });

  test("a large one is compressed on its way", async () => {
    const large = TEXT.repeat(200);
    const answer = await answerTo("gzip", whole(large));
    expect(answer.contentLength).toBe(-1);
    expect(decoded(answer)).toBe(large);
    const asItIs = await answerTo(null, whole(large));
    expect([asItIs.contentLength, asItIs.fields.get("vary")]).toEqual([large.length, "Accept-Encoding"]);
  });

  test.each<[string, RequestCallback]>([
    ["a short one", whole("x".repeat(1023))],
    ["an empty one", whole("")],
    ["an image", whole(TEXT, { "Content-Type": "image/png" })],
    ["one without a type", whole(TEXT, {})],
    ["one that has a coding", whole(TEXT, { ...PLAIN, "Content-Encoding": "x" })],
    ["a part of one", whole(TEXT, PLAIN, 206)],
    ["one that must not be transformed", whole(TEXT, { ...PLAIN, "Cache-Control": "public, No-Transform" })],
    ["none at all", whole("", PLAIN, 204)],
    ["not modified", whole("", PLAIN, 304)],
  ])("%s goes out as it is, and says that others may not", async (_name, handler) => {
    const answer = await answerTo("gzip", handler);
    expect(answer.fields.get("content-encoding")).not.toBe("gzip");
    expect(answer.fields.get("vary")).toBe("Accept-Encoding");
  });

  test.each([
    "text/html; charset=UTF-8",
    "TEXT/CSS",
    "application/json",
    "application/javascript; x=y",
    "application/xml",
    "application/atom+xml",
    "application/xhtml+xml",
    "image/svg+xml",
  ])("%s is compressed", async (type) => {
    const answer = await answerTo("gzip", whole("x".repeat(1024), { "Content-Type": type }));
    expect(decoded(answer)).toBe("x".repeat(1024));
    expect(answer.fields.get("content-encoding")).toBe("gzip");
  });

  test.each([
    ["Cookie", "Cookie, Accept-Encoding"],
    ["accept-encoding, Cookie", "accept-encoding, Cookie"],
    ["*", "*"],
  ])("Vary: %s becomes %s", async (given, expected) => {
    expect((await answerTo("gzip", whole(TEXT, { ...PLAIN, Vary: given }))).fields.get("vary")).toBe(expected);
  });

  test("is compressed even if it is short when its client wants nothing else", async () => {
    expect(decoded(await answerTo("gzip, identity;q=0", whole("short")))).toBe("short");
  });

  test.each([TEXT, TEXT.repeat(100)])("to HEAD it has the head of GET, and nothing else", async (text) => {
    const options = { compressResponse: true };
    const get = await exchange(whole(text), accepting("br"), options);
    const head = await exchange(whole(text), accepting("br", 2), options);
    expect(head.fields).toEqual(get.fields);
    expect(head.body.length).toBe(0);
    if (head.contentLength >= 0) expect(head.contentLength).toBe(get.body.length);
  });
});

describe("header fields of a compressed answer", () => {
  test("header fields may be pairs that can be taken once", async () => {
    const once = function* (): IterableIterator<[string, string]> {
      yield ["Content-Type", "text/plain"];
      yield ["A", "1"];
    };
    for (const handler of [
      (request) => request.respond(200, once(), TEXT),
      ({ connection }) => {
        connection.writeHeaders(200, once(), TEXT);
        connection.finish();
      },
    ] as RequestCallback[]) {
      const answer = await answerTo("gzip", handler);
      expect([decoded(answer), answer.fields.get("a")]).toEqual([TEXT, "1"]);
    }
  });

  test("several values of a field stay several", async () => {
    const answer = await answerTo("gzip", (request) => {
      request.respond(200, { ...PLAIN, "Set-Cookie": ["a=1", "b=2"] }, TEXT);
    });
    expect(answer.fields.get("set-cookie")).toBe("a=1, b=2");
  });

  test("a wrong Content-Length is found before anything is sent", async () => {
    for (const text of [TEXT, TEXT.repeat(100)]) {
      const answer = await answerTo("gzip", (request) => {
        expect(() => request.respond(200, { ...PLAIN, "Content-Length": 5 }, text)).toThrow(/Content-Length/);
        request.respond(500, {}, "instead");
      });
      expect(answer.status).toBe(500);
    }
  });

  test("no option: no compression, no Vary", async () => {
    const answer = await exchange(whole(TEXT), accepting("gzip"));
    expect([answer.fields.has("vary"), answer.fields.has("content-encoding")]).toEqual([false, false]);
  });
});

describe("an answer bit by bit", () => {
  test("each write arrives before the next", async () => {
    const worker = serve(
      async ({ connection }) => {
        connection.writeHeaders(200, PLAIN);
        await connection.write("one ");
        await connection.write("two ");
        connection.finish();
      },
      { compressResponse: true },
    );
    worker.emit(requestFrame(ID, accepting("gzip")));
    const inflate = zlib.createGunzip();
    let text = "";
    inflate.on("data", (piece) => (text += piece));
    const bodies: Buffer[] = [];
    const step = async (): Promise<void> => {
      for (const { type, payload } of await worker.receivedAnswers())
        if (type === f.FRAME_RESPONSE_BODY) bodies.push(payload);
      const payload = bodies.shift();
      if (payload === undefined) return;
      await new Promise((resolve) => inflate.write(payload, resolve));
      worker.emit(frame(f.FRAME_SENT, ID, u32(payload.length)));
    };
    for (const expected of ["one ", "one two "]) {
      await until(() => text === expected, step);
      expect(text).toBe(expected);
    }
  });

  test.each(CODINGS)("%s", async (coding) => {
    const answer = await answerTo(coding, ({ connection }) => {
      connection.writeHeaders(200, { ...PLAIN, "Content-Length": TEXT.length * 3 }, TEXT);
      connection.write(TEXT);
      connection.write(TEXT);
      connection.finish();
    });
    expect([answer.contentLength, answer.cancelled]).toEqual([-1, false]);
    expect(decoded(answer)).toBe(TEXT.repeat(3));
  });

  test.each([
    ["too few", TEXT.length + 1],
    ["too many", TEXT.length - 1],
  ])("%s bytes for its Content-Length end the connection", async (_name, length) => {
    const answer = await answerTo("gzip", ({ connection }) => {
      connection.writeHeaders(200, { ...PLAIN, "Content-Length": length });
      connection.write(TEXT);
      connection.finish();
    });
    expect(answer.cancelled).toBe(true);
  });

  test("write waits for a slow peer, and what waits is bounded", async () => {
    const noise = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919 * (i % 251)) & 0xff));
    let written = 0;
    const worker = serve(
      async ({ connection }) => {
        connection.writeHeaders(200, PLAIN);
        for (; written < 100; written++) await connection.write(noise);
        connection.finish();
      },
      { compressResponse: true, writeWindow: 16_384 },
    );
    worker.emit(requestFrame(ID, accepting("deflate")));
    for (let turn = 0; turn < 200; turn++) await worker.receivedAnswers();
    expect(written).toBe(0);
    worker.emit(frame(f.FRAME_ABORT, ID, u16(3)));
    for (let turn = 0; turn < 20; turn++) await worker.receivedAnswers();
    expect(worker.log.join()).not.toMatch(/^error/m);
  });

  test("there are so many compressors; further answers go out as they are", async () => {
    const worker = serve(({ connection }) => void connection.writeHeaders(200, PLAIN, TEXT), {
      compressResponse: true,
    });
    const ids = Array.from({ length: COMPRESSORS_MAX + 1 }, (_, slot) => idOf(slot));
    worker.emit(...ids.map((id) => requestFrame(id, accepting("deflate"))));
    const heads = (await worker.receivedAnswers()).filter(({ type }) => type === f.FRAME_RESPONSE);
    const coded = heads.filter(({ payload }) => payload.includes("deflate"));
    expect([heads.length, coded.length]).toEqual([COMPRESSORS_MAX + 1, COMPRESSORS_MAX]);
    worker.emit(...ids.map((id) => frame(f.FRAME_ABORT, id, u16(3))));
    expect((await answerTo("deflate", whole(TEXT.repeat(100)))).fields.get("content-encoding")).toBe("deflate");
  });
});

test.each<[ServerOptions["compressResponse"], RegExp]>([
  [{ encodings: [] }, /encodings/],
  [{ encodings: ["compress" as never] }, /encodings/],
  [{ bytesMin: -1 }, /bytesMin/],
  [{ gzipLevel: 10 }, /gzipLevel/],
  [{ brotliQuality: 12 }, /brotliQuality/],
  [{ zstdLevel: 20 }, /zstdLevel/],
])("the option %j is refused", (compressResponse, message) => {
  expect(() => new HTTPServer(() => {}, { compressResponse })).toThrow(message);
});

test("a header that must not be sent is refused as ever", async () => {
  const answer = await answerTo("gzip", (request) => {
    expect(() => request.respond(200, { A: "b\r\nc" }, TEXT)).toThrow(
      expect.objectContaining({ code: "INVALID_HEADER" }),
    );
    expect(() => request.respond(200, { A: undefined as never }, TEXT)).toThrow(/A has no text/);
    request.respond(200);
  });
  expect(answer.fields.get("vary")).toBe("Accept-Encoding");
});

test("options change what is compressed", async () => {
  const compressResponse = { encodings: ["gzip"] as const, bytesMin: 1, types: ["application/wasm"] };
  const answer = await answerTo("br, gzip", whole("xx", { "Content-Type": "application/wasm" }), { compressResponse });
  expect(answer.fields.get("content-encoding")).toBe("gzip");
});
