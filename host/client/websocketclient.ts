/**
 * Tornado's websocket_connect: websockets as a client, over the package ws, which is loaded with the first one.
 *
 * They do not go through the sandbox: what the server sends is read in this process, by ws. Invariant: messages come in
 * order and one at a time; while one waits to be read no more is taken from the socket, so that what waits is what came
 * in one read.
 */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { WebSocket } from "ws";
import { UINT31_MAX, wholeNumber } from "../core/check.js";
import { checkData, type Data } from "../core/data.js";
import { ConnectError, OptionError, WebSocketClosedError } from "../core/errors.js";
import { CLIENT_CONNECT_TIMEOUT_MS, CLIENT_WS_CLOSE_MS, WS_MESSAGE_BYTES_MAX } from "../core/limits.js";
import { type HeadersInput, HTTPHeaders } from "../http/headers.js";
import type { ClientSSLOptions } from "../tls/client.js";
import { Keepalive } from "../websocket/keepalive.js";
import { messageData } from "../websocket/message.js";
import type { MessageCompressionOptions } from "../websocket/permessagedeflate.js";
import { HTTPClientError, HTTPTimeoutError } from "./httpclienterrors.js";
import { milliseconds, tlsOptionsFor, toHeaders, toNodeHeaders, urlOf } from "./httprequest.js";
import { HTTPResponse } from "./httpresponse.js";

/** Options of `websocketConnect`. */
export interface WebSocketConnectOptions {
  /** Header fields of the opening handshake, such as Origin or Cookie. */
  headers?: HeadersInput | undefined;
  /** Is given each message, one after the other, and null at the end; then `readMessage` is not for use. */
  onMessage?: ((message: string | Buffer | null) => void | Promise<void>) | undefined;
  /** Milliseconds until the websocket is open. Default 20,000. */
  connectTimeoutMs?: number | undefined;
  /** Milliseconds between pings to the server. Default 0: none are sent. */
  pingIntervalMs?: number | undefined;
  /** Milliseconds in which a pong must come after a ping, at most the interval, the default; 0: none need come. */
  pingTimeoutMs?: number | undefined;
  /** Bytes of one message, inflated; a larger one closes with 1009. Default 10 MiB. */
  maxMessageBytes?: number | undefined;
  /** Subprotocols that are offered, the preferred one first. Default: none. */
  subprotocols?: readonly string[] | undefined;
  /** Offers permessage-deflate. Default: null, it is not offered. */
  compressionOptions?: MessageCompressionOptions | null | undefined;
  /** `false` takes any certificate, so that an attacker on the way can read along. Default true. */
  validateCert?: boolean | undefined;
  /** More of TLS. */
  sslOptions?: ClientSSLOptions | undefined;
  /** Ends the attempt to connect when it aborts; `websocketConnect` rejects with its reason. */
  signal?: AbortSignal | undefined;
}

/** Where to, with the options of `websocketConnect`. */
export interface WebSocketRequest extends WebSocketConnectOptions {
  /** `ws:` or `wss:`. */
  url: string | URL;
}

/**
 * Opens a websocket: `ws:` or `wss:`. Rejects with HTTPClientError when the server answers something else, with
 * ConnectError when there is no connection, with HTTPTimeoutError after `connectTimeoutMs`, with the signal's reason,
 * and with OptionError, HeaderError or TLSConfigError for options that cannot be.
 */
export async function websocketConnect(
  request: string | URL | WebSocketRequest,
  given: WebSocketConnectOptions = {},
): Promise<WebSocketClientConnection> {
  const isAlone = typeof request === "string" || request instanceof URL;
  const { url, ...options } = isAlone ? { ...given, url: request } : { ...given, ...request };
  const place = urlOf(url, ["ws:", "wss:"]);
  const timeoutMs = milliseconds("connectTimeoutMs", options.connectTimeoutMs ?? CLIENT_CONNECT_TIMEOUT_MS);
  const pingIntervalMs = wholeNumber("pingIntervalMs", options.pingIntervalMs ?? 0, 0, UINT31_MAX);
  const pingTimeoutMs = wholeNumber("pingTimeoutMs", options.pingTimeoutMs ?? pingIntervalMs, 0, UINT31_MAX);
  const settings = settingsOf(place, options);
  const { WebSocket } = await import("ws");
  options.signal?.throwIfAborted();
  const startedAt = performance.now();
  const socket = new WebSocket(place, [...(options.subprotocols ?? [])], settings);
  const headers = await opened(socket, place, timeoutMs, startedAt, options.signal);
  return new WebSocketClientConnection(socket, headers, pingIntervalMs, pingTimeoutMs, options.onMessage);
}

