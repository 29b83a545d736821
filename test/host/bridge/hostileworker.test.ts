// A worker that an attacker controls: what it can make the host hold, log and answer has a bound, and other workers
// do not notice.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import {
  CONNECTIONS_MAX,
  FIELDS_MAX,
  HELD_BYTES_MAX,
  QUESTIONS_MAX,
  REFUSAL_REFILL_MS,
  REFUSALS_MAX,
  UNTAKEN_BYTES_MAX,
  WORKER_LINE_REFILL_MS,
  WORKER_LINES_MAX,
} from "../../../host/core/limits.js";
import { HTTPServer, type IOStream, TCPServer } from "../../../host/index.js";
import { FakeWorker, frame, idOf, request, requestFrame, u16, u32 } from "../support/fakeworker.js";
import { HANDSHAKE, serve as serveWebSockets } from "../support/websocketsupport.js";

const ID = idOf(3);
/** A request whose handler never answers, and whose head is as large as a frame. */
const LARGE = request({
  headers: [
    ["x", "y".repeat(60_000)],
    ["z", "y".repeat(65_000)],
  ],
  target: "/".repeat(6000),
});
const HOLDERS = Math.floor(HELD_BYTES_MAX / LARGE.length);

let seen: number;

function start(options = {}): FakeWorker {
  const kept: unknown[] = [];
  seen = 0;
  const run = (request: unknown): void => {
    seen++;
    kept.push(request); // what is collected is answered with 500
  };
  return new FakeWorker((logger) => new HTTPServer(run, { ...options, logger }).acceptor(), options).ready();
}

/** The same payload in many frames, without a copy of it for each. */
function say(worker: FakeWorker, type: number, id: number, payload: Buffer): void {
  worker.bridge.frame(type, id, payload, 0, payload.length);
}

describe("open ids", () => {
  test.each([
    ["as many as configured", { connectionsMax: 5 }, 5],
    ["as many as a worker can have", {}, CONNECTIONS_MAX],
  ])("%s, and not one more", (_, options, max) => {
    const worker = start(options);
    worker.emit(...Array.from({ length: max }, (_, slot) => requestFrame(idOf(slot))));
    expect([seen, worker.failure]).toEqual([max, null]);
    worker.emit(requestFrame(idOf(max)));
    expect(worker.failure?.message).toMatch(/^malformed frame from the sandbox: slot/);
    expect(worker.bridge.lost).toBe(`${max} requests`);
  });
});

