/**
 * The ids of one worker: which are open, which object takes their frames, and how many bytes the host holds for each.
 *
 * Invariants: an id has one taker from its opening frame until it is over; a worker has no more ids open than it may
 * have connections, because each has its slot; what is held for an id is forgotten with it.
 * Reference: docs/protocol.md, Frames and Crossing frames.
 */
import { ProtocolError } from "../core/errors.js";
import { CONNECTIONS_MAX } from "../core/limits.js";
import { SLOT_MASK } from "./frames.js";

/** Takes the frames of an id: a stream, a request or a websocket. */
export interface FrameTaker {
  /** @internal What it is, for a log line that counts such. */
  readonly noun: string;
  /** @internal Takes a frame with its id; throws ProtocolError for one that it did not ask for. */
  receive(type: number, chunk: Buffer, start: number, end: number): void;
  /**
   * @internal The host holds too much for this worker, and most of it for this id: gives that up and ends the id. The
   * peer gets a status or a close code, if it can.
   */
  shed(): void;
  /** @internal The worker has ended: nothing more comes, and nothing can be sent. */
  lost(): void;
}

const FREE = 0;
const LIVE = 1;
const ENDED_BY_HOST = 2;
const ENDED_BY_SANDBOX = 3;

export class OpenIds {
  /** Bytes that are held for all ids together. */
  held = 0;
  readonly #slotsMax: number;
  // By slot: the last id, what became of it, its taker while it is live, and what is held for it.
  #ids = new Uint32Array(64);
  #states = new Uint8Array(64);
  #bytes = new Float64Array(64);
  #takers: (FrameTaker | null)[] = new Array(64).fill(null);

  /** `connectionsMax` of the worker, 0: as many as it can have. */
  constructor(connectionsMax: number) {
    this.#slotsMax = Math.min(connectionsMax || CONNECTIONS_MAX, CONNECTIONS_MAX);
  }

  /**
   * Throws ProtocolError unless `id` may be opened now: its slot is free, and the sandbox does not open it again before
   * it has sent its last frame. Ids come again when all others of their slot have been used.
   */
  check(id: number): void {
    const slot = id & SLOT_MASK;
    if (slot >= this.#slotsMax) throw new ProtocolError(`slot ${slot} of ${this.#slotsMax}`);
    if (slot >= this.#ids.length) this.#grow(slot);
    const isOpen = this.#states[slot] === LIVE || (this.#ids[slot] === id && this.#states[slot] !== ENDED_BY_SANDBOX);
    if (id === 0 || isOpen) throw new ProtocolError(`id ${id} opened twice`);
  }

  /** Opens an id that has been checked. */
  open(id: number, taker: FrameTaker, bytes: number): void {
    const slot = id & SLOT_MASK;
    this.#ids[slot] = id;
    this.#states[slot] = LIVE;
    this.#takers[slot] = taker;
    this.#bytes[slot] = bytes;
    this.held += bytes;
  }

  /** The taker of a live id; null for any other. */
  taker(id: number): FrameTaker | null {
    const slot = id & SLOT_MASK;
    return this.#ids[slot] === id ? (this.#takers[slot] as FrameTaker | null) : null;
  }

  /** Frames of a live id are for `taker` from now on. */
  replace(id: number, taker: FrameTaker): void {
    this.#takers[id & SLOT_MASK] = taker;
  }

  /**
   * A frame has come for an id that is not live. `isLast`: the sandbox sends no other. Throws unless the two have
   * crossed.
   */
  drop(id: number, type: number, isLast: boolean): void {
    const slot = id & SLOT_MASK;
    const state = this.#ids[slot] === id ? this.#states[slot] : FREE;
    if (state !== ENDED_BY_HOST) throw new ProtocolError(`type 0x${type.toString(16)} for id ${id}, which is not open`);
    if (isLast) this.#states[slot] = ENDED_BY_SANDBOX;
  }

  /** The host is done with an id, or the sandbox has sent its last frame. */
  close(id: number, byHost: boolean): void {
    const slot = id & SLOT_MASK;
    if (this.#ids[slot] !== id) return;
    this.#states[slot] = byHost ? ENDED_BY_HOST : ENDED_BY_SANDBOX;
    this.#takers[slot] = null;
    this.held -= this.#bytes[slot] as number;
    this.#bytes[slot] = 0;
  }

  /** Holds `bytes` more for a live id, or fewer. */
  hold(id: number, bytes: number): void {
    const slot = id & SLOT_MASK;
    if (this.#ids[slot] !== id || this.#states[slot] !== LIVE) return;
    this.#bytes[slot] = (this.#bytes[slot] as number) + bytes;
    this.held += bytes;
  }

  /** The one that most bytes are held for. */
  get largest(): FrameTaker | null {
    let largest = 0;
    for (let slot = 1; slot < this.#bytes.length; slot++) {
      if ((this.#bytes[slot] as number) > (this.#bytes[largest] as number)) largest = slot;
    }
    return this.#takers[largest] ?? null;
  }

  /** Forgets all ids and returns the takers of those that are live. */
  clear(): FrameTaker[] {
    const takers = this.#takers.filter((taker) => taker !== null);
    this.#takers = [];
    this.#ids = new Uint32Array(0);
    this.held = 0;
    return takers;
  }

  #grow(slot: number): void {
    const size = 2 ** Math.ceil(Math.log2(slot + 1));
    const ids = new Uint32Array(size);
    ids.set(this.#ids);
    this.#ids = ids;
    const states = new Uint8Array(size);
    states.set(this.#states);
    this.#states = states;
    const bytes = new Float64Array(size);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    while (this.#takers.length < size) this.#takers.push(null);
  }
}