/** The declarations of ws lack one. */
type Settings = WebSocket.ClientOptions & { closeTimeout: number };

function settingsOf(url: URL, options: WebSocketConnectOptions): Settings {
  const { compressionOptions, validateCert } = options;
  const secure = url.protocol === "wss:" ? tlsOptionsFor(url, validateCert, options.sslOptions) : {};
  const { ALPNProtocols: _, ...tls } = secure; // a websocket of HTTP/1.1 is the only kind
  const {
    compressionLevel: level = 6,
    memLevel = 8,
    thresholdBytes,
    noContextTakeover = false,
  } = compressionOptions ?? {};
  const windowBits = compressionOptions?.maxWindowBits ?? 15;
  return {
    ...(tls as object),
    // The declarations of ws say less than node:http, which gets them, takes.
    headers: toNodeHeaders(toHeaders(options.headers ?? [])) as Record<string, string>,
    followRedirects: false,
    closeTimeout: CLIENT_WS_CLOSE_MS,
    maxPayload: wholeNumber("maxMessageBytes", options.maxMessageBytes ?? WS_MESSAGE_BYTES_MAX, 1),
    perMessageDeflate:
      compressionOptions == null
        ? false
        : {
            zlibDeflateOptions: { level, memLevel },
            threshold: thresholdBytes ?? 1024,
            clientNoContextTakeover: noContextTakeover,
            serverNoContextTakeover: noContextTakeover,
            clientMaxWindowBits: windowBits,
            serverMaxWindowBits: windowBits,
          },
  };
}

/** Resolves with the header fields of the server's 101. When it rejects, the connection is closed. */
function opened(
  socket: WebSocket,
  url: URL,
  timeoutMs: number,
  startedAt: number,
  signal: AbortSignal | undefined,
): Promise<HTTPHeaders> {
  return new Promise((resolve, reject) => {
    const end = (error: unknown): void => {
      settle();
      socket.on("error", () => {}); // of the end itself
      socket.terminate();
      reject(error);
    };
    const abort = (): void => end(signal?.reason);
    const timer = setTimeout(
      () => end(new HTTPTimeoutError(`timed out after ${timeoutMs} ms while connecting to ${url.host}`)),
      timeoutMs,
    );
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      socket.removeAllListeners();
    };
    let headers = new HTTPHeaders();
    socket.once("upgrade", (response) => {
      headers = headersOf(response);
    });
    socket.once("open", () => {
      settle();
      socket.pause(); // until a message is read
      resolve(headers);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => end(failed(url, error)));
    socket.once("unexpected-response", (_request: ClientRequest, response: IncomingMessage) => {
      const { statusCode: code = 0, statusMessage: reason = "" } = response;
      const fields = { code, reason, headers: headersOf(response), body: Buffer.alloc(0), effectiveUrl: url.href };
      const answer = new HTTPResponse({ ...fields, request: { url } }, startedAt);
      end(answer.error ?? new HTTPClientError(code, `HTTP ${code} opens no websocket`, { response: answer }));
    });
    signal?.addEventListener("abort", abort);
  });
}

function headersOf({ rawHeaders }: IncomingMessage): HTTPHeaders {
  return new HTTPHeaders(
    [],
    rawHeaders.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text)),
  );
}

function failed(url: URL, error: NodeJS.ErrnoException): Error {
  const { code } = error;
  if (code === undefined || code.startsWith("HPE_")) {
    return new HTTPClientError(599, `the answer opens no websocket: ${error.message}`, {
      code: "BAD_ANSWER",
      cause: error,
    });
  }
  return new ConnectError(code, `cannot connect to ${url.host}: ${error.message || code}`, { cause: error });
}

/** A websocket that `websocketConnect` has opened. */
export class WebSocketClientConnection implements AsyncIterable<string | Buffer> {
  /** Header fields of the server's answer to the opening handshake. */
  readonly headers: HTTPHeaders;
  readonly #socket: WebSocket;
  readonly #keepalive: Keepalive | null;
  readonly #messages: (string | Buffer)[] = [];
  #reader: ((message: string | Buffer | null) => void) | null = null;
  #hasCallback = false;
  #closeCode: number | null = null;
  #closeReason: string | null = null;

