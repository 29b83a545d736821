// The window of an answer that goes piece by piece, in bytes of what is sent.
import { expect, test, vi } from "vitest";

import { OutgoingBody } from "../../edge/outgoing.js";

vi.mock("../../edge/clock.js", () => ({}));

test.each([
  ["bytes", new Uint8Array(255 * 1024), false],
  ["bytes", new Uint8Array(256 * 1024), true],
  ["text", "€".repeat(85 * 1024), false],
  ["text", "€".repeat(86 * 1024), true],
])("a handler waits once 256 KiB of its %s have not left", async (_, piece, waits) => {
  const body = new OutgoingBody(1);
  body.write(piece);
  const seen: string[] = [];
  const taken = body.taken().then(() => seen.push("taken"));
  await new Promise((resolve) => setImmediate(resolve));
  seen.push("sent");
  body.sent();
  await taken;
  expect(seen).toEqual(waits ? ["sent", "taken"] : ["taken", "sent"]);
});