describe("what handlers do not take", () => {
  test("is held up to the bound; beyond it who has most is answered with 503, and the worker goes on", async () => {
    const worker = start();
    const other = start();
    const startedMs = performance.now();
    for (let slot = 0; slot < HOLDERS; slot++) say(worker, f.FRAME_REQUEST, idOf(slot), LARGE);
    expect((await worker.receivedAnswers()).length).toBe(0);
    for (let round = 0; round < 3000; round++) say(worker, f.FRAME_REQUEST, idOf(HOLDERS + round), LARGE);
    const answers = await worker.receivedAnswers();
    expect(answers.map(({ type, payload }) => [type, payload.readUInt16LE(0), payload[2]])).toEqual(
      Array(3000).fill([f.FRAME_RESPONSE, 503, f.RESPONSE_LAST | f.RESPONSE_CLOSE]),
    );
    const lines = worker.log.filter((line) => line.includes("256 MiB: a request was given up"));
    expect(lines.length).toBeGreaterThan(0);
    const secondsLong = (performance.now() - startedMs) / 1000;
    expect(lines.length, "one line a second").toBeLessThanOrEqual(1 + secondsLong);
    expect([worker.failure, other.failure, other.log]).toEqual([null, null, []]);
    worker.emit(frame(f.FRAME_BODY, answers[0].id, "crossed"), frame(f.FRAME_ABORT, answers[0].id, u16(1)));
    expect(worker.failure).toBe(null);
  });

  test("a body is held until its handler reads it; one that does not is answered with 503", async () => {
    const options = { bodyWindow: HELD_BYTES_MAX, bodyBytesMax: 2 ** 40 };
    const waiting: { readBody(): Promise<Buffer>; signal: AbortSignal }[] = [];
    const worker = new FakeWorker((logger) => {
      return new HTTPServer((request) => void waiting.push(request), { ...options, logger }).acceptor();
    }, options).ready();
    worker.emit(requestFrame(ID, { method: 3, flags: 0, contentLength: -1 }));
    worker.emit(requestFrame(idOf(4)));
    const piece = Buffer.alloc(1 << 17);
    for (let bytes = 0; bytes < HELD_BYTES_MAX - piece.length; bytes += piece.length)
      say(worker, f.FRAME_BODY, ID, piece);
    expect(await worker.receivedAnswers()).toEqual([]);
    say(worker, f.FRAME_BODY, ID, piece);
    const answers = await worker.receivedAnswers();
    expect(answers.map(({ type, id, payload }) => [type, id, payload.readUInt16LE(0)])).toEqual([
      [f.FRAME_RESPONSE, ID, 503],
    ]);
    expect(waiting.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    await expect(waiting[0].readBody()).rejects.toMatchObject({ code: "STREAM_CLOSED", reason: "BUFFER_FULL" });
    expect(worker.failure).toBe(null);
  });

  test("what is read is not held any more", async () => {
    let bytes = 0;
    const worker = new FakeWorker(
      (logger) => {
        return new HTTPServer(
          async (request) => {
            for await (const block of request.body) bytes += block.length;
            request.respond(200);
          },
          { logger, bodyBytesMax: 2 ** 40 },
        ).acceptor();
      },
      { bodyBytesMax: 2 ** 40 },
    ).ready();
    worker.emit(requestFrame(ID, { method: 3, flags: 0, contentLength: -1 }));
    const piece = Buffer.alloc(1 << 17);
    for (let sent = 0; sent < HELD_BYTES_MAX * 1.5; sent += piece.length) {
      say(worker, f.FRAME_BODY, ID, piece);
      if (sent % (1 << 18) !== 0) await new Promise((resolve) => setImmediate(resolve));
    }
    worker.emit(frame(f.FRAME_BODY_END, ID));
    await vi.waitFor(() => expect(bytes).toBe(HELD_BYTES_MAX * 1.5));
    expect([worker.failure, worker.log]).toEqual([null, []]);
  });
});

describe("what handlers of streams and websockets do not take", () => {
  test("parts of messages are held, too: 26 websockets do not keep 260 MiB, and the largest is closed with 1013", async () => {
    const { worker, handlers } = serveWebSockets();
    const handshake = request({ flags: f.REQUEST_END | f.REQUEST_WEBSOCKET, headers: HANDSHAKE });
    const piece = Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.alloc(1 << 16)]);
    for (let slot = 0; slot < 26; slot++) {
      say(worker, f.FRAME_REQUEST, idOf(slot), handshake);
      for (let pieces = 0; pieces < 159; pieces++) say(worker, f.FRAME_WS_DATA, idOf(slot), piece);
    }
    const closes = (await worker.receivedAnswers()).filter(({ type }) => type === f.FRAME_WS_CLOSE);
    expect(closes.map(({ payload }) => payload.readUInt16LE(0))).toEqual([1013]);
    expect(worker.failure).toBe(null);
    // A message that is complete is the handler's, and makes room.
    const [closed] = closes.map(({ id }) => id);
    const open = idOf(closed === idOf(0) ? 1 : 0);
    say(worker, f.FRAME_WS_DATA, open, Buffer.from([2, f.WS_LAST, 0, 0]));
    expect(
      handlers
        .flatMap(({ notes }) => notes)
        .filter(Buffer.isBuffer)
        .map(({ length }) => length),
    ).toEqual([159 << 16]);
  });

  test("a websocket that is closed and goes on is ended", async () => {
    const options = { bodyWindow: HELD_BYTES_MAX * 2 };
    const { worker } = serveWebSockets(
      (handler) => {
        handler.answer = () => new Promise(() => {});
      },
      {},
      options,
    );
    const headers = [...HANDSHAKE, ["x", "y".repeat(60_000)] as [string, string]];
    const handshake = request({ flags: f.REQUEST_END | f.REQUEST_WEBSOCKET, headers });
    for (let slot = 0; slot < HELD_BYTES_MAX / 60_000; slot++) say(worker, f.FRAME_REQUEST, idOf(slot), handshake);
    const said = (await worker.receivedAnswers()).map(({ type }) => type);
    const count = (type: number): number => said.filter((each) => each === type).length;
    expect(count(f.FRAME_WS_CLOSE)).toBeGreaterThan(0);
    expect(count(f.FRAME_CANCEL)).toBeGreaterThan(0);
    expect(worker.failure).toBe(null);
  });

  test("the parts of a read are held until it is complete; beyond the bound its stream is closed", async () => {
    const failures: unknown[] = [];
    class Reading extends TCPServer {
      override async handleStream(stream: IOStream): Promise<void> {
        await stream.readBytes(16 << 20).catch((error) => failures.push(error.code));
        await stream.readBytes(1).catch(() => {});
      }
    }
    const worker = new FakeWorker((logger) => new Reading({ logger }).acceptor()).ready();
    const piece = Buffer.alloc(1 << 16);
    const bring = (slot: number, type: number): void => {
      worker.emit(frame(f.FRAME_OPEN, idOf(slot), u32(0, 0)));
      for (let pieces = 0; pieces < 255; pieces++) say(worker, f.FRAME_DATA, idOf(slot), piece);
      say(worker, type, idOf(slot), piece);
    };
    for (let slot = 0; slot < 40; slot++) bring(slot, f.FRAME_DATA_END); // complete: nothing is held
    expect(worker.log).toEqual([]);
    for (let slot = 40; slot < 56; slot++) bring(slot, f.FRAME_DATA);
    await worker.received();
    expect(failures).toEqual(["STREAM_BUFFER_FULL"]);
    expect(worker.failure).toBe(null);
  });
});

