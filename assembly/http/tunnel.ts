// Tunnel: what follows an upgrade that was forwarded. Both connections stop being HTTP, and bytes go from each to the
// other as they are.
//
// Invariants: of each direction one read and what one socket has refused wait here; who does not read holds back who
// sends. Both ends are closed when either has sent its last and that has left, and when nothing came for too long.
// Reference: RFC 9110 7.8.

import { NS_PER_MS } from "../core/units";
import { IOLoop } from "../loop/ioloop";
import { IOStream } from "../stream/iostream";
import { HTTP1ClientConnection } from "./clientconnection";
import { HTTP1Connection } from "./connection";
import { Upgraded } from "./request";

/**
 * In informationReceived of a 101 that `connection` was sent as well: joins the two. After `idleTimeoutMs` without a
 * byte either way both are closed. False: the client has left, or its request is not one that can be upgraded.
 */
export function openTunnel(connection: HTTP1Connection, upstream: HTTP1ClientConnection, idleTimeoutMs: i32): bool {
  const near = new TunnelEnd(idleTimeoutMs);
  const far = new TunnelEnd(idleTimeoutMs);
  const client = connection.detach(near);
  if (!client) return false;
  const server = upstream.detach(far);
  if (!server) {
    client.finish(true);
    return false;
  }
  near.join(client, far);
  far.join(server, near);
  near.begin();
  far.begin();
  return true;
}

/** One of the two connections. */
@final
class TunnelEnd extends Upgraded {
  private stream: IOStream | null = null;
  private other: TunnelEnd | null = null;

  constructor(private idleTimeoutMs: i32) {
    super();
  }

  join(stream: IOStream, other: TunnelEnd): void {
    this.stream = stream;
    this.other = other;
  }

  begin(): void {
    const stream = this.stream;
    if (!stream) return;
    this.restartClock();
    stream.consume();
  }

  private get peer(): IOStream | null {
    const other = this.other;
    return other ? other.stream : null;
  }

  private restartClock(): void {
    const due = IOLoop.current().time + i64(this.idleTimeoutMs) * NS_PER_MS;
    if (this.stream) this.stream!.setDeadline(due);
    if (this.peer) this.peer!.setDeadline(due);
  }

  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    const peer = this.peer;
    if (!peer || peer.waiting || !peer.write(source, size)) return 0; // onSent of the other end goes on, or onClose
    this.restartClock();
    if (stream.ended) this.end();
    return size;
  }

  onSent(stream: IOStream): void {
    if (this.peer) this.peer!.resume();
  }

  onEnd(stream: IOStream): void {
    if (!stream.unread) this.end();
  }

  onTimeout(stream: IOStream): void {
    this.end();
  }

  /** A tunnelled protocol has no end that could be asked for here. */
  drain(): void {
    this.end();
  }

  private end(): void {
    if (this.peer) this.peer!.finish(true);
    if (this.stream) this.stream!.finish(true);
  }

  onClose(stream: IOStream, reason: i32): void {
    this.end();
    this.stream = null;
  }
}
