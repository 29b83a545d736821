/**
 * A request whose connection goes on as a stream of bytes: `upgrade`, `connect` and `clientError` of handlers of Node's
 * kind, and what they write to `req.socket`.
 *
 * Invariants: the request is complete, or refused, and has no answer; from DETACHED on its id is the stream's. What
 * crosses with DETACH is END or ABORT of the request. Reference: docs/protocol.md, DETACH.
 */
import type { Bridge, FrameTaker, Peer } from "../bridge/bridge.js";
import {
  FRAME_ABORT,
  FRAME_BYTES_MAX,
  FRAME_CLOSE,
  FRAME_DETACH,
  FRAME_DETACHED,
  FRAME_END,
} from "../bridge/frames.js";
import { ProtocolError, reasonName } from "../core/errors.js";
import { ignore } from "../core/promises.js";
import { PHRASES } from "../http/phrases.js";
import type { HTTPServerRequest } from "../http/request.js";
import { IOStream } from "../stream/iostream.js";
import type { StreamSettings } from "../stream/settings.js";

const AT_ONCE = 1;

/** Called with the connection, and with the bytes that came behind its request, to be read first. */
export type DetachedCallback = (stream: IOStream, ahead: number) => void;

/**
 * Ends HTTP on the connection of `request` and calls `detached` when that is done, or `gone` when the client leaves
 * before. `status` is what the access log has, default: 101. Throws HTTPOutputError when the request has been answered.
 */
export function detach(
  request: HTTPServerRequest,
  settings: StreamSettings,
  detached: DetachedCallback,
  gone?: () => void,
  status?: number,
): void {
  request.upgrade((bridge, id, peer) => {
    bridge.writer.empty(FRAME_DETACH, id);
    bridge.written();
    return new Detaching(bridge, id, peer, settings, detached, gone);
  }, status);
}

/** What Node's server answers to a request that it refuses, unless a listener does; then the connection ends. */
export function answerRefused(stream: IOStream, status: number): void {
  void ignore(stream.write(`HTTP/1.1 ${status} ${PHRASES.get(status)}\r\nConnection: close\r\n\r\n`));
  stream.close();
}

/** Takes the frames of a request between DETACH, or REFUSED with its id, and DETACHED. */
export class Detaching implements FrameTaker {
  readonly noun = "connection";
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #peer: Peer | null;
  readonly #settings: StreamSettings;
  readonly #detached: DetachedCallback;
  readonly #gone: () => void;

  constructor(
    bridge: Bridge,
    id: number,
    peer: Peer | null,
    settings: StreamSettings,
    detached: DetachedCallback,
    gone: () => void = () => {},
  ) {
    this.#bridge = bridge;
    this.#id = id;
    this.#peer = peer;
    this.#settings = settings;
    this.#detached = detached;
    this.#gone = gone;
  }

  receive(type: number, chunk: Buffer, start: number, end: number): void {
    const bytes = end - start;
    if (type === FRAME_DETACHED && bytes === 4) return this.#begin(chunk.readUInt32LE(start));
    if (type === FRAME_END && bytes === 0) return; // the stream tells of it again
    if (type !== FRAME_ABORT || bytes !== 2 || reasonName(chunk.readUInt16LE(start)) === undefined) {
      throw new ProtocolError(`type 0x${type.toString(16)} for a request that is being detached`);
    }
    this.#bridge.forget(this.#id);
    this.#gone();
  }

  #begin(ahead: number): void {
    if (ahead > FRAME_BYTES_MAX) throw new ProtocolError("DETACHED with more than can have come");
    const stream = new IOStream(this.#bridge, this.#id, this.#peer, this.#settings, () => {});
    stream.tls = this.#peer?.tls ?? null;
    this.#bridge.replace(this.#id, stream);
    this.#detached(stream, ahead);
  }

  shed(): void {
    this.#bridge.writer.number(FRAME_CLOSE, this.#id, AT_ONCE);
    this.#bridge.written();
    this.#bridge.release(this.#id);
    this.#gone();
  }

  lost(): void {
    this.#gone();
  }
}
