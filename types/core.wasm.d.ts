/**
 * The sandbox as a WebAssembly module of WASI preview1: what an instance of `waterspout/core.wasm` exports. It imports
 * eleven functions of `wasi_snapshot_preview1`. The package's own servers make instances themselves.
 */

/** Sets the sandbox up. Called once, before the first turn. */
export declare function _initialize(): void;

/** Serves until the sandbox has stopped: what a WASI runtime calls. */
export declare function _start(): void;

/**
 * One turn that waits for readiness at most `maxWaitMs`. Returns the milliseconds until the next one is wanted even
 * without an event: 0 for at once, 2^31 - 1 for never, -1 once the sandbox has stopped.
 */
export declare function turn(maxWaitMs: number): number;

/** The memory of the sandbox. */
export declare const memory: WebAssembly.Memory;
