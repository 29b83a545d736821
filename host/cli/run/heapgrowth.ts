/**
 * Blocks of bytes lie outside of V8's heap, and V8 counts them towards the size at which it collects all of that heap:
 * a few times of what was left in it. In a process that has little there (eight megabytes are usual) that is reached
 * every few hundred blocks, and half of the time goes into collections that find nothing. So a small heap may grow by
 * more before it is collected.
 *
 * Invariant: a heap that is large is V8's own business.
 * Reference: `node --v8-options`, heap-growing-percent; docs/deployment.md says what a program without this command can
 * do.
 */
import { getHeapStatistics } from "node:v8";
import { setHeapGrowing } from "../../nodeinternals/heapgrowing.js";

/**
 * To eight times its size instead of at most four: then short-lived blocks go with collections of young objects, which
 * are cheap.
 */
const GROWING_PERCENT = 700;
/** As it is by default: V8 decides. */
const NO_PERCENT = 0;
/** From here on four times is plenty for any blocks. */
const LARGE_HEAP_BYTES = 24 << 20;
const LOOK_MS = 1000;

/** Lets the heap of this process grow while it is small. */
export function letSmallHeapGrow(): void {
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
