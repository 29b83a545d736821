/**
 * Tornado's WebSocketHandler: a RequestHandler whose answer is a websocket. Each object of a subclass is one of them.
 *
 *     initialize → prepare → the origin is checked → 101 → onFinish → open → onMessage, … → onClose
 *
 * Invariant: `open` comes first and `onClose` last, each once; messages come one after the other, the next one when the
 * last one's promise has resolved. A request that is refused makes an object, which may choose what to refuse, and
 * calls neither.
 *
 * Reference: docs/websocket.md; Tornado's websocket.WebSocketHandler for the names; RFC 6455.
 */
import { constants } from "node:buffer";
import { UINT31_MAX, wholeNumber } from "../core/check.js";
import type { Data } from "../core/data.js";
import { HTTPOutputError, OptionError } from "../core/errors.js";
import { WS_MESSAGE_BYTES_MAX } from "../core/limits.js";
import type { HTTPServerRequest } from "../http/request.js";
import { type ConnectionSettings, WebSocketConnection, type WebSocketEvents } from "../websocket/connection.js";
import { BAD_EXTENSIONS, FOREIGN_ORIGIN, type Refusal, refusalOf, subprotocolsOf } from "../websocket/handshake.js";
import { messageData } from "../websocket/message.js";
import {
  type Agreement,
  type MessageCompressionOptions,
  negotiate,
  parseExtensions,
} from "../websocket/permessagedeflate.js";
import { Application } from "./application.js";
import { callOnFinish } from "./execute.js";
import type { HandlerCookieAttributes } from "./handlerclass.js";
import type { PathArgument } from "./pathpattern.js";
import { RequestHandler } from "./requesthandler.js";
import { foreignOrigin } from "./xsrf.js";

/** Marks the class, also for another copy of this package. @internal */
export const WEBSOCKET_BRAND = Symbol.for("waterspout.websocket");

/**
 * What a handler's class says of itself, as static fields, and `serve` may say instead. What neither says is said by
 * the settings of the application.
 */
export interface WebSocketSettings {
  /**
   * Milliseconds between pings to the peer. Default: the application's `websocketPingIntervalMs`, else 0: none are
   * sent.
   */
  readonly websocketPingIntervalMs: number | undefined;
  /**
   * Milliseconds in which a pong must come after a ping, at most the interval; 0: none need come. Default: the
   * application's `websocketPingTimeoutMs`, else the interval.
   */
  readonly websocketPingTimeoutMs: number | undefined;
  /**
   * Bytes of one message, inflated; a larger one closes with 1009. Default: the application's
   * `websocketMaxMessageBytes`, else 10 MiB.
   */
  readonly maxMessageBytes: number | undefined;
}

/** A subclass of WebSocketHandler. */
type WebSocketClass = new (application: Application, request: HTTPServerRequest) => WebSocketHandler;

/** Of handlers that serve a request without an application. */
let standalone: Application | null = null;

/** `User`: what `getCurrentUser` gives; `Own`: the settings of the application's own. */
export class WebSocketHandler<
  User = unknown,
  Own extends object = Readonly<Record<string, unknown>>,
