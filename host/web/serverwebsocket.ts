/**
 * A websocket of the server as the `WebSocket` of browsers: `socket.onmessage = …`, `socket.send(…)`.
 *
 * Invariants: what a listener throws, or its promise rejects with, reaches the connection, which logs it and closes
 * with 1011, and never the process; the next message waits for the promises of the last one's listeners.
 * Reference: https://websockets.spec.whatwg.org/.
 */
import type { WebSocketHandler } from "./websockethandler.js";

/** The event `close`. */
export class WebSocketCloseEvent extends Event {
  constructor(
    /** The client's code; 1005: it had none; 1006: the connection was lost, or never was. */
    readonly code: number,
    /** The client's words. */
    readonly reason: string,
  ) {
    super("close");
  }

  /** Whether the client has closed the websocket in order. */
  get wasClean(): boolean {
    return this.code !== CLOSE_ABNORMAL;
  }
}

/** The events of a websocket, by their names. */
export interface ServerWebSocketEvents {
  /** Messages can be sent. */
  open: Event;
  /** A message: text, or bytes as `binaryType` says. */
  message: MessageEvent;
  /** The last one. */
  close: WebSocketCloseEvent;
  /** The websocket could not be opened; `close` follows. */
  error: Event;
}

/** Is called with an event; its promise holds back the next message. */
type Listener<Type extends keyof ServerWebSocketEvents> = (event: ServerWebSocketEvents[Type]) => unknown;
/** A listener of any event. */
type AnyListener = (event: Event) => unknown;
/** What `addEventListener` takes: `once`, `signal`. */
type ListenerOptions = Parameters<EventTarget["addEventListener"]>[2];

const CLOSE_ABNORMAL = 1006;
const TYPES = ["open", "message", "close", "error"] as const;

/** A websocket that a client has opened. The promise of a listener holds back the next message. */
export class ServerWebSocket extends EventTarget {
  /** 0, `readyState` before `open`. */
  static readonly CONNECTING = 0;
  /** 1, `readyState` while messages can be sent. */
  static readonly OPEN = 1;
  /** 2, `readyState` after `close()`. */
  static readonly CLOSING = 2;
  /** 3, `readyState` from the event `close` on. */
  static readonly CLOSED = 3;
  /** Called at `open`. */
  declare onopen: Listener<"open"> | null;
  /** Called with each message. */
  declare onmessage: Listener<"message"> | null;
  /** Called at `close`. */
  declare onclose: Listener<"close"> | null;
  /** Called at `error`. */
  declare onerror: Listener<"error"> | null;
  /** What binary messages are given as. Default: `"arraybuffer"`. */
  binaryType: "arraybuffer" | "blob" = "arraybuffer";
  /** The address that the client has asked for. */
  readonly url: string;
  #handler: WebSocketHandler | null = null;
  #isClosed = false;
  readonly #guards = new WeakMap<AnyListener, (event: Event) => void>();
  readonly #own = new Map<string, AnyListener>();
  /** What the listeners of the event at hand have given, and thrown. */
  #given: unknown[] = [];
  #thrown: unknown[] = [];

  static {
    for (const type of TYPES) {
      Object.defineProperty(ServerWebSocket.prototype, `on${type}`, {
        get(this: ServerWebSocket) {
          return this.#own.get(type) ?? null;
        },
        set(this: ServerWebSocket, listener: AnyListener | null) {
          this.#setOwn(type, listener);
        },
      });
    }
  }

  /** @internal */
  constructor(url: string) {
    super();
    this.url = url.replace(/^http/, "ws");
  }

