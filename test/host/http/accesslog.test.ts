// One entry for each request, whatever becomes of it; and lines that a request cannot forge.
import { afterEach, describe, expect, test, vi } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import { REASONS } from "../../../host/core/errors.js";
import { LOG_TARGET_CHARS_MAX, WRITE_WINDOW_BYTES_FIRST } from "../../../host/core/limits.js";
import {
  type LineForm,
  lineBytesMax,
  visible,
  jsonLine as writeJson,
  textLine as writeText,
} from "../../../host/http/accessline.js";
import type { AccessEntry } from "../../../host/http/accesslog.js";
import { HTTPServer, type HTTPServerRequest, type RequestCallback } from "../../../host/index.js";
import { FakeWorker, frame, idOf, requestFrame, u16, u32 } from "../support/fakeworker.js";

const ID = idOf(7);

function serve(handler: RequestCallback): { worker: FakeWorker; entries: AccessEntry[] } {
  const entries: AccessEntry[] = [];
  const options = { accessLog: (entry: AccessEntry) => entries.push(entry) };
  const worker = new FakeWorker((logger) => new HTTPServer(handler, { ...options, logger }).acceptor());
  worker.peers.set(9, { address: { address: "192.0.2.1", port: 5, family: "IPv4" }, tls: null });
  return { worker: worker.ready(), entries };
}

async function entriesOf(handler: RequestCallback, parts = {}): Promise<AccessEntry[]> {
  const { worker, entries } = serve(handler);
  worker.emit(requestFrame(ID, parts));
  await worker.received();
  return entries;
}

const abort = (reason: number): Buffer => frame(f.FRAME_ABORT, ID, u16(reason));

describe("an entry", () => {
  test("of an answer that is given at once", async () => {
    const entries = await entriesOf((request) => request.respond(201, {}, "héllo"), { target: "/a?b", descriptor: 9 });
    const ms = expect.toSatisfy(
      (value: number) => value >= 0 && value < 1000 && /^\d+(\.\d{1,3})?$/.test(String(value)),
    );
    expect(entries).toEqual([
      { method: "GET", target: "/a?b", status: 201, bytes: 6, ms, address: "192.0.2.1", aborted: null },
    ]);
  });

  test("of one that takes more than a frame", async () => {
    const { worker, entries } = serve((request) => request.respond(200, {}, "x".repeat(100_000)));
    worker.emit(requestFrame(ID));
    while (entries.length === 0) {
      const frames = await worker.receivedAnswers();
      expect(frames.length).toBeGreaterThan(0);
      if (entries.length === 0) worker.emit(frame(f.FRAME_SENT, ID, u32(WRITE_WINDOW_BYTES_FIRST))); // more of it follows
    }
    const [entry, ...rest] = entries;
    expect(entry).toMatchObject({ status: 200, bytes: 100_000, address: null, aborted: null });
    expect(rest).toEqual([]);
  });

  test("of a stream, when it is finished", async () => {
    const { worker, entries } = serve(async ({ connection }) => {
      connection.writeHeaders(200);
      await connection.write("1234");
      connection.write("56");
      connection.finish();
    });
    worker.emit(requestFrame(ID));
    await worker.received();
    expect(entries).toEqual([]);
    worker.emit(frame(f.FRAME_SENT, ID, u32(4)));
    await worker.received();
    expect(entries).toMatchObject([{ status: 200, bytes: 6, aborted: null }]);
  });

  test("of HEAD, and of an answer without a body, counts none", async () => {
    expect(await entriesOf((request) => request.respond(200, {}, "body"), { method: 2 })).toMatchObject([
      { method: "HEAD", status: 200, bytes: 0 },
    ]);
    expect(await entriesOf((request) => request.respond(304))).toMatchObject([{ status: 304, bytes: 0 }]);
  });
});

