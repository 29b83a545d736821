/**
 * Messages as they come, on their way to the handler, one after the other.
 *
 * Invariants: the handler is given the next message when it is done with the last one; what waits for it, complete or
 * not, is at most the window, and what is not credited beyond that ends the worker. Only while nothing waits the bytes
 * of a message that is still coming are credited at once: so the host holds at most one message of the largest size and
 * one window.
 *
 * Reference: docs/protocol.md, WebSocket and Credit.
 */
import { isUtf8 } from "node:buffer";
import type { Bridge } from "../bridge/bridge.js";
import { FRAME_BODY_CREDIT, WS_COMPRESSED, WS_DATA_BYTES, WS_LAST } from "../bridge/frames.js";
import { ByteQueue, piece } from "../core/bytequeue.js";
import { ProtocolError } from "../core/errors.js";
import { WS_DATA_COST } from "../core/limits.js";
import { type Inflater, isTooLarge } from "./deflate.js";

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE_BAD_DATA = 1007;
export const CLOSE_TOO_LARGE = 1009;

interface Incoming {
  readonly opcode: number;
  /** Still compressed. */
  readonly deflated: boolean;
  readonly bytes: Buffer;
  /** What has not been credited for it, and what is held. */
  readonly cost: number;
  readonly held: number;
}

/** What is done with messages. */
export interface MessageTaker {
  /** Takes a message; the next one comes when what it returns has resolved. It neither throws nor rejects. */
  take(message: string | Buffer): void | Promise<void>;
  /** A message was not what it should be: close with this code. */
  refuse(code: number, reason: string): void;
}

export class MessageReceiver {
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #bytesMax: number;
  readonly #inflater: Inflater | null;
  readonly #taker: MessageTaker;
  readonly #window: number;
  readonly #queue: Incoming[] = [];
  /** The message that is coming: its kind (0: none), its bytes, and what has not been credited for it. */
  #opcode = 0;
  #deflated = false;
  readonly #parts = new ByteQueue();
  #partsCost = 0;
  #partsHeld = 0;
  /** Received and not credited; taken and not credited. */
  #ahead = 0;
  #owed = 0;
  /** The handler has a message, or is not to be given any yet. */
  #busy = true;
  #dropping = false;
  #ended: (() => void) | null = null;

  constructor(bridge: Bridge, id: number, bytesMax: number, inflater: Inflater | null, taker: MessageTaker) {
    this.#bridge = bridge;
    this.#id = id;
    this.#bytesMax = bytesMax;
    this.#inflater = inflater;
    this.#taker = taker;
    this.#window = bridge.settings.bodyWindow;
  }

  /** Whether the handler holds up what comes: the sandbox has no credit to read on. */
  get isHeldUp(): boolean {
    return this.#ahead >= this.#window;
  }

  /** The handler is ready for messages. */
  start(): void {
    this.#busy = false;
    this.#run();
  }

