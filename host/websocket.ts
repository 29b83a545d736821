/**
 * Tornado's WebSocketHandler: a class whose objects are one websocket each.
 *
 * Invariant: `open` comes first and `onClose` last, each once; messages come one after the other, the next one when the last one's
 * promise has resolved. A request that is refused makes an object, which may choose what to refuse, and calls neither.
 *
 * Reference: docs/websocket.md; Tornado's websocket.WebSocketHandler for the names; RFC 6455.
 */
import { constants } from "node:buffer";
import { OptionError } from "./errors.js";
import { encodeHeaders } from "./httpheaders.js";
import type { HTTPServerRequest } from "./httprequest.js";
import { WS_MESSAGE_BYTES_MAX } from "./limits.js";
import { isSameOrigin } from "./origins.js";
import type { Data } from "./outflow.js";
import { type Agreement, type MessageCompressionOptions, negotiate, parseExtensions } from "./permessagedeflate.js";
import { type ConnectionSettings, WebSocketConnection, type WebSocketEvents } from "./websocketconnection.js";
import { BAD_EXTENSIONS, FOREIGN_ORIGIN, refusalOf, refuse, subprotocolsOf } from "./websockethandshake.js";

/** Marks the class, also for another copy of this package. @internal */
export const WEBSOCKET_BRAND = Symbol.for("waterspout.websocket");

/** What a handler's class says of itself, as static fields, and `serve` may say instead. */
export interface WebSocketSettings {
  /** Milliseconds between pings to the peer. Default 0: none are sent. */
  readonly websocketPingIntervalMs: number;
  /** Milliseconds in which a pong must come after a ping, at most the interval, which is also the default. */
  readonly websocketPingTimeoutMs: number | undefined;
  /** Bytes of one message, inflated; a larger one closes with 1009. Default 10 MiB. */
  readonly maxMessageBytes: number;
}

type HandlerClass = WebSocketSettings & (new (request: HTTPServerRequest) => WebSocketHandler);

const TIMER_MS_MAX = 0x7fffffff;

export class WebSocketHandler {
  static readonly [WEBSOCKET_BRAND] = true;
  static websocketPingIntervalMs = 0;
  static websocketPingTimeoutMs: number | undefined = undefined;
  static maxMessageBytes = WS_MESSAGE_BYTES_MAX;

  /** The opening handshake. */
  readonly request: HTTPServerRequest;
  #connection: WebSocketConnection | null = null;
  #subprotocol: string | null = null;

  constructor(request: HTTPServerRequest) {
    this.request = request;
  }

  /**
   * Answers a request: accepts the websocket with an object of this class and calls its `open` with `args`, or refuses it: 405, 400, 426 or
   * 403. Does nothing when the peer is gone.
   *
   * Throws OptionError for settings out of their range, and what the class's own methods throw; nothing has been sent then.
   */
  static serve(
    this: HandlerClass,
    request: HTTPServerRequest,
    args: readonly unknown[] = [],
    settings: Partial<WebSocketSettings> = {},
  ): void {
    const refusal = refusalOf(request);
    if (refusal !== null) return refuse(request, refusal);
    const handler = new this(request);
    handler.#accept(args, settings);
  }

  // --- to be overridden ---

  /** The websocket is open. Messages wait for a promise that this returns. */
  open(..._args: never[]): void | Promise<void> {}

  /** A message: text as a string, binary as a Buffer. The next one waits for a promise that this returns. */
  onMessage(_message: string | Buffer): void | Promise<void> {
    throw new OptionError(`${this.constructor.name} has no onMessage`);
  }

  /** The websocket is closed: see `closeCode` and `closeReason`. Called once, after the last message. */
  onClose(): void | Promise<void> {}

  /** A ping has come, and has been answered. */
  onPing(_data: Buffer): void | Promise<void> {}

  /** A pong has come. */
  onPong(_data: Buffer): void | Promise<void> {}

  /**
   * Whether a page of this origin may open the websocket; called when the request has an Origin, as all of browsers have. Default: when it
   * is that of the host that the request went to. False is answered with 403.
   */
  checkOrigin(origin: string): boolean {
    return isSameOrigin(origin, this.request.host);
  }

  /** Chooses one of the subprotocols that the client offers, null for none. Default: none. Not called without any. */
  selectSubprotocol(_subprotocols: readonly string[]): string | null {
    return null;
  }

  /** How to compress messages, if the client offers it (permessage-deflate). Default: null, not at all. */
  getCompressionOptions(): MessageCompressionOptions | null {
    return null;
  }

  // --- to be called ---

  /**
   * Sends a message: a string as text, bytes as a binary message, unless `binary` says otherwise. Resolves when there is room for it within
   * the write window, so that whoever waits for it holds little for a slow peer; rejects with WebSocketClosedError when the websocket is closed.
   * Nobody has to listen: a peer for which more than `writeBufferBytesMax` would wait is closed with 1013, this message and all that wait
   * are dropped, and the promise rejects with StreamBufferFullError.
   *
   * Bytes must not be changed before that. Throws TypeError for anything else, or for bytes that are to be text and are not UTF-8.
   */
  writeMessage(message: Data, binary: boolean = typeof message !== "string"): Promise<void> {
    return this.#live().send(message, binary);
  }