describe("an entry of an answer that fails", () => {
  test("of a handler that throws, rejects or sends a wrong head is one of its 500", async () => {
    const fail = (): never => {
      throw new Error("no");
    };
    for (const handler of [fail, async () => fail(), (request: HTTPServerRequest) => request.respond(99)]) {
      expect(await entriesOf(handler)).toMatchObject([{ status: 500, bytes: 21, aborted: null }]);
    }
  });

  test("of a handler that throws in the middle of its answer says so", async () => {
    const entries = await entriesOf(({ connection }) => {
      connection.writeHeaders(200, {}, "begun");
      throw new Error("no");
    });
    expect(entries).toMatchObject([{ status: 200, bytes: 0, aborted: "CLOSED" }]);
  });

  test("of a client that left before there was an answer has no status, whatever the handler does then", async () => {
    const { worker, entries } = serve(async (request) => {
      await request.readBody();
      request.respond(200, {}, "too late");
    });
    worker.emit(requestFrame(ID, { flags: 0, contentLength: 5 }), abort(REASONS.RESET));
    await worker.received();
    expect(entries).toMatchObject([{ status: null, bytes: 0, aborted: "RESET" }]);
  });

  test("of a client that left in the middle counts what had left", async () => {
    const { worker, entries } = serve(({ connection }) => {
      connection.writeHeaders(200);
      connection.write("123456");
    });
    worker.emit(requestFrame(ID), frame(f.FRAME_SENT, ID, u32(4)), abort(REASONS.TIMEOUT));
    await worker.received();
    expect(entries).toMatchObject([{ status: 200, bytes: 4, aborted: "TIMEOUT" }]);
  });

  test("of a worker that ended", async () => {
    const { worker, entries } = serve(() => {});
    worker.emit(requestFrame(ID));
    worker.bridge.end();
    expect(entries).toMatchObject([{ status: null, aborted: "WORKER" }]);
  });

  test("that cannot be logged costs its request nothing", async () => {
    const log = (): never => {
      throw new Error("disk full");
    };
    const worker = new FakeWorker((logger) =>
      new HTTPServer((r) => r.respond(200), { logger, accessLog: log }).acceptor(),
    );
    worker.ready().emit(requestFrame(ID));
    expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_RESPONSE]);
    expect(worker.log).toEqual([expect.stringMatching(/^error the access log failed: Error: disk full/)]);
  });
});

describe("what accessLog may be", () => {
  afterEach(() => vi.unstubAllEnvs());
  const logOf = (accessLog?: never): unknown => new HTTPServer(() => {}, { accessLog }).options.accessLog;

  test("a logger, whose info is called", async () => {
    const lines: unknown[] = [];
    const accessLog = { info: (...line: unknown[]) => lines.push(line) };
    const worker = new FakeWorker((logger) => new HTTPServer((r) => r.respond(204), { logger, accessLog }).acceptor());
    worker.ready().emit(requestFrame(ID));
    expect(lines).toEqual([[expect.objectContaining({ method: "GET", status: 204 }), "request"]]);
  });

  test("nothing, unless the environment names a form, which an option overrides", () => {
    vi.stubEnv("WATERSPOUT_ACCESS_LOG", "");
    expect(logOf()).toBeNull();
    vi.stubEnv("WATERSPOUT_ACCESS_LOG", "json");
    expect(logOf()).toBeTypeOf("function");
    expect(logOf("off" as never)).toBeNull();
    vi.stubEnv("WATERSPOUT_ACCESS_LOG", "xml");
    expect(() => logOf()).toThrow(/accessLog must be .* not xml/);
  });

  test.each([true, 1, {}, null])("not %j", (value) => {
    if (value === null) vi.stubEnv("WATERSPOUT_ACCESS_LOG", "null");
    expect(() => logOf(value as never)).toThrow(/accessLog must be/);
  });
});

const lineBy =
  (write: LineForm) =>
  (entry: AccessEntry, now: number): string => {
    const start = 3;
    const block = Buffer.alloc(start + lineBytesMax(entry));
    const end = write(entry, now, block, start);
    expect(end).toBeLessThanOrEqual(block.length);
    return block.toString("latin1", start, end);
  };
const textLine = lineBy(writeText);
const jsonLine = lineBy(writeJson);

