// HTTPServer: a TCPServer whose streams speak HTTP/1. It keeps the connections, watches requests that take long, and
// drains. Invariant: connections are pooled and used again; each has a slot, its place in the server, which it keeps.
// Reference: Tornado's httpserver.py; draining is ours (tornado#1791).

import { Address } from "../core/address";
import { HTTP1Connection, HTTP1ConnectionOwner } from "./connection";
import { HTTP1ConnectionParameters } from "./parameters";
import { HTTPHandler } from "./request";
import { serveIncoming } from "./incominghandler";
// What a component of wasi:http 0.3 exports; `waterspout build` makes it exports.
import "./asynchandler";
import { IOLoop, Timeout } from "../loop/ioloop";
import { IOStream } from "../stream/iostream";
import { DRAIN_REQUEST_MS, WATCH_AFTER_MS } from "../core/limits";
import { NS_PER_MS } from "../core/units";
import { OVER_HTTP } from "../wasi/build";
import { TCPServer } from "../server/tcpserver";


@final
class Connections implements HTTP1ConnectionOwner {
  all: Array<HTTP1Connection> = [];
  free: Array<HTTP1Connection> = [];
  watch!: Watch;

  constructor() {
    this.watch = new Watch(this);
  }

  waiting(connection: HTTP1Connection): void {
    if (!this.watch.armed) IOLoop.current().callLater(WATCH_AFTER_MS, this.watch);
  }

  ended(connection: HTTP1Connection): void {
    this.free.push(connection);
  }
}

/** While requests wait for their answers: looks now and then for those that wait long. */
@final
class Watch extends Timeout {
  constructor(private connections: Connections) {
    super();
  }

  run(): void {
    const loop = IOLoop.current();
    const all = this.connections.all;
    const before = loop.time - i64(WATCH_AFTER_MS) * NS_PER_MS;
    let waiting = false;
    for (let i = 0; i < all.length; i++) {
      const connection = unchecked(all[i]);
      if (!connection.inFlight) continue;
      if (connection.since <= before) connection.watch();
      else waiting = true;
    }
    if (waiting) loop.callLater(WATCH_AFTER_MS, this);
  }
}

/** A TCPServer whose connections speak HTTP/1: Tornado's HTTPServer. */
export class HTTPServer extends TCPServer {
  /** The limits of its connections. Their defaults stand in core/limits.ts. */
  readonly parameters: HTTP1ConnectionParameters = new HTTP1ConnectionParameters();
  private pool: Connections = new Connections();

  constructor(private handler: HTTPHandler) {
    super();
    if (OVER_HTTP) serveIncoming(handler, this.parameters);
  }

  /** The connection with this slot, null: there is none. */
  connectionAt(slot: i32): HTTP1Connection | null {
    return slot < this.pool.all.length ? unchecked(this.pool.all[slot]) : null;
  }

  handleStream(stream: IOStream, address: Address | null): void {
    if (OVER_HTTP) return; // there are none: incoming.ts
    const pool = this.pool;
    let connection: HTTP1Connection;
    if (pool.free.length) connection = pool.free.pop();
    else {
      connection = new HTTP1Connection(pool, this.handler, this.parameters, pool.all.length);
      pool.all.push(connection);
    }
    connection.start(stream);
  }

  /**
   * Takes what waits in the queue and stops accepting; answers every request that has come, or comes within `requestMs`
   * of its connection's last answer, as the connection's last; closes what is left after `graceMs`. A second call may
   * shorten both.
   */
  drain(graceMs: i32, requestMs: i32 = DRAIN_REQUEST_MS): void {
    super.drain(graceMs, requestMs);
    this.parameters.draining = true;
    this.parameters.drainRequestMs = requestMs;
    const all = this.pool.all;
    for (let i = 0; i < all.length; i++) unchecked(all[i]).drain();
  }
}