  /** Sends a ping of at most 125 bytes. Does nothing when the websocket is closed. */
  ping(data: Data = ""): void {
    this.#live().ping(data);
  }

  /**
   * Closes the websocket once what was written has been sent: with a code (1000 to 1014 as registered, 3000 to 4999) and a reason of at most 123
   * bytes, or neither. No more messages are handed over; `onClose` comes when the peer has answered, or after five seconds. Calling it again
   * changes nothing.
   */
  close(code?: number, reason?: string): void {
    this.#live().close(code, reason);
  }

  /** Drops the connection at once, with what waits for it: for peers that do not read. The peer sees 1006, as `onClose` does. */
  abort(): void {
    this.#live().abort();
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#connection?.isOpen ?? false;
  }

  /** Bytes of messages that wait in this process because the peer does not take them. */
  get bufferedBytes(): number {
    return this.#connection?.waiting ?? 0;
  }

  /** The code of the peer's close frame; 1005: it had none; 1006: the connection was lost. Null while it is not closed. */
  get closeCode(): number | null {
    return this.#connection?.closeCode ?? null;
  }

  /** The words of the peer's close frame. Null while the websocket is not closed. */
  get closeReason(): string | null {
    return this.#connection?.closeReason ?? null;
  }

  /** What `selectSubprotocol` has chosen. */
  get selectedSubprotocol(): string | null {
    return this.#subprotocol;
  }

  /** Sets TCP_NODELAY, which is on by default, where this process holds the socket; returns whether it does. */
  setNodelay(on: boolean): boolean {
    return this.#live().setNodelay(on);
  }

  // --- inside ---

  #live(): WebSocketConnection {
    if (this.#connection === null) throw new OptionError("the websocket is not open yet; wait for open()");
    return this.#connection;
  }

  #accept(args: readonly unknown[], settings: Partial<WebSocketSettings>): void {
    const { request } = this;
    const origin = request.headers.get("origin");
    if (origin !== null && !this.checkOrigin(origin)) return refuse(request, FOREIGN_ORIGIN);
    const extensions = parseExtensions(request.headers.get("sec-websocket-extensions") ?? "");
    if (extensions === null) return refuse(request, BAD_EXTENSIONS);
    const wanted = this.getCompressionOptions();
    const compression = wanted === null ? null : negotiate(extensions, wanted);
    const own = settingsOf(this.constructor as unknown as WebSocketSettings);
    const checked = connectionSettings({ ...own, ...settings }, compression, request.path);
    this.#subprotocol = this.#chooseSubprotocol();
    const fields: [string, string][] = [];
    if (this.#subprotocol !== null) fields.push(["Sec-WebSocket-Protocol", this.#subprotocol]);
    if (compression !== null) fields.push(["Sec-WebSocket-Extensions", compression.header]);
    const block = encodeHeaders(fields);
    request.upgrade((bridge, id, peer) => {
      this.#connection = new WebSocketConnection(bridge, id, peer, block, this as WebSocketEvents, checked);
      return this.#connection;
    });
    this.#connection?.open(args);
  }

  #chooseSubprotocol(): string | null {
    const offered = subprotocolsOf(this.request);
    const chosen = offered.length === 0 ? null : this.selectSubprotocol(offered);
    if (chosen !== null && !offered.includes(chosen)) {
      throw new OptionError(`selectSubprotocol has chosen ${JSON.stringify(chosen)}, which was not offered`);
    }
    return chosen;
  }
}

/** Also true for a class of another copy of this package. @internal */
export function isWebSocketClass(value: unknown): value is typeof WebSocketHandler {
  return typeof value === "function" && (value as { [WEBSOCKET_BRAND]?: unknown })[WEBSOCKET_BRAND] === true;
}

function settingsOf(given: WebSocketSettings): WebSocketSettings {
  const { websocketPingIntervalMs, websocketPingTimeoutMs, maxMessageBytes } = given;
  return { websocketPingIntervalMs, websocketPingTimeoutMs, maxMessageBytes };
}

function connectionSettings(
  settings: WebSocketSettings,
  compression: Agreement | null,
  name: string,
): ConnectionSettings {
  const intervalMs = settings.websocketPingIntervalMs;
  const timeoutMs = settings.websocketPingTimeoutMs ?? intervalMs;
  return {
    maxMessageBytes: within("maxMessageBytes", settings.maxMessageBytes, 1, constants.MAX_STRING_LENGTH),
    pingIntervalMs: within("websocketPingIntervalMs", intervalMs, 0, TIMER_MS_MAX),
    pingTimeoutMs: within("websocketPingTimeoutMs", timeoutMs, intervalMs === 0 ? 0 : 1, TIMER_MS_MAX),
    compression,
    name,
  };
}

function within(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new OptionError(`${name} must be a whole number from ${min} to ${max}, not ${String(value)}`);
}
