/**
 * What both runtimes have in common.
 *
 * A runtime binds ports and starts workers on them. A worker is one instance of a module with the listeners as its
 * descriptors 3, 4, …; it is started, it tells what it writes and that it has ended, and it can be killed. What the bytes
 * mean, and what happens when it ends, is for others.
 */
import type { ListeningSocket } from "../address.js";
import type { Channel } from "../bridge.js";
import type { RuntimeName } from "../options.js";

/** What a worker tells. Nothing is told before `start` has returned. */
export interface WorkerEvents {
  /** It is about to read: now `send` can be called with what waits for it. Called after `schedule`, and perhaps without. */
  gather(): void;
  /** Bytes that the sandbox wrote to its descriptor 1. They may be kept. */
  receive(chunk: Buffer): void;
  /** A line that it wrote to its descriptor 2. */
  log(line: string): void;
  /** It has ended: null by itself and in order, an error otherwise. Told once, and nothing after it. */
  ended(error: Error | null): void;
}

/** One running instance. */
export interface Worker extends Channel {
  /** No more connections, and no more from those that are there: for a module that does not speak the bridge's protocol. */
  finish(): void;
}

export interface Runtime {
  readonly name: RuntimeName;
  /** Binds one port; rejects with BindError. */
  bind(address: string, port: number, backlog: number): Promise<ListeningSocket>;
  /** Makes sure that `module` (the path of a .wasm file) can be run. Rejects with RuntimeUnavailableError. */
  prepare(module: string): Promise<void>;
  /** Starts a worker; `prepare` has been awaited. */
  start(module: string, sockets: readonly ListeningSocket[], events: WorkerEvents): Worker;
}
