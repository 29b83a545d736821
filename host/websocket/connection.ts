/**
 * One websocket: the frames of the bridge on one side, its handler on the other.
 *
 * States: open; ending, from WS_ENDING on: no more messages come, and those that have come are still answered, the last
 * thing that is sent being a close; closing, from our close to WS_CLOSED; over. While closing messages are dropped and
 * nothing more is sent; WS_CLOSED, ABORT (when it met our WS_ACCEPT) or the worker's end is the last that is heard, and
 * the handler hears of it exactly once.
 *
 * Invariant: a frame that does not fit the state is a ProtocolError; what user code throws never reaches the bridge: it
 * is logged and closes this websocket with 1011.
 */
import { isUtf8 } from "node:buffer";
import type { Bridge, FrameTaker, Peer } from "../bridge/bridge.js";
import {
  FRAME_ABORT,
  FRAME_CANCEL,
  FRAME_END,
  FRAME_SENT,
  FRAME_WS_ACCEPT,
  FRAME_WS_CLOSED,
  FRAME_WS_DATA,
  FRAME_WS_ENDING,
  FRAME_WS_PING,
  FRAME_WS_PONG,
  put16,
  put32,
  WS_ACCEPT_BYTES,
  WS_ACCEPT_DEFLATE,
  WS_CLOSED_BYTES,
} from "../bridge/frames.js";
import { type Data, toBytes } from "../core/data.js";
import {
  OptionError,
  ProtocolError,
  type Reason,
  reasonName,
  StreamBufferFullError,
  WebSocketClosedError,
} from "../core/errors.js";
import { WS_CONTROL_BYTES_MAX } from "../core/limits.js";
import type { Logger } from "../core/log.js";
import { ignore } from "../core/promises.js";
import type { HeaderBlock } from "../http/headers.js";
import { Deflater, Inflater } from "./deflate.js";
import { Keepalive } from "./keepalive.js";
import type { Agreement } from "./permessagedeflate.js";
import { BINARY, MessageReceiver, type MessageTaker, TEXT } from "./receiver.js";
import { MessageSender, TAKEN } from "./sender.js";

const CLOSE_NORMAL = 1000;
const CLOSE_NO_CODE = 1005;
const CLOSE_ABNORMAL = 1006;
const CLOSE_ERROR = 1011;
const CLOSE_TRY_AGAIN = 1013;
/** A close frame's code takes two bytes of it. */
const CLOSE_REASON_BYTES_MAX = WS_CONTROL_BYTES_MAX - 2;
const NO_WORDS = Buffer.alloc(0);

/** The handler, as far as it is called from here. */
export interface WebSocketEvents {
  open(...args: readonly unknown[]): unknown;
  onMessage(message: string | Buffer): unknown;
  onPing(data: Buffer): unknown;
  onPong(data: Buffer): unknown;
  onClose(): unknown;
}

export interface ConnectionSettings {
  readonly maxMessageBytes: number;
  /** 0: no pings. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** Null: messages travel as they are. */
  readonly compression: Agreement | null;
  /** For the log: the client of the websocket. */
  readonly name: string;
  readonly logger: Logger;
}

export class WebSocketConnection implements FrameTaker, MessageTaker {
  readonly noun = "websocket";
  /** The peer's code, 1005 or 1006; null while it is not over. */
  closeCode: number | null = null;
  closeReason: string | null = null;
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #peer: Peer | null;
  readonly #events: WebSocketEvents;
  readonly #settings: ConnectionSettings;
  readonly #receiver: MessageReceiver;
  readonly #sender: MessageSender;
  readonly #deflater: Deflater | null;
  readonly #keepalive: Keepalive | null;
  /** Why nothing can be sent any more. */
  #closed: WebSocketClosedError | null = null;
  /** WS_ENDING has come. */
  #ending = false;
  #over = false;

  /** Accepts the request with this id; `fields` go into the answer. */
  constructor(
    bridge: Bridge,
    id: number,
    peer: Peer | null,
    fields: HeaderBlock,
    events: WebSocketEvents,
    settings: ConnectionSettings,
  ) {
    const { compression, maxMessageBytes } = settings;
    this.#bridge = bridge;
    this.#id = id;
    this.#peer = peer;
    this.#events = events;
    this.#settings = settings;
    this.#deflater = compression === null ? null : new Deflater(compression.deflate);
    const inflater = compression === null ? null : new Inflater(compression.inflate, maxMessageBytes);
    this.#receiver = new MessageReceiver(bridge, id, maxMessageBytes, inflater, this);
    this.#sender = new MessageSender(bridge, id);
    this.#accept(fields);
    this.#keepalive = settings.pingIntervalMs === 0 ? null : this.#keepAlive();
  }