describe("a line", () => {
  const entry: AccessEntry = {
    method: "GET",
    target: "/a?b",
    status: 200,
    bytes: 12,
    ms: 0.25,
    address: "::1",
    aborted: null,
  };
  const now = Date.UTC(2026, 10, 23, 22, 1, 2, 3);

  test("as text", () => {
    expect(textLine(entry, now)).toBe("2026-11-23T22:01:02.003Z ::1 GET /a?b 200 12 0.25ms\n");
    const lost = { ...entry, status: null, address: null, aborted: "RESET" } as const;
    expect(textLine(lost, now + 1)).toBe("2026-11-23T22:01:02.004Z - GET /a?b - 12 0.25ms RESET\n");
  });

  test("as JSON", () => {
    const { aborted, ...rest } = entry;
    expect(JSON.parse(jsonLine(entry, now))).toEqual({ level: 30, time: now, msg: "request", ...rest });
    const lost = { ...entry, status: null, address: null, aborted: "RESET" } as const;
    const rests = { ...lost, target: visible('/"\\\n') };
    expect(JSON.parse(jsonLine(rests, now))).toEqual({ level: 30, time: now, msg: "request", ...rests });
  });

  test("ends with the ids that the request has", () => {
    const named = { ...entry, requestId: visible('a"\\'), traceId: "0af7651916cd43dd8448eb211c80319c" };
    expect(textLine({ ...named, aborted: "RESET" }, now)).toMatch(/ RESET id=a\\x22\\x5c trace=0af7\w+\n$/);
    const { aborted, ...rest } = named;
    expect(JSON.parse(jsonLine(named, now))).toEqual({ level: 30, time: now, msg: "request", ...rest });
  });

  test("has numbers as JavaScript writes them, of any size", () => {
    const bytes = [0, 9, 10, 99, 100, 12_345, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    const ms = [0, 0.001, 0.01, 0.1, 0.12, 0.999, 1, 9.5, 10.25, 1000, 2310.5, 86_400_000.007];
    for (const [index, one] of [...bytes, ...ms].entries()) {
      const numbers = { bytes: bytes[index % bytes.length] as number, ms: ms[index % ms.length] as number };
      const line = textLine({ ...entry, ...numbers }, now + index);
      expect(line, String(one)).toMatch(new RegExp(` 200 ${numbers.bytes} ${numbers.ms}ms\n$`));
      expect(JSON.parse(jsonLine({ ...entry, ...numbers }, now + index))).toMatchObject({
        ...numbers,
        time: now + index,
      });
    }
  });

  test("has room for the longest that may be in it", () => {
    const longest = visible("\\".repeat(LOG_TARGET_CHARS_MAX + 1));
    const most = {
      ...{ method: longest, target: longest, status: 599, bytes: Number.MAX_SAFE_INTEGER, ms: 2 ** 43 },
      ...{ address: "\u{1f600}".repeat(54), aborted: "BUFFER_FULL" as const },
      ...{ requestId: longest, traceId: "f".repeat(32) },
    };
    expect(JSON.parse(jsonLine(most, now))).toMatchObject({ ...most, address: "\\u{1f600}".repeat(54) });
    expect(textLine(most, now)).toMatch(/^\S+( \S+){9}\n$/);
  });

  test("holds nothing of a target but visible ASCII, bounded", () => {
    expect(visible("/a b")).toBe("/a\\x20b");
    expect(visible('/\r\n\t\0\x1b[2J\x7f"\\')).toBe("/\\x0d\\x0a\\x09\\x00\\x1b[2J\\x7f\\x22\\x5c");
    expect(visible("/é\u2028😀")).toBe("/\\xe9\\u{2028}\\u{1f600}");
    const most = "x".repeat(LOG_TARGET_CHARS_MAX);
    expect(visible(most)).toBe(most);
    expect(visible(`${most}x`)).toBe(`${most}...`);
    expect(visible(` ${most.slice(1)}`).length).toBe(LOG_TARGET_CHARS_MAX + 3);
    expect(visible(" ".repeat(1e6)).length).toBe(LOG_TARGET_CHARS_MAX + 3);
  });

  test("is one line with seven fields whatever the target is", async () => {
    for (const target of ["/\r\n2026 - GET /forged 200 0 0ms", "/\u2028x", '/","status":200,"x":"', "/\x1b[31m"]) {
      const [logged] = await entriesOf((request) => request.respond(200), { target });
      const text = textLine(logged, now);
      expect(text).toMatch(/^[!-~]+( [!-~]+){6}\n$/);
      const json = jsonLine(logged, now);
      expect(json).toMatch(/^[ -~]+\n$/);
      expect(Object.keys(JSON.parse(json)).length).toBe(9);
    }
  });
});
