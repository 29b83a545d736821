/**
 * The functions of wasi_snapshot_preview1 for environment and arguments: an application that asks for them finds none,
 * as under a wasmtime that was given none. Those of this process are not the application's to read.
 * Reference: WASI snapshot 01, wasi_snapshot_preview1.witx.
 */
import { GuestFault } from "./wasi.js";

export class EnvironmentCalls {
  #memory: WebAssembly.Memory | null = null;

  /** Takes the instance's memory; no import may be called before. */
  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  /** The functions by their names. */
  imports(): Record<string, (...values: never[]) => number> {
    const sizes = (countOut: number, sizeOut: number): number => {
      this.#zero(countOut);
      this.#zero(sizeOut);
      return 0;
    };
    const nothing = (): number => 0;
    return { environ_sizes_get: sizes, environ_get: nothing, args_sizes_get: sizes, args_get: nothing };
  }

  #zero(pointer: number): void {
    const view = new DataView(this.#memory?.buffer as ArrayBuffer);
    if (pointer >>> 0 > view.byteLength - 4) throw new GuestFault("a pointer out of its memory");
    view.setUint32(pointer >>> 0, 0, true);
  }
}