> extends RequestHandler<User, Own> {
  static override readonly SUPPORTED_METHODS: readonly string[] = ["GET"];
  /** @internal */
  static readonly [WEBSOCKET_BRAND] = true;
  /** Milliseconds between pings: see WebSocketSettings. Default: the application's, else 0: none are sent. */
  static websocketPingIntervalMs: number | undefined = undefined;
  /** Milliseconds in which a pong must come: see WebSocketSettings. Default: the application's, else the interval. */
  static websocketPingTimeoutMs: number | undefined = undefined;
  /** Bytes of one message, inflated. Default: the application's `websocketMaxMessageBytes`, else 10 MiB. */
  static maxMessageBytes: number | undefined = undefined;

  #connection: WebSocketConnection | null = null;
  #subprotocol: string | null = null;
  /** What `serve` was given. */
  #settings: Partial<WebSocketSettings> = {};

  /**
   * Answers a request without an application: accepts the websocket with an object of this class and calls its `open`
   * with `args`, or refuses it: 405, 400, 426 or 403. What the class's own methods throw before that is logged and
   * answered with 500, as are settings out of their range. Does nothing when the peer is gone. Throws HTTPOutputError
   * when the request has been answered.
   */
  static serve(
    this: WebSocketClass,
    request: HTTPServerRequest,
    args: readonly unknown[] = [],
    settings: Partial<WebSocketSettings> = {},
  ): void {
    if (request.started) throw new HTTPOutputError("the request has been answered");
    standalone ??= new Application();
    const handler = new this(standalone, request);
    handler.#settings = settings;
    void handler.execute(args as readonly PathArgument[], undefined, request.logger);
  }

  // --- to be overridden ---

  /**
   * The websocket is open; `args` are what the groups of the route's pattern hold, or what `serve` was given. Messages
   * wait for a promise that this returns.
   */
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
   * Whether a page of this origin may open the websocket; called when the request has an Origin, as all of browsers
   * have. False is answered with 403. Default: when the browser says by Sec-Fetch-Site that the page is of the same
   * origin, or the origin is that of the host that the request went to, or one of `trustedOrigins`, see
   * `checkTrustedOrigin`.
   */
  checkOrigin(_origin: string): boolean {
    return foreignOrigin(this.request, (origin) => this.checkTrustedOrigin(origin)) === null;
  }

  /** Chooses one of the subprotocols that the client offers, null for none. Default: none. The list may be empty. */
  selectSubprotocol(_subprotocols: readonly string[]): string | null {
    return null;
  }

  /** How to compress messages, if the client offers it (permessage-deflate). Default: null, not at all. */
  getCompressionOptions(): MessageCompressionOptions | null {
    return null;
  }

  // --- to be called ---

  /**
   * Sends a message: a string as text, a plain object as text, too, in JSON, bytes as a binary message, unless `binary`
   * says otherwise. Resolves when there is room for it within the write window, so that a handler that waits for it
   * holds little for a slow peer; rejects with WebSocketClosedError when the websocket is closed. It may be ignored: a
   * peer for which more than `writeBufferBytesMax` would wait is closed with 1013, this message and all that wait are
   * dropped, and the promise rejects with StreamBufferFullError.
   *
   * Bytes must not be changed before that. Throws TypeError for anything else, or for bytes that are to be text and are
   * not UTF-8.
   */
  writeMessage(message: Data | object, binary?: boolean): Promise<void> {
    const data = messageData(message);
    return this.#live().send(data, binary ?? typeof data !== "string");
  }

  /** Sends a ping of at most 125 bytes. Does nothing when the websocket is closed. */
  ping(data: Data = ""): void {
    this.#live().ping(data);
  }

  /**
   * Closes the websocket once what was written has been sent: with a code (1000 to 1014 as registered, 3000 to 4999)
   * and a reason of at most 123 bytes, or neither. No more messages are handed over; `onClose` comes when the peer has
   * answered, or after five seconds. Calling it again changes nothing.
   */
  close(code?: number, reason?: string): void {
    this.#live().close(code, reason);
  }

  /**
   * Drops the connection at once, with what waits for it: for peers that do not read. The peer sees 1006, as `onClose`
   * does.
   */
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

  /**
   * The code of the peer's close frame; 1005: it had none; 1006: the connection was lost. Null while it is not closed.
   */
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

  /** Throws HTTPOutputError once the websocket is open: its 101 has left. So do the other methods of answers. */
  override setStatus(status: number, reason?: string): void {
    this.#checkHead("setStatus()");
    super.setStatus(status, reason);
  }

  /** As for every handler; throws HTTPOutputError once the websocket is open. */
  override setCookie(name: string, value: Data, attributes: HandlerCookieAttributes = {}): void {
    this.#checkHead("setCookie()");
    super.setCookie(name, value, attributes);
  }

  #checkHead(method: string): void {
    if (this.#connection !== null) throw new HTTPOutputError(`${method} after the websocket has been opened`);
  }

  #live(): WebSocketConnection {
    if (this.#connection === null) throw new OptionError("the websocket is not open yet; wait for open()");
    return this.#connection;
  }

  /** Answers the opening handshake. Override `open` instead. */
  override get(...args: PathArgument[]): void {
    const { request } = this;
    const refusal = refusalOf(request) ?? this.#refusalOfOrigin();
    if (refusal !== null) return this.#refuse(refusal);
    const extensions = parseExtensions(request.headers.get("sec-websocket-extensions") ?? "");
    if (extensions === null) return this.#refuse(BAD_EXTENSIONS);
    const wanted = this.getCompressionOptions();
    const compression = wanted === null ? null : negotiate(extensions, wanted);
    const checked = this.#connectionSettings(compression);
    this.#subprotocol = this.#chooseSubprotocol();
    const fields: [string, string][] = [];
    if (this.#subprotocol !== null) fields.push(["Sec-WebSocket-Protocol", this.#subprotocol]);
    if (compression !== null) fields.push(["Sec-WebSocket-Extensions", compression.header]);
    const head = this.takeHead(fields);
    request.upgrade((bridge, id, peer, answered) => {
      this.#connection = new WebSocketConnection(bridge, id, peer, head, this as WebSocketEvents, checked);
      answered(101);
      return this.#connection;
    });
    callOnFinish(this);
    this.#connection?.open(args);
  }

  #refusalOfOrigin(): Refusal | null {
    const origin = this.request.headers.get("origin");
    return origin === null || this.checkOrigin(origin) ? null : FOREIGN_ORIGIN;
  }

  #refuse({ status, text, headers = {} }: Refusal): void {
    this.setStatus(status);
    this.setHeader("Content-Type", "text/plain");
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    this.finish(text);
  }

  #connectionSettings(compression: Agreement | null): ConnectionSettings {
    const given = this.#settings;
    const own = this.constructor as unknown as WebSocketSettings;
    const all = this.application.settings;
    const intervalMs = given.websocketPingIntervalMs ?? own.websocketPingIntervalMs ?? all.websocketPingIntervalMs ?? 0;
    const timeoutMs =
      given.websocketPingTimeoutMs ?? own.websocketPingTimeoutMs ?? all.websocketPingTimeoutMs ?? intervalMs;
    const bytesMax =
      given.maxMessageBytes ?? own.maxMessageBytes ?? all.websocketMaxMessageBytes ?? WS_MESSAGE_BYTES_MAX;
    return {
      maxMessageBytes: wholeNumber("maxMessageBytes", bytesMax, 1, constants.MAX_STRING_LENGTH),
      pingIntervalMs: wholeNumber("websocketPingIntervalMs", intervalMs, 0, UINT31_MAX),
      pingTimeoutMs: wholeNumber("websocketPingTimeoutMs", timeoutMs, 0, UINT31_MAX),
      compression,
      name: this.request.path,
      logger: this.logger,
    };
  }

  #chooseSubprotocol(): string | null {
    const offered = subprotocolsOf(this.request);
    const chosen = this.selectSubprotocol(offered) ?? null;
    if (offered.length === 0) return null;
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