describe("what a worker tells", () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => vi.useRealTimers());

  const REFUSED = frame(
    f.FRAME_REFUSED,
    0,
    Buffer.concat([u16(400, 0), u32(0), Buffer.alloc(20), Buffer.from("A header line has no colon")]),
  );

  test("are so many refusals, and then as many as its sandbox may tell", () => {
    const worker = start();
    worker.emit(...Array(REFUSALS_MAX).fill(REFUSED));
    for (let time = 0; time < 100; time++) {
      vi.advanceTimersByTime(REFUSAL_REFILL_MS);
      worker.emit(REFUSED);
    }
    expect(worker.failure).toBe(null);
    worker.emit(REFUSED);
    expect(worker.failure?.message).toMatch(/too many REFUSED/);
    expect(worker.log.length).toBe(REFUSALS_MAX + 100);
  });

  test("are so many lines, and then one a second", () => {
    const { bridge } = start();
    const takes = (times: number): number =>
      Array.from({ length: times }, () => bridge.takeLine()).filter(Boolean).length;
    expect(takes(WORKER_LINES_MAX)).toBe(WORKER_LINES_MAX);
    vi.advanceTimersByTime(WORKER_LINE_REFILL_MS);
    expect([takes(1), bridge.over]).toEqual([1, false]);
    expect([takes(5), bridge.over]).toEqual([0, true]);
  });
});

test("a worker that sends and takes nothing is ended", () => {
  const worker = start();
  vi.spyOn(worker, "send").mockImplementation(() => {});
  let waiting = UNTAKEN_BYTES_MAX;
  vi.spyOn(worker.bridge.writer, "waiting", "get").mockImplementation(() => waiting);
  worker.bridge.receive(frame(f.FRAME_MARK, 2));
  expect(worker.failure).toBe(null);
  waiting++;
  worker.bridge.receive(frame(f.FRAME_MARK, 3));
  expect(worker.failure?.message).toMatch(/takes nothing/);
});

test("a worker that answers no question is not asked without end", async () => {
  const worker = start();
  const asked = Array.from({ length: QUESTIONS_MAX }, () => worker.bridge.stats());
  expect(await worker.bridge.stats()).toBe(null);
  const heard = (await worker.received()).filter(({ type }) => type === f.FRAME_GET_STATS);
  expect(heard.length).toBe(QUESTIONS_MAX);
  worker.bridge.end();
  expect(await Promise.all(asked)).toEqual(Array(QUESTIONS_MAX).fill(null));
});

describe("a request", () => {
  const fields = (count: number): [string, string][] => Array.from({ length: count }, () => ["a", "b"]);

  test("has as many fields as the sandbox takes", () => {
    const worker = start();
    worker.emit(requestFrame(ID, { headers: fields(FIELDS_MAX) }));
    expect(worker.failure).toBe(null);
    worker.emit(requestFrame(idOf(4), { headers: fields(FIELDS_MAX + 1) }));
    expect(worker.failure?.message).toMatch(/too many fields/);
  });

  test("has as many trailer fields", () => {
    const trailers = (rows: number): Buffer =>
      Buffer.concat([u16(rows, 0), ...Array(rows).fill(u16(1, 1)), Buffer.from("ab".repeat(rows))]);
    const worker = start();
    worker.emit(
      requestFrame(ID, { method: 3, flags: 0, contentLength: -1 }),
      frame(f.FRAME_TRAILERS, ID, trailers(FIELDS_MAX)),
    );
    expect(worker.failure).toBe(null);
    worker.emit(requestFrame(idOf(4), { method: 3, flags: 0, contentLength: -1 }));
    worker.emit(frame(f.FRAME_TRAILERS, idOf(4), trailers(FIELDS_MAX + 1)));
    expect(worker.failure?.message).toMatch(/TRAILERS/);
  });

  test("announces no more than bodyBytesMax", () => {
    const worker = start({ bodyBytesMax: 1000 });
    worker.emit(requestFrame(ID, { method: 3, flags: 0, contentLength: 1000 }));
    expect(worker.failure).toBe(null);
    worker.emit(requestFrame(idOf(4), { method: 3, flags: 0, contentLength: 1001 }));
    expect(worker.failure?.message).toMatch(/too large a body/);
  });
});
