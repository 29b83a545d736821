/**
 * Messages on their way to one peer: the host's half of a websocket's write window (docs/protocol.md, Credit).
 *
 * Invariants: messages leave in the order in which they were given, whole, and nothing after the close; what was sent
 * and not yet reported by SENT is at most the window. A message is taken when its last piece is within the window. It
 * leaves as one frame, so what may not be inside of one, pings and the close, waits for its last piece.
 */
import type { Bridge } from "../bridge/bridge.js";
import {
  copyBytes,
  FRAME_HEADER_BYTES,
  FRAME_WS_CLOSE,
  FRAME_WS_SEND,
  FRAME_WS_SEND_PING,
  put16,
  put32,
  WS_COMPRESSED,
  WS_SEND_BYTES,
} from "../bridge/frames.js";
import { windowFor } from "../bridge/writewindow.js";
import { ProtocolError, type WaterspoutError } from "../core/errors.js";
import { holdWrites, isTooMuchToHold } from "../core/heldwrites.js";
import { PIECE_BYTES, WRITE_COST } from "../core/limits.js";
import { deferred, ignore } from "../core/promises.js";

/** A message that waits. */
export interface Outgoing {
  readonly opcode: number;
  /** Null while it is being compressed. */
  bytes: Uint8Array | null;
  compressed: boolean;
  /** Counts as waiting until it has left. */
  size: number;
  /** How much of it has been sent. */
  offset: number;
  readonly taken: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A ping that waits for the end of a message. */
interface WaitingPing {
  readonly bytes: Uint8Array;
  readonly left: () => void;
}

const REST_LOW = 2 ** 16;

/** What a message that was taken at once resolves with: who waits for it need not wait. */
export const TAKEN = Promise.resolve();

export class MessageSender {
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #window: number;
  #queue: Outgoing[] = [];
  #pings: WaitingPing[] = [];
  #waiting = 0;
  /** The same, with what each message costs beside its bytes. */
  #held = 0;
  /** Sent and not reported. */
  #ahead = 0;
  #reported = 0;
  /** The payload of WS_CLOSE, once nothing may follow. */
  #closing: Buffer | null = null;
  #over: WaterspoutError | null = null;

  constructor(bridge: Bridge, id: number) {
    this.#bridge = bridge;
    this.#id = id;
    this.#window = bridge.settings.writeWindow;
  }

