/**
 * Where the core's calls about streams and websockets go: to the bridge of the host's classes, if the application has
 * any.
 *
 * Invariant: an application that imports nothing of this package is bundled without the bridge.
 * Reference: wit/waterspout.wit, `streams` and `websockets`.
 */

/** What the core calls about streams. */
export interface Streams {
  opened(id: number, address: string, port: number): void;
  data(id: number, bytes: Uint8Array, last: boolean): void;
  readFailed(id: number, why: string): void;
  ended(id: number): void;
  sent(id: number, bytes: number): void;
  closed(id: number, why: string): void;
}

/** What the core calls about websockets. */
export interface WebSockets {
  offered(id: number): void;
  data(id: number, bytes: Uint8Array, isText: boolean, compressed: boolean, last: boolean): void;
  ping(id: number, bytes: Uint8Array): void;
  pong(id: number, bytes: Uint8Array): void;
  sent(id: number, bytes: number): void;
  ending(id: number): void;
  closed(id: number, code: number, why: string, words: string): void;
}

/** The other end of it. */
export interface Link {
  readonly streams: Streams;
  readonly websockets: Omit<WebSockets, "offered">;
  /** The connection of the request with this id is gone: a websocket that it would have become does not open. */
  aborted(id: number): void;
  /** What the application has written becomes actions. */
  flush(): void;
}

/** Makes what takes over a request: host/http/request.ts, `upgrade`. */
export type Upgrade = (bridge: unknown, id: number, peer: unknown, answered: () => void) => object;
/** Has the core give a request over to what `make` makes. */
export type Upgrading = (id: number, address: string, make: Upgrade) => void;

let link: Link | null = null;

export function setLink(made: Link): void {
  link = made;
}

/** Null: the application has nothing but requests. */
export function currentLink(): Link | null {
  return link;
}

let upgrading: Upgrading | null = null;

export function setUpgrading(made: Upgrading): void {
  upgrading = made;
}

export function currentUpgrading(): Upgrading | null {
  return upgrading;
}

/** The last request that is an opening handshake. */
let offered = 0;

export function setOffered(id: number): void {
  offered = id;
}

/** Whether a request that is just beginning is an opening handshake. */
export function isOffered(id: number): boolean {
  return id === offered;
}
