/**
 * Tornado's IOStream for user code: promises in front of a stream that lives in the sandbox. `readUntil` is carried out
 * there; only `readUntilRegex`, and what it left for the reads behind it, is searched by the host.
 *
 * Invariants: at most one read is pending, and nothing is accepted that it did not ask for; a closed stream settles
 * every promise; the close callback is called once, after them.
 */

import type { Bridge, Endpoint, Peer } from "../bridge/bridge.js";
import {
  FRAME_CLOSE,
  FRAME_CLOSED,
  FRAME_DATA,
  FRAME_DATA_END,
  FRAME_END,
  FRAME_FEED,
  FRAME_FEED_END,
  FRAME_RAW,
  FRAME_RAW_FAILED,
  FRAME_READ_BYTES,
  FRAME_READ_FAILED,
  FRAME_READ_RAW,
  FRAME_READ_UNTIL,
  FRAME_SENT,
  FRAME_START_TLS,
  FRAME_WRITE,
  put32,
} from "../bridge/frames.js";
import { WriteWindow } from "../bridge/writewindow.js";
import { ByteQueue, piece } from "../core/bytequeue.js";
import { type Data, toBytes } from "../core/data.js";
import { ProtocolError, type Reason, readError, reasonName, StreamClosedError } from "../core/errors.js";
import { isTooMuchToHold, tooMuchToHold } from "../core/heldwrites.js";
import { FEED_BYTES_MAX } from "../core/limits.js";
import type { Logger } from "../core/log.js";
import { ignore } from "../core/promises.js";
import { BridgeSocket } from "../tls/bridgesocket.js";
import { type TLSInfo, tlsOf } from "../tls/contexts.js";
import type { TLSPlan } from "../tls/starttls.js";
import { BaseIOStream } from "./baseiostream.js";
import type { StreamSettings } from "./settings.js";

const AFTER_WRITES = 0;
const AT_ONCE = 1;

interface Read {
  /** Most bytes that may come. */
  max: number;
  /** Fewest bytes that may come. */
  min: number;
  delimiter: Uint8Array | null;
  parts: ByteQueue | null;
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
}

/** A connection that a server has accepted and the sandbox holds: Tornado's IOStream. */
export class IOStream extends BaseIOStream implements Endpoint {
  /** @internal */
  readonly noun = "connection";
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #writeWindow: WriteWindow;
  readonly #peer: Peer | null;
  #handler: ((stream: IOStream) => void) | null;
  #read: Read | null = null;
  /** TLS from startTls on. */
  #secured: BridgeSocket | null = null;
  /** Bytes that READ_RAW has asked for and that have not come; 0: none has no answer. */
  #rawWanted = 0;
  /** Why it is closed, once it is. */
  #reason: Reason | null = null;
  #error: StreamClosedError | null = null;
  #peerEnded = false;
  /** Its handler's promise is settled. */
  #handled = false;
  /** CLOSE has been sent, or CLOSED has come: the sandbox takes no more frames for it. */
  #ended = false;

