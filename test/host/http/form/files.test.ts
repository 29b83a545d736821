// The files of a form: how long they are there, that none is left on disk, and onFile.
import { EventEmitter, once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";

import * as f from "../../../../host/bridge/frames.js";
import { collect, ID, serve } from "../../support/exchange.js";
import { frame, requestFrame, u16, until } from "../../support/fakeworker.js";
import { directory, END, field, file, MULTIPART, pairs, read } from "../../support/forms.js";

describe("files", () => {
  const left = (): string[] => readdirSync(directory);

  async function eventuallyEmpty(): Promise<void> {
    await until(
      () => left().length === 0,
      () => sleep(5),
    );
    expect(left()).toEqual([]);
  }

  test("are gone when the request is", async () => {
    let path = "";
    const contents = Array.from({ length: 50_000 }, (_, i) => `line ${i}`).join("\n");
    const body = file("f", "x", contents) + file("g", "x", "") + END;
    await read(MULTIPART, [body], {}, {}, (form) => {
      path = form.files[0].path;
      expect([form.files[0].size, form.files[1].size]).toEqual([contents.length, 0]);
      expect(readFileSync(path, "utf8") === contents).toBe(true);
    });
    await eventuallyEmpty();
  });

  test("are gone when the form is malformed in the end", async () => {
    expect((await read(MULTIPART, [`${file("f", "x", "y".repeat(100_000))}--bad`])).status).toBe(400);
    await eventuallyEmpty();
  });

  test("are gone when the peer leaves in the middle, and the handler learns of it", async () => {
    let failure: unknown;
    const worker = serve(async (request) => {
      await request.readForm({ directory }).catch((error) => (failure = error));
    });
    const headers: [string, string][] = [["content-type", MULTIPART]];
    worker.emit(requestFrame(ID, { method: 3, flags: 0, contentLength: -1, headers }));
    worker.emit(frame(f.FRAME_BODY, ID, file("f", "x", "y".repeat(10_000))));
    await until(
      () => left().length > 0,
      () => worker.received(),
    );
    expect(left().length).toBe(1);
    worker.emit(frame(f.FRAME_ABORT, ID, u16(3)));
    await eventuallyEmpty();
    expect(failure).toMatchObject({ code: "STREAM_CLOSED" });
  });

  test("stay as long as the handler runs, also after its answer", async () => {
    let exists = false;
    const gate = new EventEmitter();
    const worker = serve(async (request) => {
      const form = await request.readForm({ directory });
      const answered = once(gate, "answered");
      request.respond(200);
      await answered;
      exists = existsSync(form.files[0].path);
    });
    const headers: [string, string][] = [["content-type", MULTIPART]];
    worker.emit(requestFrame(ID, { method: 3, headers, body: file("f", "x", "y") + END }));
    await collect(worker);
    gate.emit("answered");
    await eventuallyEmpty();
    expect(exists).toBe(true);
  });

  test("may be read after the answer", async () => {
    let contents = "";
    const gate = new EventEmitter();
    const worker = serve(async (request) => {
      const answered = once(gate, "answered");
      request.respond(200);
      const form = await request.readForm({ directory });
      await answered;
      contents = readFileSync(form.files[0].path, "utf8");
    });
    const headers: [string, string][] = [["content-type", MULTIPART]];
    worker.emit(requestFrame(ID, { method: 3, headers, body: file("f", "x", "late") + END }));
    await collect(worker);
    gate.emit("answered");
    await until(
      () => contents !== "",
      () => sleep(5),
    );
    expect(contents).toBe("late");
    await eventuallyEmpty();
  });
});

describe("files that onFile takes", () => {
  test("are read only as fast as onFile takes them", async () => {
    let taken = 0;
    let go = (): void => {};
    const worker = serve(
      async (request) => {
        await request.readForm({
          onFile: async (given) => {
            for await (const block of given) {
              taken += block.length;
              await new Promise<void>((resolve) => (go = resolve));
            }
          },
        });
        request.respond(200);
      },
      { bodyWindow: 65_536 },
    );
    const headers: [string, string][] = [["content-type", MULTIPART]];
    worker.emit(requestFrame(ID, { method: 3, flags: 0, contentLength: -1, headers }));
    worker.emit(frame(f.FRAME_BODY, ID, file("f", "x", "").slice(0, -2)));
    worker.emit(...[1, 2, 3].map(() => frame(f.FRAME_BODY, ID, Buffer.alloc(20_000))));
    const credit = (await worker.receivedAnswers()).filter(({ type }) => type === f.FRAME_BODY_CREDIT);
    expect(taken).toBeLessThan(40_000);
    expect(credit.length).toBeLessThanOrEqual(2);
    worker.emit(frame(f.FRAME_BODY_END, ID, `\r\n${END}`));
    await until(
      () => taken === 60_000,
      () => {
        go();
        return worker.received();
      },
    );
    expect(taken).toBe(60_000);
  });

  test("that onFile does not take in time give nothing of the next one", async () => {
    const kept: AsyncIterable<Buffer>[] = [];
    const late: Buffer[] = [];
    const body = file("f", "x", "one") + file("g", "x", "two") + END;
    const result = await read(MULTIPART, [body], {
      onFile: async (given) => {
        kept.push(given);
        if (kept.length === 2) for await (const block of kept[0]) late.push(block);
      },
    });
    expect([result.status, kept.length, late]).toEqual([200, 2, []]);
  });

  test("that onFile does not take are passed over; what it throws is the form's error", async () => {
    const body = file("f", "x", "y".repeat(100_000)) + field("a", "1") + END;
    const names: string[] = [];
    const skipped = await read(MULTIPART, [body], { onFile: ({ name }) => void names.push(name) });
    expect([names, pairs(skipped), skipped.form?.files]).toEqual([["f"], [["a", "1"]], []]);
    const thrown = await read(MULTIPART, [body], {
      onFile: () => {
        throw new Error("no room");
      },
    });
    expect(thrown).toMatchObject({ status: 500, message: "no room" });
  });
});