  /** Bytes that wait in the host for room in the window. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Text that finds room goes out without a copy in between. */
  text(opcode: number, text: string): Promise<void> {
    const room = text.length * 3;
    if (this.#queue.length > 0 || room > PIECE_BYTES || room > this.#room()) {
      return this.bytes(opcode, Buffer.from(text, "utf8"));
    }
    const { writer } = this.#bridge;
    const frame = writer.reserve(FRAME_HEADER_BYTES + WS_SEND_BYTES + room);
    const at = frame + FRAME_HEADER_BYTES;
    const size = writer.buffer.write(text, at + WS_SEND_BYTES, "utf8");
    put32(writer.buffer, frame, (FRAME_WS_SEND << 24) | (WS_SEND_BYTES + size));
    put32(writer.buffer, frame + 4, this.#id);
    put32(writer.buffer, at, opcode);
    put32(writer.buffer, at + 4, 0);
    writer.length = at + WS_SEND_BYTES + size;
    this.#ahead += size;
    this.#bridge.written();
    return TAKEN;
  }

  /** Sends a message, or queues it. Resolves when the window has taken all of it. */
  bytes(opcode: number, bytes: Uint8Array): Promise<void> {
    if (this.#queue.length === 0 && bytes.length <= PIECE_BYTES && bytes.length <= this.#room()) {
      this.#send(opcode, 0, bytes, 0, bytes.length);
      return TAKEN;
    }
    const { taken } = this.#enqueue(opcode, bytes, bytes.length);
    this.#pump();
    return taken;
  }

  /** Whether `bytes` more would be more than may wait; as for other writes, see WriteWindow. */
  isFull(bytes: number): boolean {
    const head = this.#queue[0];
    if (head === undefined) return false;
    const bytesMax = this.#bridge.settings.writeBufferBytesMax;
    return isTooMuchToHold(bytesMax, this.#held - (head.size > bytesMax ? head.size - head.offset : 0), bytes);
  }

  /** Keeps the place of a message of about `size` bytes, which `fill` brings later. */
  hold(opcode: number, size: number): Outgoing {
    return this.#enqueue(opcode, null, size);
  }

  /** The bytes of a message whose place was kept. */
  fill(entry: Outgoing, bytes: Uint8Array, compressed: boolean): void {
    if (this.#over !== null) return;
    this.#waiting += bytes.length - entry.size;
    this.#hold(bytes.length - entry.size);
    entry.size = bytes.length;
    entry.bytes = bytes;
    entry.compressed = compressed;
    this.#pump();
  }

  /** Sends a ping ahead of the messages that have not begun. `left` is called when it has been sent. */
  ping(bytes: Uint8Array, left: () => void): void {
    if (!this.#isInMessage) return this.#sendPing(bytes, left);
    this.#pings.push({ bytes: Uint8Array.from(bytes), left });
    this.#hold(bytes.length + WRITE_COST);
  }

  /** Sends a close frame behind everything that waits. */
  close(code: number, reason: Buffer): void {
    this.#closing = Buffer.alloc(2 + reason.length);
    this.#closing.writeUInt16LE(code, 0);
    reason.copy(this.#closing, 2);
    this.#pump();
  }

  /** Drops everything that waits but the rest of a message that has begun, and sends a close frame in its place. */
  closeNow(code: number, error: WaterspoutError): void {
    const begun = this.#isInMessage ? this.#queue.shift() : undefined;
    this.fail(error);
    if (begun !== undefined) {
      this.#queue.push(begun);
      this.#waiting += begun.size - begun.offset;
      this.#hold(begun.size - begun.offset + WRITE_COST);
    }
    this.close(code, Buffer.alloc(0));
  }

  /** The sandbox reports `bytes` more as sent. */
  sent(bytes: number): void {
    if (bytes === 0 || bytes > this.#ahead) throw new ProtocolError(`SENT for ${bytes} bytes too many`);
    this.#ahead -= bytes;
    this.#reported += bytes;
    this.#pump();
  }

  /** Forgets what waits: it will never leave. */
  fail(error: WaterspoutError): void {
    this.#over = error;
    this.#closing = null;
    this.#waiting = 0;
    this.#pings = [];
    this.#hold(-this.#held);
    for (const entry of this.#queue.splice(0)) entry.reject(error);
  }

  get #isInMessage(): boolean {
    return (this.#queue[0]?.offset ?? 0) > 0;
  }

  #room(): number {
    return windowFor(this.#reported, this.#window) - this.#ahead;
  }

  #enqueue(opcode: number, bytes: Uint8Array | null, size: number): Outgoing {
    const { promise, resolve, reject } = deferred();
    const taken = ignore(promise);
    const entry = { opcode, bytes, compressed: false, size, offset: 0, taken, resolve, reject };
    this.#queue.push(entry);
    this.#waiting += size;
    this.#hold(size + WRITE_COST);
    return entry;
  }

  #pump(): void {
    for (;;) {
      const entry = this.#queue[0];
      if (entry === undefined) return this.#finish();
      if (entry.bytes === null) return;
      const piece = Math.min(PIECE_BYTES, windowFor(this.#reported, this.#window));
      const end = Math.min(entry.bytes.length, entry.offset + piece);
      // Pieces are not cut to what room there is: many small frames would cost the peer more than the wait.
      if (end - entry.offset > this.#room()) return;
      const isLast = end === entry.bytes.length;
      const flags = entry.compressed && entry.offset === 0 ? WS_COMPRESSED : 0;
      this.#waiting -= end - entry.offset;
      this.#hold(entry.offset - end - (isLast ? WRITE_COST : 0));
      this.#send(entry.offset === 0 ? entry.opcode : 0, flags, entry.bytes, entry.offset, end);
      entry.offset = end;
      if (isLast) {
        this.#queue.shift();
        entry.resolve();
        this.#sendPings();
      }
    }
  }

  #send(opcode: number, flags: number, source: Uint8Array, start: number, end: number): void {
    const { writer } = this.#bridge;
    const at = writer.open(FRAME_WS_SEND, this.#id, WS_SEND_BYTES + end - start);
    const rest = source.length - end;
    writer.buffer[at] = opcode;
    writer.buffer[at + 1] = flags;
    put16(writer.buffer, at + 2, rest % REST_LOW);
    put32(writer.buffer, at + 4, Math.floor(rest / REST_LOW));
    copyBytes(source, start, end, writer.buffer, at + WS_SEND_BYTES);
    this.#ahead += end - start;
    this.#bridge.written();
  }

  #sendPings(): void {
    for (const { bytes, left } of this.#pings.splice(0)) {
      this.#hold(-bytes.length - WRITE_COST);
      this.#sendPing(bytes, left);
    }
  }

  #sendPing(bytes: Uint8Array, left: () => void): void {
    this.#bridge.writer.bytes(FRAME_WS_SEND_PING, this.#id, bytes, 0, bytes.length);
    this.#bridge.written();
    left();
  }

  #hold(bytes: number): void {
    this.#held += bytes;
    holdWrites(bytes);
  }

  #finish(): void {
    if (this.#closing === null) return;
    this.#bridge.writer.bytes(FRAME_WS_CLOSE, this.#id, this.#closing, 0, this.#closing.length);
    this.#bridge.written();
    this.#closing = null;
  }
}
