// Reads the PROXY protocol header of a new connection, then hands the connection on with the address from the header.
// Invariant: nothing of a connection reaches its server before its header is complete, within a bounded time.

import { Address } from "../core/address";
import { REASON_BAD_REQUEST, REASON_TIMEOUT } from "../core/errors";
import { IOLoop } from "../loop/ioloop";
import { IOStream, StreamHandler } from "../stream/iostream";
import { PROXY_HEADER_BYTES_MAX, PROXY_HEADER_TIMEOUT_MS, READ_CHUNK_BYTES } from "../core/limits";
import { PROXY_BAD, PROXY_PARTIAL, parseProxyHeader } from "../protocol/proxy";
import { CONNECTIONS_REFUSED, count } from "../core/stats";
import { NS_PER_MS } from "../core/units";

/** Takes the connection when its header has come. */
export abstract class ProxiedStreams {
  abstract proxied(stream: IOStream): void;
}

const parsed: Address = new Address();


@final
export class ProxyHandler extends StreamHandler {
  constructor(private server: ProxiedStreams) {
    super();
  }

  start(stream: IOStream): void {
    stream.setHandler(this);
    stream.readAhead = PROXY_HEADER_BYTES_MAX + 1;
    stream.setDeadline(IOLoop.current().time + i64(PROXY_HEADER_TIMEOUT_MS) * NS_PER_MS);
    stream.consume();
  }

  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    const n = parseProxyHeader(source, size, parsed);
    if (n == PROXY_PARTIAL) return 0;
    if (n == PROXY_BAD) {
      this.refuse(stream, REASON_BAD_REQUEST);
      return 0;
    }
    if (parsed.port >= 0) stream.connection.setAddress(parsed);
    stream.setDeadline(0);
    stream.readAhead = READ_CHUNK_BYTES;
    stream.pause();
    this.server.proxied(stream);
    return n;
  }

  onEnd(stream: IOStream): void {
    this.refuse(stream, REASON_BAD_REQUEST);
  }

  onTimeout(stream: IOStream): void {
    this.refuse(stream, REASON_TIMEOUT);
  }

  private refuse(stream: IOStream, reason: i32): void {
    if (!stream.closed) count(CONNECTIONS_REFUSED);
    stream.close(reason);
  }
}