  /** @internal The socket is open and paused. */
  constructor(
    socket: WebSocket,
    headers: HTTPHeaders,
    pingIntervalMs: number,
    pingTimeoutMs: number,
    onMessage: WebSocketConnectOptions["onMessage"],
  ) {
    this.#socket = socket;
    this.headers = headers;
    socket.on("message", (data: Buffer, isBinary) => this.#take(isBinary ? data : data.toString()));
    socket.on("error", () => {}); // `close` follows, with the code
    socket.on("close", (code, reason) => this.#end(code, reason.toString()));
    this.#keepalive = pingIntervalMs === 0 ? null : this.#ping(pingIntervalMs, pingTimeoutMs);
    if (onMessage !== undefined) void this.#hand(onMessage);
  }

  /**
   * Resolves with the next message, text as a string and binary as a Buffer, or with null when the websocket is closed.
   * One call at a time; rejects with OptionError for a second one, and when there is an `onMessage`.
   */
  async readMessage(): Promise<string | Buffer | null> {
    if (this.#hasCallback) throw new OptionError("messages go to onMessage");
    return this.#read();
  }

  /** The messages up to the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string | Buffer> {
    for (let message = await this.readMessage(); message !== null; message = await this.readMessage()) yield message;
  }

  /**
   * Sends a message: a string as text, a plain object as text, too, in JSON, bytes as a binary message, unless `binary`
   * says otherwise. Resolves when the system has taken it; rejects with WebSocketClosedError when the websocket is
   * closed. Throws TypeError for anything else.
   */
  writeMessage(message: Data | object, binary?: boolean): Promise<void> {
    const data = messageData(message);
    checkData(data);
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new WebSocketClosedError("CLOSED"));
      this.#socket.send(data, { binary: binary ?? typeof data !== "string" }, (error) =>
        error == null ? resolve() : reject(new WebSocketClosedError("CLOSED")),
      );
    });
  }

  /** Sends a ping of at most 125 bytes. Does nothing when the websocket is closed. */
  ping(data: Data = ""): void {
    checkData(data);
    if (this.isOpen) this.#socket.ping(data);
  }

  /**
   * Closes the websocket once what was written has been sent: with a code (1000, or 3000 to 4999) and a reason of at
   * most 123 bytes, or neither. Messages that come after that are dropped. The end comes when the server has
   * answered, or after five seconds. Calling it again changes nothing. Throws OptionError for a code or reason that
   * cannot be sent.
   */
  close(code?: number, reason?: string): void {
    try {
      this.#socket.close(code, reason);
    } catch (cause) {
      throw new OptionError((cause as Error).message);
    }
    this.#socket.resume();
  }

  /** Drops the connection at once, with what waits for it. */
  abort(): void {
    this.#socket.terminate();
    this.#socket.resume();
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Bytes of messages that wait in this process because the server does not take them. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** The code of the server's close frame; 1005: it had none; 1006: the connection was lost. Null before the end. */
  get closeCode(): number | null {
    return this.#closeCode;
  }

  /** The words of the server's close frame. Null before the end. */
  get closeReason(): string | null {
    return this.#closeReason;
  }

  /** The subprotocol that the server has chosen; null: none. */
  get selectedSubprotocol(): string | null {
    return this.#socket.protocol || null;
  }

  #read(): Promise<string | Buffer | null> {
    if (this.#reader !== null) return Promise.reject(new OptionError("a message is being read already"));
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#closeCode !== null) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#reader = resolve;
      this.#socket.resume();
    });
  }

  #take(message: string | Buffer): void {
    if (!this.isOpen) return;
    if (this.#reader === null) this.#messages.push(message);
    else this.#give(message);
    this.#socket.pause();
  }

  #give(message: string | Buffer | null): void {
    const reader = this.#reader;
    this.#reader = null;
    reader?.(message);
  }

  #end(code: number, reason: string): void {
    this.#keepalive?.stop();
    this.#closeCode = code;
    this.#closeReason = reason;
    this.#give(null);
  }

  #ping(intervalMs: number, timeoutMs: number): Keepalive {
    const keepalive = new Keepalive(intervalMs, timeoutMs, {
      ping: (left) => {
        this.ping();
        left();
      },
      isHeldUp: () => this.#socket.isPaused,
      timedOut: () => this.abort(),
    });
    this.#socket.on("pong", () => keepalive.answered());
    return keepalive;
  }

  /** What the callback throws is an unhandled rejection: there is no caller who waits for it. */
  async #hand(onMessage: NonNullable<WebSocketConnectOptions["onMessage"]>): Promise<void> {
    this.#hasCallback = true;
    for (let message = await this.#read(); message !== null; message = await this.#read()) await onMessage(message);
    await onMessage(null);
  }
}