  /** Takes a WS_DATA; throws ProtocolError for one that does not fit what came before. */
  receive(chunk: Buffer, start: number, end: number): void {
    const at = start + WS_DATA_BYTES;
    if (at > end || chunk.readUInt16LE(start + 2) !== 0) throw new ProtocolError("WS_DATA");
    const flags = chunk[start + 1] as number;
    this.#checkKind(chunk[start] as number, flags);
    const cost = end - at + WS_DATA_COST;
    this.#ahead += cost;
    if (this.#ahead > this.#window + WS_DATA_COST) throw new ProtocolError(`WS_DATA of ${end - at} bytes too many`);
    if (this.#parts.length + end - at > this.#bytesMax)
      throw new ProtocolError("WS_DATA of a message that is too large");
    const isWhole = (flags & WS_LAST) !== 0 && this.#partsHeld === 0 && !this.#deflated;
    if (isWhole && !this.#busy && !this.#dropping) return this.#handAtOnce(chunk, at, end, cost);
    this.#partsHeld += cost;
    this.#bridge.hold(this.#id, cost);
    if (this.#dropping) {
      this.#letGo(this.#partsHeld);
      this.#partsHeld = 0;
      if ((flags & WS_LAST) !== 0) this.#opcode = 0;
      return this.#credit(cost);
    }
    this.#partsCost += cost;
    if ((flags & WS_LAST) === 0) this.#parts.push(chunk, at, end);
    else this.#complete(chunk, at, end);
    if (!this.#busy) this.#run();
  }

  /**
   * Nothing more comes: calls `ended` behind what still waits; in place of what was given before, if that has not been
   * called.
   */
  end(ended: () => void): void {
    this.#ended = ended;
    if (!this.#busy || this.#dropping) this.#finish();
  }

  /**
   * The handler wants no more messages: those that wait and those that come are dropped, so that the close frame gets
   * through.
   */
  drop(): void {
    this.#dropping = true;
    let cost = this.#partsCost;
    let held = this.#partsHeld;
    for (const message of this.#queue.splice(0)) {
      cost += message.cost;
      held += message.held;
    }
    this.#parts.clear();
    this.#partsCost = 0;
    this.#partsHeld = 0;
    this.#letGo(held);
    this.#credit(cost);
  }

  #checkKind(opcode: number, flags: number): void {
    const deflated = (flags & WS_COMPRESSED) !== 0;
    const known = (opcode === TEXT || opcode === BINARY) && flags <= (WS_LAST | WS_COMPRESSED);
    const fits = this.#opcode === 0 || (opcode === this.#opcode && deflated === this.#deflated);
    if (!known || !fits || (deflated && this.#inflater === null)) throw new ProtocolError("WS_DATA of another kind");
    this.#opcode = opcode;
    this.#deflated = deflated;
  }

  #complete(chunk: Buffer, start: number, end: number): void {
    let bytes: Buffer;
    if (this.#parts.length === 0) {
      bytes = piece(chunk, start, end);
    } else {
      this.#parts.push(chunk, start, end);
      bytes = this.#parts.all();
    }
    this.#queue.push({
      opcode: this.#opcode,
      deflated: this.#deflated,
      bytes,
      cost: this.#partsCost,
      held: this.#partsHeld,
    });
    this.#opcode = 0;
    this.#partsCost = 0;
    this.#partsHeld = 0;
  }

  /** A message that waits for nothing is neither kept nor copied before its handler has it. */
  #handAtOnce(chunk: Buffer, start: number, end: number, cost: number): void {
    const opcode = this.#opcode;
    this.#opcode = 0;
    this.#credit(cost);
    this.#busy = true;
    this.#wait(this.#taker.take(opcode === TEXT ? chunk.toString("utf8", start, end) : piece(chunk, start, end)));
    if (!this.#busy) this.#run();
  }

  /** The handler has a message, and is done with it when `result` has resolved. */
  #wait(result: void | Promise<void>): void {
    this.#busy = result !== undefined;
    if (result !== undefined) void result.then(() => this.start());
  }

  #run(): void {
    while (!this.#busy) {
      const message = this.#queue.shift();
      if (message === undefined) {
        this.#credit(this.#partsCost);
        this.#partsCost = 0;
        if (this.#ended !== null) this.#finish();
        return;
      }
      this.#letGo(message.held);
      this.#credit(message.cost);
      this.#busy = true;
      this.#wait(message.deflated ? this.#inflate(message) : this.#hand(message.opcode, message.bytes));
    }
  }

  #hand(opcode: number, bytes: Buffer): void | Promise<void> {
    return this.#taker.take(opcode === TEXT ? bytes.toString("utf8") : bytes);
  }

  #inflate({ opcode, bytes }: Incoming): void | Promise<void> {
    try {
      const inflated = (this.#inflater as Inflater).inflate(bytes);
      if (Buffer.isBuffer(inflated)) return this.#check(opcode, inflated);
      return inflated.then(
        (message) => (this.#dropping ? undefined : this.#check(opcode, message)),
        (error) => this.#refuse(error),
      );
    } catch (error) {
      return this.#refuse(error);
    }
  }

  /** What the sandbox could not look at. */
  #check(opcode: number, message: Buffer): void | Promise<void> {
    if (opcode === TEXT && !isUtf8(message)) return this.#taker.refuse(CLOSE_BAD_DATA, "text that is not UTF-8");
    return this.#hand(opcode, message);
  }

  #refuse(error: unknown): void {
    if (this.#dropping) return;
    if (isTooLarge(error)) this.#taker.refuse(CLOSE_TOO_LARGE, "message too big");
    else this.#taker.refuse(CLOSE_BAD_DATA, "data that cannot be inflated");
  }

  #letGo(bytes: number): void {
    this.#bridge.letGo(this.#id, bytes);
  }

  #finish(): void {
    const ended = this.#ended;
    this.#ended = null;
    ended?.();
  }

  /** Credit is given back in quarters of the window, so that small messages do not each cost a frame. */
  #credit(cost: number): void {
    this.#owed += cost;
    if (this.#owed * 4 < this.#window || this.#ended !== null) return;
    this.#bridge.writer.number(FRAME_BODY_CREDIT, this.#id, this.#owed);
    this.#bridge.written();
    this.#ahead -= this.#owed;
    this.#owed = 0;
  }
}
