/**
 * What both runtimes have in common.
 *
 * A runtime binds ports and starts workers on them. A worker is one instance of a module with the listeners as its
 * descriptors 3, 4, …; it is started, it reports what it writes and that it has ended, and it can be killed. Other
 * rooms know what the bytes mean and what happens when it ends.
 */
import type { Channel, Peer } from "../bridge/bridge.js";
import type { Address, ListeningSocket, SocketOptions } from "../core/address.js";
import type { Patience } from "../core/patience.js";
import type { RuntimeName } from "../core/runtimename.js";
import type { Grants } from "./grants.js";
import type { GuardSettings } from "./settings.js";

/** What a worker reports. None is called before `start` has returned. */
export interface WorkerEvents {
  /**
   * It is about to read: now `send` can be called with what waits for it. Called after `schedule`, and perhaps without.
   */
  gather(): void;
  /** Bytes that the sandbox wrote to its descriptor 1. They may be kept. */
  receive(chunk: Buffer): void;
  /** A line that it wrote to its descriptor 2. */
  log(line: string): void;
  /** It has ended: null by itself and in order, an error otherwise. Called once, and nothing after it. */
  ended(error: Error | null): void;
}

/** One running instance. */
export interface Worker extends Channel {
  /**
   * For a module that does not speak the bridge's protocol: it takes no more connections, and ends when it has finished
   * what it has begun, if it exports `drain` and `supervised`. Another one can only be cut.
   */
  finish(patience: Patience): void;
}

/** How a runtime binds. */
export interface BindSettings extends SocketOptions {
  readonly shared: boolean;
}

/** A port that is bound, and the socket that it will be. */
export interface Binding {
  readonly address: Address;
  readonly socket: Promise<ListeningSocket>;
}

/** What stands between the network and the sandbox. */
export interface Guard extends GuardSettings {
  /** What is spoken inside TLS. */
  readonly scheme: "http" | "tcp";
}

/** Sockets with a guard in front. */
export interface GuardedSockets {
  /** What workers are started on and what stops listening when it is closed. */
  readonly sockets: readonly ListeningSocket[];
  /**
   * The peer of a connection, by the address in its PROXY protocol header, which every connection has; null without
   * such.
   */
  readonly peers: ReadonlyMap<string, Peer> | null;
  /** The workers have ended: resolves when what they wrote has left, after `ms` at the latest. */
  drained(ms: number): Promise<void>;
}

export interface Runtime {
  readonly name: RuntimeName;
  /**
   * Binds one port; rejects with BindError. With `shared`, worker processes of this program can accept from it, and
   * connections wait in the kernel until one does.
   */
  bind(address: string, port: number, backlog: number, options: BindSettings): Promise<ListeningSocket>;
  /**
   * Binds one port for this process, and knows at once where; it listens then, or `socket` rejects. Null when this Node
   * cannot. Throws BindError.
   */
  bindNow(address: string, port: number, backlog: number, options: SocketOptions): Binding | null;
  /** A socket that this process has from the one that started it. */
  adopt(address: Address, fd: number, backlog: number): ListeningSocket;
  /** Puts a guard in front of sockets. */
  guard(sockets: readonly ListeningSocket[], guard: Guard): Promise<GuardedSockets>;
  /**
   * Makes sure that `module` (the path of a .wasm file) can be run; its memory may grow by `growthBytesMax` then, by
   * default as much as it likes. Rejects with RuntimeUnavailableError.
   */
  prepare(module: string, growthBytesMax?: number): Promise<void>;
  /**
   * Starts a worker, which has `grants`: folders are the descriptors behind its listeners. `prepare` has been awaited.
   */
  start(module: string, sockets: readonly ListeningSocket[], events: WorkerEvents, grants?: Grants): Worker;
}
