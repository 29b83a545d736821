/**
 * Tornado's TCPServer: subclass it and write `handleStream`.
 *
 * Invariants: a handler that throws or rejects is logged and its stream closed, other streams go on; a stream whose
 * peer has ended and whose handler has ended is closed, since no code will use it.
 */

import type { Acceptor, Bridge, Endpoint } from "../bridge/bridge.js";
import { ADDRESS_BYTES, KIND_STREAMS, OPEN_BYTES } from "../bridge/frames.js";
import type { Address } from "../core/address.js";
import { ProtocolError, StreamClosedError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import { IOStream } from "../stream/iostream.js";
import type { StreamSettings } from "../stream/settings.js";
import { Server } from "./server.js";

/** A server of plain or TLS connections, for a subclass with a `handleStream`: Tornado's TCPServer. */
export class TCPServer extends Server {
  override readonly scheme: "http" | "tcp" = "tcp";

  /**
   * Serves one connection. `address` is the peer's, null where it is not known (wasmtime without TLS); over a
   * Unix-domain socket it is that socket's path. When the promise is settled and the peer has ended its side, the
   * stream is closed behind what was written; when this throws or rejects it is closed at once. Else it stays open
   * until one side closes it, also after this has returned; one whose peer has ended its side is closed when nothing
   * was sent on it for `halfCloseTimeoutMs`.
   */
  handleStream(_stream: IOStream, _address: Address | null): void | Promise<void> {
    throw new Error(`${this.constructor.name} has no handleStream`);
  }

  /** @internal */
  override acceptor(): Acceptor {
    const handle = (stream: IOStream, address: Address | null) => this.handleStream(stream, address);
    const settings = this.options;
    return {
      kind: KIND_STREAMS,
      accept: (bridge, id, chunk, start, end) => open(bridge, id, chunk, start, end, handle, settings),
    };
  }
}

type Handler = (stream: IOStream, address: Address | null) => void | Promise<void>;

function open(
  bridge: Bridge,
  id: number,
  chunk: Buffer,
  start: number,
  end: number,
  handle: Handler,
  settings: StreamSettings & { readonly logger: Logger },
): Endpoint {
  const hasAddress = end - start === OPEN_BYTES + ADDRESS_BYTES;
  if (end - start !== OPEN_BYTES && !hasAddress) throw new ProtocolError("OPEN");
  const peer = bridge.peer(chunk.readUInt32LE(start), chunk, hasAddress ? start + OPEN_BYTES : -1);
  const { logger } = settings;
  return new IOStream(bridge, id, peer ?? null, settings, (stream) => {
    if (peer === undefined) return stream.close();
    stream.tls = peer?.tls ?? null;
    try {
      const result = handle(stream, peer === null ? null : peer.address);
      if (result === undefined) return; // it may have left the stream to other code
      Promise.resolve(result)
        .catch((error) => fail(stream, error, logger))
        .then(() => stream.handled());
    } catch (error) {
      fail(stream, error, logger);
    }
  });
}

/** A peer that hangs up is no failure of the handler that was waiting for it. */
function fail(stream: IOStream, error: unknown, logger: Logger): void {
  if (error instanceof StreamClosedError && error.reason !== "TOO_LONG")
    logger.debug({ err: error }, "a peer has ended its connection");
  else logger.error({ err: error }, "a stream's handler failed");
  stream.close();
}
