// zlib that fails, as it does for want of memory: who waits for it hears of it, and goes on.
import { Transform } from "node:stream";
import type zlib from "node:zlib";
import { expect, test, vi } from "vitest";

vi.mock("node:zlib", async (original) => {
  const real = (await original()) as { default: typeof zlib };
  const noMemory = (): Error => Object.assign(new Error("no memory"), { code: "Z_MEM_ERROR" });
  const failing = {
    deflateRaw: (_message: unknown, _options: unknown, done: (error: Error) => void) => setImmediate(done, noMemory()),
    deflateRawSync: () => {
      throw noMemory();
    },
    createGzip: () => new Transform({ transform: (_chunk, _encoding, done) => done(noMemory()) }),
  };
  return { ...real, ...failing, default: { ...real.default, ...failing } };
});

const f = await import("../../../host/bridge/frames.js");
const { HTTPServer } = await import("../../../host/index.js");
const { DEFLATE_AT_ONCE_BYTES_MAX } = await import("../../../host/core/limits.js");
const { FakeWorker, idOf, requestFrame, until } = await import("../support/fakeworker.js");
const { messagesOf, open, serve } = await import("../support/websocketsupport.js");

test("a websocket's messages go out as they are, small and large, and the next ones, too", async () => {
  const rig = serve((handler) => {
    handler.compression = { thresholdBytes: 0 };
    handler.getCompressionOptions = () => handler.compression;
  });
  const { handler } = await open(rig, [["sec-websocket-extensions", "permessage-deflate"]]);
  const texts = ["small", "x".repeat(DEFLATE_AT_ONCE_BYTES_MAX + 1), "small again", "y".repeat(20_000)];
  for (const text of texts) await handler.writeMessage(text);
  handler.close();
  const sent = messagesOf((await rig.worker.receivedAnswers()).slice(0, -1));
  expect(sent.map(({ bytes, flags }) => [flags, bytes.toString()])).toEqual(texts.map((text) => [f.WS_LAST, text]));
});

test("an answer that is being compressed is cut, and logged", async () => {
  const worker = new FakeWorker((logger) => {
    const options = { logger, compressResponse: true };
    return new HTTPServer(
      (request) => request.respond(200, { "Content-Type": "text/plain" }, "x".repeat(100_000)),
      options,
    ).acceptor();
  }).ready();
  worker.emit(requestFrame(idOf(1), { headers: [["accept-encoding", "gzip"]] }));
  const types: number[] = [];
  await until(
    () => types.includes(f.FRAME_CANCEL),
    async () => types.push(...(await worker.receivedAnswers()).map(({ type }) => type)),
  );
  expect(types).toEqual([f.FRAME_RESPONSE, f.FRAME_CANCEL]);
  expect(worker.log).toEqual(["error an answer could not be compressed: Error: no memory"]);
});
