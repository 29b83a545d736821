/**
 * By how much V8's heap grows before it is collected: V8's flag `--heap-growing-percent`, which `v8.setFlagsFromString`
 * changes in a program that runs. A V8 without it writes one line to stderr. There is no fallback: V8 decides.
 */
import { setFlagsFromString } from "node:v8";
import { nodeInternal } from "./internal.js";

export const heapGrowing = nodeInternal(
  "--heap-growing-percent",
  "time under load: a small heap is collected for the blocks of bytes that lie outside of it",
  () => typeof setFlagsFromString === "function",
);

/** Lets the heap grow by `percent` between collections; 0: as V8 decides. */
export function setHeapGrowing(percent: number): void {
  if (heapGrowing.isThere()) setFlagsFromString(`--heap-growing-percent=${percent}`);
}
