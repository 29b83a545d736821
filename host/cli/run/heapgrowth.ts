/**
 * Lets a small heap grow further before V8 collects it. Blocks of bytes lie outside of V8's heap, but V8 counts them
 * towards the size at which it collects the whole heap, a few times what the last collection left. In a process with a
 * small heap (8 MiB are usual) a few hundred blocks reach that size, and half of the time goes into collections that
 * free nothing.
 *
 * Invariant: a large heap is left to V8's own rules, and so is one in a process whose memory is limited to little.
 * Reference: `node --v8-options`, heap-growing-percent; docs/deployment.md says what a program without this command can
 * do.
 */
import { getHeapStatistics } from "node:v8";
import { isMemoryShort } from "../../core/memorybudget.js";
import { setHeapGrowing } from "../../nodeinternals/heapgrowing.js";

/**
 * The heap may grow to eight times its size instead of at most four: then collections of young objects, which are
 * cheap, free the short-lived blocks.
 */
const GROWING_PERCENT = 700;
/** The default: V8 decides. */
const NO_PERCENT = 0;
/** From this size on four times is enough. */
const LARGE_HEAP_BYTES = 24 << 20;
const LOOK_MS = 1000;

/** Raises the limit of this process's heap while it is small. */
export function raiseHeapGrowth(): void {
  if (isMemoryShort()) return;
  let percent = NO_PERCENT;
  const look = (): void => {
    const wanted = getHeapStatistics().used_heap_size < LARGE_HEAP_BYTES ? GROWING_PERCENT : NO_PERCENT;
    if (wanted === percent) return;
    percent = wanted;
    setHeapGrowing(percent);
  };
  look();
  setInterval(look, LOOK_MS).unref();
}
