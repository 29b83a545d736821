// `connection.writeInformation`: a RESPONSE of 1xx in front of the final one, and what it refuses.
import { expect, test } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import type { HTTPServerRequest } from "../../../host/index.js";
import { ID, serve } from "../support/exchange.js";
import { requestFrame } from "../support/fakeworker.js";

test("an informational answer leaves before the final one, and only then", async () => {
  let request: HTTPServerRequest | undefined;
  const worker = serve((each) => void (request = each));
  worker.emit(requestFrame(ID));
  const { connection } = request as HTTPServerRequest;
  connection.writeInformation(103, { Link: "</a>" });
  for (const status of [99, 101, 200, 100.5]) expect(() => connection.writeInformation(status)).toThrow(/100 to 199/);
  expect(() => connection.writeInformation(103, { "Content-Length": 1 })).toThrow(/Content-Length/);
  expect(() => connection.writeInformation(103, { "X-A": "a\nb" })).toThrow();
  request?.respond(200, {}, "final");
  expect(() => connection.writeInformation(103)).toThrow(/sent already/);
  const frames = (await worker.receivedAnswers()).filter(({ type }) => type === f.FRAME_RESPONSE);
  expect(frames.map(({ payload }) => [payload.readUInt16LE(0), payload[2]])).toEqual([
    [103, 0],
    [200, f.RESPONSE_LAST],
  ]);
});
