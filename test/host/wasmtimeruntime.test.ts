// The pipe to a wasmtime worker that does not read for a while; the worker is a script that sends back what it is told.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { FRAME_WRITE, FrameReader } from "../../host/frames.js";
import { FrameWriter } from "../../host/framewriter.js";
import { wasmtimeRuntime } from "../../host/runtime/wasmtime.js";

const PIECE = 65_536;
const FIRST = 32;
const ALL = 48;

test("frames for a worker that does not read wait in order, are not overwritten, and leave when it reads", async () => {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
  const go = join(folder, "go");
  const script = join(folder, "wasmtime");
  writeFileSync(script, `#!/bin/sh\nwhile [ ! -e '${go}' ]; do sleep 0.02; done\nexec cat\n`);
  chmodSync(script, 0o755);
  const before = process.env.WATERSPOUT_WASMTIME;
  process.env.WATERSPOUT_WASMTIME = script;

  const writer = new FrameWriter();
  const heard: number[] = [];
  const reader = new FrameReader({
    frame(_type, id, chunk, start, end) {
      if (chunk.subarray(start, end).equals(Buffer.alloc(PIECE, id))) heard.push(id);
    },
  });
  const write = (from: number, to: number): void => {
    for (let id = from; id <= to; id++) writer.bytes(FRAME_WRITE, id, Buffer.alloc(PIECE, id), 0, PIECE);
  };
  await new Promise<void>((resolve, reject) => {
    const worker = wasmtimeRuntime.start("no module", [], {
      gather: () => worker.send(writer),
      receive(chunk) {
        reader.push(chunk);
        if (heard.length === ALL) resolve();
      },
      log: () => {},
      ended: () => reject(new Error("it has ended")),
    });
    onTestFinished(() => {
      worker.kill();
      rmSync(folder, { recursive: true });
      if (before === undefined) delete process.env.WATERSPOUT_WASMTIME;
      else process.env.WATERSPOUT_WASMTIME = before;
    });
    write(1, FIRST);
    worker.send(writer);
    expect(writer.waiting).toBe(0);
    write(FIRST + 1, ALL);
    worker.send(writer);
    expect(writer.waiting).toBe((ALL - FIRST) * (PIECE + 8));
    writeFileSync(go, "");
  });
  expect(heard).toEqual(Array.from({ length: ALL }, (_, index) => index + 1));
});