  /** @internal */
  constructor(
    bridge: Bridge,
    id: number,
    peer: Peer | null,
    settings: StreamSettings,
    handler: (stream: IOStream) => void,
  ) {
    super(settings);
    this.#bridge = bridge;
    this.#peer = peer;
    this.#id = id;
    this.#handler = handler;
    this.#writeWindow = new WriteWindow(bridge.settings.writeWindow, (source, start, end, last) => {
      if (end > start) bridge.writer.bytes(FRAME_WRITE, id, source, start, end);
      if (last) this.#sendClose(AFTER_WRITES);
      bridge.written();
    });
  }

  override get closed(): boolean {
    return this.#reason !== null;
  }

  override get ended(): boolean {
    return this.#peerEnded;
  }

  override get error(): StreamClosedError | null {
    if (this.#reason !== null) this.#error ??= new StreamClosedError(this.#reason);
    return this.#error;
  }

  override setNodelay(on: boolean): boolean {
    return !this.closed && this.#peer?.setNodelay?.(on) === true;
  }

  // --- reading ---

  protected override get pulling(): boolean {
    return this.#read !== null;
  }

  protected override startUntil(delimiter: Uint8Array, maxBytes: number): Promise<Buffer> {
    return this.#start(Math.min(delimiter.length, maxBytes), maxBytes, delimiter, () => {
      const { writer } = this.#bridge;
      const at = writer.open(FRAME_READ_UNTIL, this.#id, 4 + delimiter.length);
      put32(writer.buffer, at, maxBytes);
      writer.buffer.set(delimiter, at + 4);
    });
  }

  protected override startBytes(bytes: number): Promise<Buffer> {
    return this.#start(bytes, bytes, null, () => {
      this.#bridge.writer.numbers(FRAME_READ_BYTES, this.#id, bytes, 0);
    });
  }

  protected override pull(bytesMax: number): Promise<Buffer> {
    return this.#start(1, bytesMax, null, () => {
      this.#bridge.writer.numbers(FRAME_READ_BYTES, this.#id, bytesMax, 1);
    });
  }

  #start(min: number, max: number, delimiter: Uint8Array | null, send: () => void): Promise<Buffer> {
    if (this.#reason !== null) return Promise.reject(new StreamClosedError(this.#reason));
    send();
    this.#bridge.written();
    return new Promise((resolve, reject) => {
      this.#read = { max, min, delimiter, parts: null, resolve, reject };
      this.#secured?.want(delimiter === null ? Math.min(max, FEED_BYTES_MAX) : max);
    });
  }

  // --- writing ---

  override write(data: Data): Promise<void> {
    const bytes = toBytes(data);
    const refusal = this.#reason === null ? this.securing : new StreamClosedError(this.#reason);
    if (refusal !== null) return ignore(Promise.reject(refusal));
    const { writeBufferBytesMax } = this.#bridge.settings;
    if (this.#isFull(writeBufferBytesMax, bytes.length)) throw tooMuchToHold(writeBufferBytesMax);
    if (this.#secured !== null) return this.#writeSecured(this.#secured, bytes);
    this.#writeWindow.push(bytes);
    return this.#writeWindow.done();
  }

  #isFull(bytesMax: number, bytes: number): boolean {
    if (this.#secured === null) return this.#writeWindow.isFull(bytesMax, bytes);
    const { waiting } = this.#secured;
    return waiting > 0 && isTooMuchToHold(bytesMax, waiting, bytes);
  }

  #writeSecured(secured: BridgeSocket, bytes: Uint8Array): Promise<void> {
    return ignore(secured.write(bytes).catch(() => Promise.reject(this.error ?? new StreamClosedError("IO"))));
  }

  protected override get unsent(): number {
    return this.#secured === null ? this.#writeWindow.waiting : this.#secured.waiting;
  }

  protected override flushed(): Promise<void> {
    return this.#writeWindow.done();
  }

  // --- TLS ---

  protected override async secure(plan: TLSPlan, early: Buffer | null): Promise<TLSInfo | null> {
    const { writer } = this.#bridge;
    const secured = new BridgeSocket({
      readRaw: (bytesMax) => {
        if (this.#ended || this.#rawWanted > 0) return;
        this.#rawWanted = bytesMax;
        writer.number(FRAME_READ_RAW, this.#id, bytesMax);
        this.#bridge.written();
      },
      writeRaw: (bytes) => {
        this.#writeWindow.push(bytes);
        return this.#writeWindow.done();
      },
      feed: (bytes) => {
        if (this.#ended) return;
        if (bytes === null) writer.empty(FRAME_FEED_END, this.#id);
        else writer.bytes(FRAME_FEED, this.#id, bytes, 0, bytes.length);
        this.#bridge.written();
      },
      closeRaw: () => this.#writeWindow.end(),
      failed: () => this.closeFor("IO"),
    });
    writer.empty(FRAME_START_TLS, this.#id);
    this.#secured = secured;
    try {
      return tlsOf(await secured.handshake(plan, this.#peer?.address ?? null, early));
    } catch (error) {
      this.closeFor("IO");
      throw error;
    }
  }

  // --- closing ---

  override close(): void {
    if (this.#reason !== null) return;
    if (this.#secured?.agreed === false) return this.closeFor("CLOSED");
    this.#reason = "CLOSED";
    this.dropHeld();
    this.#settleRead("CLOSED");
    if (this.#secured === null) this.#writeWindow.end();
    else this.#secured.end();
    this.announceClose();
  }

  override abort(): void {
    this.closeFor("CLOSED");
  }

  protected override closeFor(reason: Reason): void {
    if (this.#ended) return;
    const why = this.#reason ?? reason;
    this.#reason = why;
    this.dropHeld();
    this.#writeWindow.fail(() => new StreamClosedError(why));
    this.#sendClose(AT_ONCE);
    this.#bridge.written();
    this.#secured?.destroy(new StreamClosedError(why));
    this.#settleRead(why);
    this.announceClose();
  }

  #sendClose(how: number): void {
    this.#ended = true;
    this.#bridge.writer.number(FRAME_CLOSE, this.#id, how);
  }

  // --- frames ---

  /** @internal */
  run(): void {
    const handler = this.#handler;
    this.#handler = null;
    handler?.(this);
  }

  /** @internal */
  receive(type: number, chunk: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME_DATA_END:
        return this.#takeData(chunk, start, end, true);
      case FRAME_DATA:
        return this.#takeData(chunk, start, end, false);
      case FRAME_SENT:
        if (end - start !== 4) throw new ProtocolError("SENT");
        return this.#writeWindow.sent(chunk.readUInt32LE(start));
      case FRAME_READ_FAILED:
        if (this.#read === null && !this.closed) throw new ProtocolError("READ_FAILED without a read");
        return this.#settleRead(takeReason(chunk, start, end));
      case FRAME_END:
        if (start !== end || this.#peerEnded) throw new ProtocolError("END");
        return this.#takeEnd();
      case FRAME_CLOSED:
        return this.#takeClosed(takeReason(chunk, start, end));
      case FRAME_RAW:
        this.#takeRaw(end - start);
        return this.#secured?.take(piece(chunk, start, end));
      case FRAME_RAW_FAILED:
        this.#takeRaw(1);
        return this.#secured?.fail(takeReason(chunk, start, end));
      default:
        throw new ProtocolError(`type 0x${type.toString(16)} for a stream`);
    }
  }

  /** @internal */
  shed(): void {
    this.closeFor("BUFFER_FULL");
  }

  /** @internal The promise of its handler is settled. */
  handled(): void {
    this.#handled = true;
    if (this.#peerEnded && !this.isConverted) this.close();
  }

  /** A pending read has rejected before; the close callback comes behind it. */
  #takeEnd(): void {
    this.#peerEnded = true;
    if (this.#handled && !this.isConverted) this.close();
    else this.announceClose();
  }

  /** @internal */
  lost(): void {
    this.#finish("WORKER");
  }

  #takeData(chunk: Buffer, start: number, end: number, last: boolean): void {
    const read = this.#read;
    if (read === null) {
      if (this.closed) return; // it crossed with close()
      throw new ProtocolError("DATA without a read");
    }
    const bytes = end - start;
    if (last) this.#secured?.want(0);
    this.#secured?.taken(bytes);
    const total = (read.parts?.length ?? 0) + bytes;
    if (bytes === 0 || total > read.max || (last && total < read.min))
      throw new ProtocolError(`DATA of ${bytes} bytes`);
    if (!last || read.parts !== null) {
      read.parts ??= new ByteQueue();
      read.parts.push(chunk, start, end);
      if (!last) return this.#bridge.hold(this.#id, bytes);
      this.#bridge.letGo(this.#id, total - bytes);
    }
    const result = read.parts === null ? piece(chunk, start, end) : read.parts.all();
    if (read.delimiter !== null && !result.subarray(-read.delimiter.length).equals(read.delimiter)) {
      throw new ProtocolError("DATA_END without the delimiter");
    }
    this.#read = null;
    read.resolve(result);
  }

  /** An answer to READ_RAW, of which there is one at most. */
  #takeRaw(bytes: number): void {
    if (bytes === 0 || bytes > this.#rawWanted) throw new ProtocolError("RAW that the host has not asked for");
    this.#rawWanted = 0;
  }

  #takeClosed(reason: Reason): void {
    this.#bridge.forget(this.#id);
    this.#finish(reason);
  }

  #finish(reason: Reason): void {
    this.#ended = true;
    const first = this.#reason === null;
    this.#reason ??= reason;
    this.#settleRead(reason);
    if (reason === "CLOSED") this.#writeWindow.settle();
    this.#writeWindow.fail(() => new StreamClosedError(reason));
    this.#secured?.destroy(new StreamClosedError(reason));
    if (first) this.announceClose();
  }

  protected override get logger(): Logger {
    return this.#bridge.settings.logger;
  }

  #settleRead(reason: Reason): void {
    const read = this.#read;
    this.#read = null;
    if (read?.parts) this.#bridge.letGo(this.#id, read.parts.length);
    this.#secured?.want(0);
    read?.reject(readError(reason));
  }
}

function takeReason(chunk: Buffer, start: number, end: number): Reason {
  const reason = end - start === 2 ? reasonName(chunk.readUInt16LE(start)) : undefined;
  if (reason === undefined) throw new ProtocolError("an unknown reason");
  return reason;
}
