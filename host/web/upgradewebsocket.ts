/**
 * Websockets for handlers of `fetch`'s kind, in the shape that Deno has given them: `upgradeWebSocket(request)`.
 *
 * Invariant: the websocket is one of WebSocketHandler, with its limits and its check of the origin; here is only the
 * shape.
 */

import { OptionError } from "../core/errors.js";
import { handover } from "../fetch/handover.js";
import { servedRequest } from "../fetch/request.js";
import type { HTTPServerRequest } from "../http/request.js";
import { refusalOf } from "../websocket/handshake.js";
import type { MessageCompressionOptions } from "../websocket/permessagedeflate.js";
import { ServerWebSocket } from "./serverwebsocket.js";
import { WebSocketHandler, type WebSocketSettings } from "./websockethandler.js";

/** What `upgradeWebSocket` takes. */
export interface UpgradeWebSocketOptions extends Partial<WebSocketSettings> {
  /** The subprotocol to agree on, when the client offers it. Default: none. */
  protocol?: string | undefined;
  /** Whether a page of this origin may open the websocket. Default: one of the host that the request went to. */
  checkOrigin?: ((origin: string) => boolean) | undefined;
  /** How to compress messages, if the client offers it. Default: not at all. */
  compression?: MessageCompressionOptions | undefined;
}

/** A websocket, and the answer that opens it. */
export interface WebSocketUpgrade {
  /** Opens when `response` has been given as the answer. */
  readonly socket: ServerWebSocket;
  /** The answer to return: 101; 400, 405 or 426 to a request that is no opening handshake. */
  readonly response: Response;
}

/** What is about to be opened for a request. */
const waiting = new WeakMap<HTTPServerRequest, { socket: ServerWebSocket; options: UpgradeWebSocketOptions }>();

class SocketHandler extends WebSocketHandler {
  readonly #waiting = waiting.get(this.request);

  override checkOrigin(origin: string): boolean {
    return this.#waiting?.options.checkOrigin?.(origin) ?? super.checkOrigin(origin);
  }

  override selectSubprotocol(offered: readonly string[]): string | null {
    const protocol = this.#waiting?.options.protocol;
    return protocol !== undefined && offered.includes(protocol) ? protocol : null;
  }

  override getCompressionOptions(): MessageCompressionOptions | null {
    return this.#waiting?.options.compression ?? null;
  }

  override open(): void | Promise<void> {
    return this.#waiting?.socket.opened(this);
  }

  override onMessage(message: string | Buffer): void | Promise<void> {
    return this.#waiting?.socket.received(message);
  }

  override onClose(): void | Promise<void> {
    return this.#waiting?.socket.closed(this.closeCode, this.closeReason);
  }
}

/**
 * A websocket for a request that `fetch` was called with. Return `response` from `fetch`: then `socket` opens, and is
 * used as the `WebSocket` of browsers. A page of another site is answered with 403. Where the websocket cannot be
 * opened, `socket` gets `error` and `close` with 1006. Throws OptionError for a `Request` that did not come to a server
 * of this package, such as a copy.
 */
export function upgradeWebSocket(request: Request, options: UpgradeWebSocketOptions = {}): WebSocketUpgrade {
  const served = servedRequest(request);
  if (served === null) throw new OptionError("upgradeWebSocket needs the Request that fetch was called with, no copy");
  const socket = new ServerWebSocket(request.url);
  const refusal = refusalOf(served);
  if (refusal !== null) {
    const { status, text, headers = {} } = refusal;
    queueMicrotask(() => socket.failed());
    return { socket, response: new Response(text, { status, headers: { "Content-Type": "text/plain", ...headers } }) };
  }
  const response = handover((taken) => {
    waiting.set(taken, { socket, options });
    SocketHandler.serve(taken, [], options);
    if (socket.readyState === ServerWebSocket.CONNECTING) socket.failed();
  });
  return { socket, response };
}