  /** 0 to 3: CONNECTING, OPEN, CLOSING, CLOSED. */
  get readyState(): number {
    if (this.#isClosed) return ServerWebSocket.CLOSED;
    if (this.#handler === null) return ServerWebSocket.CONNECTING;
    return this.#handler.isOpen ? ServerWebSocket.OPEN : ServerWebSocket.CLOSING;
  }

  /** The subprotocol that was agreed on; `""` without one. */
  get protocol(): string {
    return this.#handler?.selectedSubprotocol ?? "";
  }

  /** Bytes of messages that wait because the client does not take them. Beyond 16 MiB it is closed with 1013. */
  get bufferedAmount(): number {
    return this.#handler?.bufferedBytes ?? 0;
  }

  /**
   * Sends a message: a string as text, bytes as a binary one. Does nothing when the websocket is closed. Throws
   * `InvalidStateError` before `open`, TypeError for anything else, also a Blob.
   */
  send(data: string | ArrayBuffer | ArrayBufferView): void {
    if (this.readyState === ServerWebSocket.CONNECTING) throw new DOMException("not open yet", "InvalidStateError");
    void this.#handler?.writeMessage(typeof data === "string" ? data : bytesOf(data));
  }

  /** Closes it, as `WebSocketHandler.close` does. Throws OptionError for a code or reason that must not be sent. */
  close(code?: number, reason?: string): void {
    this.#handler?.close(code, reason);
  }

  /** Calls `listener` at each event of this name. */
  override addEventListener<Type extends keyof ServerWebSocketEvents>(
    type: Type,
    listener: Listener<Type>,
    options?: ListenerOptions,
  ): void;
  override addEventListener(type: string, listener: AnyListener, options?: ListenerOptions): void {
    super.addEventListener(type, this.#guard(listener), options);
  }

  /** Calls it no more. */
  override removeEventListener(type: string, listener: AnyListener, options?: ListenerOptions): void {
    super.removeEventListener(type, this.#guard(listener), options);
  }

  // --- its handler ---

  /** @internal */
  opened(handler: WebSocketHandler): void | Promise<void> {
    this.#handler = handler;
    return this.#tell(new Event("open"));
  }

  /** @internal */
  received(message: string | Buffer): void | Promise<void> {
    return this.#tell(
      new MessageEvent("message", { data: typeof message === "string" ? message : this.#data(message) }),
    );
  }

  /** @internal */
  closed(code: number | null, reason: string | null): void | Promise<void> {
    this.#isClosed = true;
    return this.#tell(new WebSocketCloseEvent(code ?? CLOSE_ABNORMAL, reason ?? ""));
  }

  /** @internal It was never opened. */
  failed(): void {
    this.#isClosed = true;
    void this.#tell(new Event("error"));
    void this.#tell(new WebSocketCloseEvent(CLOSE_ABNORMAL, ""));
  }

  #data(message: Buffer): ArrayBuffer | Blob {
    if (this.binaryType === "blob") return new Blob([new Uint8Array(message)]);
    return new Uint8Array(message).buffer;
  }

  #tell(event: Event): void | Promise<void> {
    this.#given = [];
    this.#thrown = [];
    this.dispatchEvent(event);
    const [given, thrown] = [this.#given, this.#thrown];
    if (thrown.length > 0) throw thrown[0];
    const isLater = given.some((result) => typeof (result as PromiseLike<unknown> | undefined)?.then === "function");
    if (isLater) return Promise.all(given).then(() => {});
  }

  /** `listener`, with what it gives or throws kept for `#tell`. */
  #guard(listener: AnyListener): (event: Event) => void {
    let guard = this.#guards.get(listener);
    if (guard === undefined) {
      guard = (event) => {
        try {
          this.#given.push(listener.call(this, event));
        } catch (error) {
          this.#thrown.push(error);
        }
      };
      this.#guards.set(listener, guard);
    }
    return guard;
  }

  #setOwn(type: string, listener: AnyListener | null): void {
    const before = this.#own.get(type);
    if (before !== undefined) this.removeEventListener(type, before);
    this.#own.delete(type);
    if (typeof listener !== "function") return;
    this.#own.set(type, listener);
    super.addEventListener(type, this.#guard(listener));
  }
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError("send() takes text or bytes; of a Blob the bytes are `await blob.arrayBuffer()`");
}