  /** Calls the handler's open; messages wait for what it returns. */
  open(args: readonly unknown[]): void {
    const opened = this.#call("open", () => this.#events.open(...args));
    if (opened === undefined) this.#receiver.start();
    else void opened.then(() => this.#receiver.start());
  }

  // --- what a handler does ---

  get isOpen(): boolean {
    return this.#closed === null;
  }

  get waiting(): number {
    return this.#sender.waiting;
  }

  /** Resolves when the window has taken the message. Throws TypeError for what is no data. */
  send(message: Data, binary: boolean): Promise<void> {
    if (this.#closed !== null) return rejected(this.#closed);
    const opcode = binary ? BINARY : TEXT;
    if (typeof message === "string" && this.#deflater === null && !this.#sender.isFull(message.length * 3)) {
      return this.#sender.text(opcode, message);
    }
    const bytes = toBytes(message);
    if (!binary && typeof message !== "string" && !isUtf8(bytes)) throw new TypeError("a text message must be UTF-8");
    if (this.#sender.isFull(bytes.length)) return rejected(this.#giveUp());
    const threshold = this.#settings.compression?.thresholdBytes ?? 0;
    if (this.#deflater === null || bytes.length < threshold) return this.#sender.bytes(opcode, bytes);
    const entry = this.#sender.hold(opcode, bytes.length);
    this.#deflater.push(bytes, (deflated) => this.#sender.fill(entry, deflated ?? bytes, deflated !== null));
    return entry.taken;
  }

  /** Throws OptionError for more than 125 bytes; does nothing when the websocket is closed. */
  ping(data: Data): void {
    const bytes = toBytes(data);
    if (bytes.length > WS_CONTROL_BYTES_MAX)
      throw new OptionError(`a ping holds at most ${WS_CONTROL_BYTES_MAX} bytes, not ${bytes.length}`);
    this.#sendPing(bytes);
  }

  /** Begins the closing handshake behind what waits; does nothing when it has begun. Throws OptionError. */
  close(code?: number, reason = ""): void {
    const text = Buffer.from(reason, "utf8");
    const number = code ?? (text.length > 0 ? CLOSE_NORMAL : 0);
    if (code !== undefined && !isSendable(code))
      throw new OptionError(`${code} is no code that a close frame may hold`);
    if (text.length > CLOSE_REASON_BYTES_MAX)
      throw new OptionError(`a close frame's reason holds at most ${CLOSE_REASON_BYTES_MAX} bytes, not ${text.length}`);
    if (this.#closed !== null) return;
    this.#shut("CLOSED");
    this.#sender.close(number, text);
  }

  /** Drops the connection without a closing handshake. */
  abort(): void {
    if (this.#over) return;
    this.#bridge.writer.empty(FRAME_CANCEL, this.#id);
    this.#bridge.written();
    this.#bridge.release(this.#id);
    this.#shut("CLOSED");
    this.#end(CLOSE_ABNORMAL, "", "CLOSED");
  }

  setNodelay(on: boolean): boolean {
    return this.#peer?.setNodelay?.(on) ?? false;
  }

  // --- frames ---

  receive(type: number, chunk: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME_WS_DATA:
        if (this.#ending) throw new ProtocolError("WS_DATA after WS_ENDING");
        return this.#receiver.receive(chunk, start, end);
      case FRAME_SENT:
        if (end - start !== 4) throw new ProtocolError("SENT");
        return this.#sender.sent(chunk.readUInt32LE(start));
      case FRAME_WS_PING:
      case FRAME_WS_PONG:
        return this.#takeControl(type, chunk, start, end);
      case FRAME_WS_ENDING:
        return this.#takeEnding(end - start);
      case FRAME_WS_CLOSED:
        return this.#takeClosed(chunk, start, end);
      case FRAME_ABORT:
        return this.#takeAbort(chunk, start, end);
      case FRAME_END: // of the request, before the sandbox saw WS_ACCEPT; WS_CLOSED follows
        return;
      default:
        throw new ProtocolError(`type 0x${type.toString(16)} for a websocket`);
    }
  }

  shed(): void {
    if (this.#closed === null) this.close(CLOSE_TRY_AGAIN, "the server is busy");
    else this.abort();
  }

  lost(): void {
    this.#end(CLOSE_ABNORMAL, "", "WORKER");
  }

  // --- messages, from the receiver ---

  take(message: string | Buffer): void | Promise<void> {
    return this.#call("onMessage", () => this.#events.onMessage(message));
  }

  refuse(code: number, reason: string): void {
    this.close(code, reason);
  }

  // --- inside ---

  #accept({ rows, bytes }: HeaderBlock): void {
    const { writer } = this.#bridge;
    const at = writer.open(FRAME_WS_ACCEPT, this.#id, WS_ACCEPT_BYTES + bytes.length);
    put32(writer.buffer, at, this.#settings.maxMessageBytes);
    writer.buffer[at + 4] = this.#settings.compression === null ? 0 : WS_ACCEPT_DEFLATE;
    writer.buffer[at + 5] = 0;
    put16(writer.buffer, at + 6, rows);
    writer.buffer.set(bytes, at + WS_ACCEPT_BYTES);
    this.#bridge.written();
  }

  #keepAlive(): Keepalive {
    const { pingIntervalMs, pingTimeoutMs } = this.#settings;
    return new Keepalive(pingIntervalMs, pingTimeoutMs, {
      ping: (left) => this.#sendPing(Buffer.alloc(0), left),
      isHeldUp: () => this.#receiver.isHeldUp,
      timedOut: () => this.close(CLOSE_ERROR, "ping timed out"),
    });
  }

  #sendPing(bytes: Uint8Array, left = (): void => {}): void {
    if (this.#closed === null) this.#sender.ping(bytes, left);
  }

  #takeControl(type: number, chunk: Buffer, start: number, end: number): void {
    if (end - start > WS_CONTROL_BYTES_MAX) throw new ProtocolError(`a ping or pong of ${end - start} bytes`);
    if (this.#ending) throw new ProtocolError("a ping or pong after WS_ENDING");
    if (type === FRAME_WS_PONG) this.#keepalive?.answered();
    if (this.#closed !== null) return;
    const data = Buffer.from(chunk.subarray(start, end));
    if (type === FRAME_WS_PING) void this.#call("onPing", () => this.#events.onPing(data));
    else void this.#call("onPong", () => this.#events.onPong(data));
  }

  /**
   * The peer has sent its last. Its close frame waits in the sandbox for our word that all messages have been answered.
   */
  #takeEnding(size: number): void {
    if (size !== 0 || this.#ending) throw new ProtocolError("WS_ENDING");
    this.#ending = true;
    this.#keepalive?.stop();
    this.#receiver.end(() => {
      if (this.#closed !== null) return;
      this.#shut("CLOSED");
      this.#sender.close(0, NO_WORDS);
    });
  }

  #takeClosed(chunk: Buffer, start: number, end: number): void {
    const textAt = start + WS_CLOSED_BYTES;
    if (textAt > end || end - textAt > CLOSE_REASON_BYTES_MAX) throw new ProtocolError("WS_CLOSED");
    const code = chunk.readUInt16LE(start);
    const reason = reasonName(chunk.readUInt16LE(start + 2));
    const known = isSendable(code) || code === CLOSE_NO_CODE || code === CLOSE_ABNORMAL;
    const text = chunk.subarray(textAt, end);
    if (!known || reason === undefined || !isUtf8(text)) throw new ProtocolError("WS_CLOSED with no meaning");
    this.#bridge.forget(this.#id);
    this.#end(code, text.toString("utf8"), reason);
  }

  /**
   * The peer takes its messages too slowly. Without a message in between it could not know that one is missing, so
   * the websocket is closed.
   */
  #giveUp(): StreamBufferFullError {
    const what = `${this.waiting} bytes wait for the websocket ${this.#settings.name} (writeBufferBytesMax)`;
    const text = `${what}: it is closed with ${CLOSE_TRY_AGAIN}`;
    this.#settings.logger.warn(text);
    this.#shut("BUFFER_FULL");
    this.#deflater?.close();
    this.#sender.closeNow(CLOSE_TRY_AGAIN, this.#closed as WebSocketClosedError);
    return new StreamBufferFullError(text);
  }

  /** The connection was gone before the sandbox saw WS_ACCEPT. */
  #takeAbort(chunk: Buffer, start: number, end: number): void {
    const reason = end - start === 2 ? reasonName(chunk.readUInt16LE(start)) : undefined;
    if (reason === undefined) throw new ProtocolError("ABORT for an unknown reason");
    this.#bridge.forget(this.#id);
    this.#end(CLOSE_ABNORMAL, "", reason);
  }

  /** From here on nothing is sent but what waits, and nothing is handed to the handler but the end. */
  #shut(reason: Reason): void {
    this.#closed ??= new WebSocketClosedError(reason);
    this.#keepalive?.stop();
    this.#receiver.drop();
  }

  #end(code: number, text: string, reason: Reason): void {
    this.#over = true;
    this.#closed ??= new WebSocketClosedError(reason);
    this.closeCode = code;
    this.closeReason = text;
    this.#keepalive?.stop();
    this.#deflater?.close();
    this.#sender.fail(this.#closed);
    this.#receiver.end(() => void this.#call("onClose", () => this.#events.onClose()));
  }

  /** Calls user code. What it throws is logged and closes the websocket. */
  #call(name: string, code: () => unknown): undefined | Promise<void> {
    try {
      const result = code();
      if (result === TAKEN || !isThenable(result)) return undefined;
      return Promise.resolve(result).then(
        () => {},
        (error) => this.#failed(name, error),
      );
    } catch (error) {
      this.#failed(name, error);
      return undefined;
    }
  }

  #failed(name: string, error: unknown): void {
    const { logger } = this.#settings;
    if (error instanceof WebSocketClosedError && this.#closed !== null)
      logger.debug({ err: error }, `${name} has ended early`);
    else logger.error({ err: error }, `${name} of the websocket ${this.#settings.name} failed`);
    this.close(CLOSE_ERROR);
  }
}

/** Codes that may stand in a close frame (RFC 6455 7.4, and IANA's registry). */
function isSendable(code: number): boolean {
  const registered = Number.isInteger(code) && code >= 1000 && code <= 1014 && code !== 1004;
  if (registered) return code !== CLOSE_NO_CODE && code !== CLOSE_ABNORMAL;
  return Number.isInteger(code) && code >= 3000 && code <= 4999;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}

function rejected(error: Error): Promise<void> {
  return ignore(Promise.reject(error));
}
