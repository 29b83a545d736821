/**
 * Whether `close` of a `ServerResponse` has been emitted: `_closed`, which its public getter `closed` shows. The
 * fallback keeps the public property itself.
 */
import type { ServerResponse } from "node:http";
import { nodeInternal } from "./internal.js";
import { sampleResponse } from "./samples.js";

type Flagged = ServerResponse & { _closed: boolean; readonly closed: boolean };

export const closedFlag = nodeInternal("_closed", "a little time at the end of each answer of a Node handler", () => {
  const response = sampleResponse() as Flagged;
  const before = response.closed;
  response._closed = true;
  return !before && response.closed;
});

const isThere = closedFlag.isThere();

/** Emits `close`, unless that has been done. */
export function emitCloseOnce(response: ServerResponse): void {
  const flagged = response as Flagged;
  if (flagged.closed) return;
  if (isThere) flagged._closed = true;
  else Object.defineProperty(response, "closed", { value: true, configurable: true });
  response.emit("close");
}
