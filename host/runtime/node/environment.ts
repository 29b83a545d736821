/**
 * The functions of wasi_snapshot_preview1 for environment and arguments: an application finds the variables that it was
 * given and no arguments, as under wasmtime. Those of this process are not the application's to read.
 * Reference: WASI snapshot 01, wasi_snapshot_preview1.witx.
 */
import { GuestFault } from "./wasi.js";

export class EnvironmentCalls {
  /** Each variable's bytes, with the zero at their end. */
  readonly #variables: readonly Buffer[];
  #memory: WebAssembly.Memory | null = null;

  /** `variables`: each `NAME=VALUE`. */
  constructor(variables: readonly string[] = []) {
    this.#variables = variables.map((variable) => Buffer.from(`${variable}\0`));
  }

  /** Takes the instance's memory; no import may be called before. */
  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  /** The functions by their names. */
  imports(): Record<string, (...values: never[]) => number> {
    const sizes =
      (texts: readonly Buffer[]) =>
      (countOut: number, sizeOut: number): number => {
        this.#store(countOut, texts.length);
        this.#store(sizeOut, Buffer.concat(texts).length);
        return 0;
      };
    return {
      environ_sizes_get: sizes(this.#variables),
      environ_get: (textsOut: number, bytesOut: number) => this.#storeVariables(textsOut, bytesOut),
      args_sizes_get: sizes([]),
      args_get: () => 0,
    };
  }

  #storeVariables(textsOut: number, bytesOut: number): number {
    let at = bytesOut >>> 0;
    for (const [index, text] of this.#variables.entries()) {
      this.#store(textsOut + 4 * index, at);
      this.#bytes(at, text.length).set(text);
      at += text.length;
    }
    return 0;
  }

  #store(pointer: number, value: number): void {
    this.#bytes(pointer, 4).writeUInt32LE(value);
  }

  #bytes(pointer: number, size: number): Buffer {
    const { buffer } = this.#memory as WebAssembly.Memory;
    if ((pointer >>> 0) + size > buffer.byteLength) throw new GuestFault("a pointer out of its memory");
    return Buffer.from(buffer as ArrayBuffer, pointer >>> 0, size);
  }
}
