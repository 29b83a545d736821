// REQUEST frames that no sandbox of ours sends: the host ends the worker, and never throws into its reader.
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import { ID, serve } from "../support/exchange.js";
import { frame, type RequestParts, requestFrame, u16, u32 } from "../support/fakeworker.js";

describe("is not believed", () => {
  const head = (change: (payload: Buffer) => void, parts: RequestParts = {}): Buffer => {
    const bytes = requestFrame(ID, parts);
    change(bytes.subarray(f.FRAME_HEADER_BYTES));
    return bytes;
  };
  const rows: [string, string][] = [["a", "b"]];
  const cases: [string, Buffer[]][] = [
    ["a head cut short", [frame(f.FRAME_REQUEST, ID, "x".repeat(f.REQUEST_BYTES - 1))]],
    ["more rows than it holds", [head((payload) => payload.writeUInt16LE(65_535, 4))]],
    ["a target longer than it is", [head((payload) => payload.writeUInt16LE(2, 8))]],
    ["a value longer than it is", [head((payload) => payload.writeUInt16LE(2, 26), { headers: rows })]],
    ["an unknown method", [head((payload) => payload.writeUInt8(8, 0))]],
    ["a known method with a text", [requestFrame(ID, { methodText: "GET" })]],
    ["another method without a text", [requestFrame(ID, { method: 0 })]],
    ["HTTP/1.2", [head((payload) => payload.writeUInt8(2, 1))]],
    ["unknown flags", [head((payload) => payload.writeUInt8(64, 2))]],
    ["a complete body shorter than its length", [requestFrame(ID, { contentLength: 2, body: "x" })]],
    ["a body longer than its length", [requestFrame(ID, { flags: 0, contentLength: 2, body: "xxx" })]],
    ["no body that is still to come", [requestFrame(ID, { flags: 0, contentLength: 0 })]],
    ["a negative length", [requestFrame(ID, { contentLength: -2 })]],
    ["a body after a complete request", [requestFrame(ID), frame(f.FRAME_BODY, ID, "x")]],
    ["more body than announced", [requestFrame(ID, { flags: 0, contentLength: 2 }), frame(f.FRAME_BODY, ID, "xxx")]],
    ["less body than announced", [requestFrame(ID, { flags: 0, contentLength: 2 }), frame(f.FRAME_BODY_END, ID, "x")]],
    [
      "body beyond the credit",
      [
        requestFrame(ID, { flags: 0, contentLength: -1 }),
        ...Array<Buffer>(3).fill(frame(f.FRAME_BODY, ID, "x".repeat(100_000))),
      ],
    ],
    ["an empty part", [requestFrame(ID, { flags: 0, contentLength: -1 }), frame(f.FRAME_BODY, ID)]],
    ["SENT without an answer", [requestFrame(ID), frame(f.FRAME_SENT, ID, u32(1))]],
    ["END of some size", [requestFrame(ID), frame(f.FRAME_END, ID, "x")]],
    ["END twice", [requestFrame(ID), frame(f.FRAME_END, ID), frame(f.FRAME_END, ID)]],
    ["END before the body's", [requestFrame(ID, { flags: 0, contentLength: 2 }), frame(f.FRAME_END, ID)]],
    ["ABORT without a reason", [requestFrame(ID), frame(f.FRAME_ABORT, ID)]],
    ["a frame after ABORT", [requestFrame(ID), frame(f.FRAME_ABORT, ID, u16(3)), frame(f.FRAME_ABORT, ID, u16(3))]],
    ["a stream's frame", [requestFrame(ID), frame(f.FRAME_DATA, ID, "x")]],
  ];
  test.each(cases)("%s", (_name, sent) => {
    const worker = serve(() => {});
    worker.emit(...sent);
    expect(worker.failure?.message).toMatch(/^malformed frame/);
    expect(worker.killed).toBe(true);
  });

  test("any mutation of a request, and it never throws into the reader", () => {
    const bytes = requestFrame(ID, { headers: rows, body: "hello", method: 3 });
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const mutant = Buffer.from(bytes);
        mutant[at] = value;
        const worker = serve(async (request) => {
          void [request.method, request.target, request.path, request.query, [...request.headers]];
          request.respond(200, {}, await request.readBody());
        });
        worker.emit(mutant);
        if (worker.failure !== null) expect(worker.failure.message).toMatch(/^malformed frame/);
      }
    }
  });
});
