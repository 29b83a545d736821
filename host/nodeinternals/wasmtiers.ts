/**
 * How V8 compiles WebAssembly: once and quickly, or a second time and better what is called often. Its flags, which
 * `v8.setFlagsFromString` changes in a program that runs, count for modules that are compiled later. A V8 without them
 * writes a line to stderr. There is no fallback: V8 decides.
 */
import { setFlagsFromString } from "node:v8";
import { nodeInternal } from "./internal.js";

export const wasmTiers = nodeInternal(
  "--wasm-tier-up",
  "processor time of `waterspout build`: two seconds of five",
  () => typeof setFlagsFromString === "function",
);

/** From now on WebAssembly is compiled once: for a program that ends before the better code has paid. */
export function compileWasmOnce(): void {
  if (!wasmTiers.isThere()) return;
  for (const flag of ["--no-wasm-tier-up", "--no-wasm-dynamic-tiering"]) setFlagsFromString(flag);
}
