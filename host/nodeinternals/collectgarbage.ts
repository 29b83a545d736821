/**
 * V8's collector as a function, which is behind V8's flag `--expose-gc` (`v8.setFlagsFromString`, `vm`). A program that
 * was started with the flag has it anyway. Bun has a public function for it.
 */
import v8 from "node:v8";
import vm from "node:vm";
import { nodeInternal } from "./internal.js";

const { Bun } = globalThis as { readonly Bun?: { gc(isSynchronous: boolean): void } };

interface Collection {
  type: "major" | "minor";
}

let collect: ((collection?: Collection) => void) | null = null;

export const exposeGc = nodeInternal(
  "--expose-gc",
  "a request that no handler can answer any more gets its 500 late: an idle process seldom collects by itself; and " +
    "time: large bodies make V8 collect all of its heap",
  () => {
    v8.setFlagsFromString("--expose-gc");
    collect = vm.runInNewContext("gc") as NonNullable<typeof collect>;
    return typeof collect === "function";
  },
);

/** Collects all of V8's heap, if that can be asked for. */
export function collectGarbage(): void {
  if (exposeGc.isThere()) collect?.();
  else if (Bun !== undefined) Bun.gc(true);
  else globalThis.gc?.(); // for V8 `true` would be: the young generation alone
}

/** Collects V8's young generation, if that can be asked for. */
export function collectYoungGarbage(): void {
  if (exposeGc.isThere()) collect?.({ type: "minor" });
}
