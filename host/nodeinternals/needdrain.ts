/**
 * Whether a handler waits for `drain`: `kNeedDrain`, which Node sets when `write` returns false and which `pipe` and
 * others read as `writableNeedDrain`. The fallback keeps that public property itself.
 */
import type { ServerResponse } from "node:http";
import { nodeInternal } from "./internal.js";
import { responseSymbol, sampleResponse } from "./samples.js";

const NEED_DRAIN = responseSymbol("kNeedDrain") as symbol;

export const needDrain = nodeInternal("kNeedDrain", "a little time for each `drain`", () => {
  const response = sampleResponse();
  Reflect.set(response, NEED_DRAIN, true);
  return response.writableNeedDrain;
});

const isThere = needDrain.isThere();

/** `write` is about to return false. */
export function noteNeedDrain(response: ServerResponse): void {
  if (!isThere) setPublicly(response, true);
}

/** `drain` is about to be emitted. */
export function clearNeedDrain(response: ServerResponse): void {
  if (isThere) Reflect.set(response, NEED_DRAIN, false);
  else setPublicly(response, false);
}

function setPublicly(response: ServerResponse, value: boolean): void {
  Object.defineProperty(response, "writableNeedDrain", { value, configurable: true });
}
