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
import { ProtocolError, type Reason, reasonName } from "../core/errors.js";
import { ignore } from "../core/promises.js";
import { PHRASES } from "../http/phrases.js";
import type { HTTPServerRequest } from "../http/request.js";
import type { Answered } from "../http/requestnotes.js";
import { IOStream } from "../stream/iostream.js";
import type { StreamSettings } from "../stream/settings.js";

const AT_ONCE = 1;

/**
 * Called with the connection, with the bytes that came behind its request, to be read first, and with what is to be
 * called with the status once the request has been answered.
 */
export type DetachedCallback = (stream: IOStream, ahead: number, answered: Answered) => void;

/**
 * Ends HTTP on the connection of `request` and calls `detached` when that is done, or `gone` when the client leaves
 * before. Throws HTTPOutputError when the request has been answered.
 */
export function detach(
  request: HTTPServerRequest,
  settings: StreamSettings,
  detached: DetachedCallback,
  gone: () => void = () => {},
): void {
  request.upgrade((bridge, id, peer, answered) => {
    bridge.writer.empty(FRAME_DETACH, id);
    bridge.written();
    const whenGone = (reason: Reason): void => {
      answered(null, reason);
      gone();
    };
    return new Detaching(bridge, id, peer, settings, (stream, ahead) => detached(stream, ahead, answered), whenGone);
  });
}

/** What Node's server answers to a request that it refuses, unless a listener does; then the connection ends. */
export function answerRefused(stream: IOStream, status: number): void {
  void ignore(stream.write(`HTTP/1.1 ${status} ${PHRASES.get(status)}\r\nConnection: close\r\n\r\n`));
  stream.close();
}

type StreamCallback = (stream: IOStream, ahead: number) => void;

/** Takes the frames of a request between DETACH, or REFUSED with its id, and DETACHED. */
export class Detaching implements FrameTaker {
  readonly noun = "connection";
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #peer: Peer | null;
  readonly #settings: StreamSettings;
  readonly #detached: StreamCallback;
  readonly #gone: (reason: Reason) => void;

  constructor(
    bridge: Bridge,
    id: number,
    peer: Peer | null,
    settings: StreamSettings,
    detached: StreamCallback,
    gone: (reason: Reason) => void = () => {},
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
    const reason = bytes === 2 ? reasonName(chunk.readUInt16LE(start)) : undefined;
    if (type !== FRAME_ABORT || reason === undefined) {
      throw new ProtocolError(`type 0x${type.toString(16)} for a request that is being detached`);
    }
    this.#bridge.forget(this.#id);
    this.#gone(reason);
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
    this.#gone("CLOSED");
  }

  lost(): void {
    this.#gone("WORKER");
  }
}
