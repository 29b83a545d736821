// What happens to streams at the end of a turn: gathered bytes are sent and ended streams are closed. When memory is
// short, the stream that holds the most of it is ended. Streams that the host could not follow go on once it has.
// Invariant: nothing is closed in the middle of a turn, so no handler is called from inside a call of its own.

import { STREAM, hasMemory, wasHeapShort, wasShort } from "../bytes/buffer";
import { Callback, IOLoop } from "../loop/ioloop";
import { MEMORY_HELD_BYTES_MIN } from "../core/limits";
import { NS_PER_S } from "../core/units";
import { uncork } from "./cork";
import * as wasi from "../wasi/index";

/** A stream, as far as the end of a turn is concerned with it. */
export interface TurnEndStream {
  /** Closes a stream that was given to closeAtTurnEnd. */
  closeNow(): void;
  /** The host is no longer behind: a stream that was given to resumeLater reads on. */
  goOn(): void;
  /** Bytes of memory that the stream and its handler hold. */
  readonly held: i32;
  /** Memory is short and this stream holds the most: it must give its memory back. */
  shed(): void;
}


@final
class TurnEnd extends Callback {
  ended: Array<TurnEndStream> = [];
  putOff: Array<TurnEndStream> = [];
  private resumed: Array<TurnEndStream> = [];

  run(): void {
    if (this.putOff.length && !wasi.held()) this.goOn();
    uncork();
    this.closeEnded();
    if (wasShort() && !hasMemory(STREAM, MEMORY_HELD_BYTES_MIN)) {
      shedOne();
      this.closeEnded();
      wasShort(); // the next turn begins anew
    }
    if (wasHeapShort()) collect();
  }

  private closeEnded(): void {
    for (let i = 0; i < this.ended.length; i++) {
      unchecked(this.ended[i]).closeNow();
      uncork(); // its handler may have written to another stream
    }
    this.ended.length = 0;
  }

  private goOn(): void {
    const streams = this.putOff;
    this.putOff = this.resumed; // those that have to wait once more
    this.resumed = streams;
    for (let i = 0; i < streams.length; i++) unchecked(streams[i]).goOn();
    streams.length = 0;
  }
}

let turnEnd: TurnEnd | null = null;

/** All streams, in use or in the pool. */
const all: Array<TurnEndStream> = [];

/** A new stream, before it is used for the first time. */
export function addStream(stream: TurnEndStream): void {
  all.push(stream);
}

/** Ends the stream that holds the most memory, unless that is little. */
function shedOne(): void {
  let most: TurnEndStream | null = null;
  let bytes = MEMORY_HELD_BYTES_MIN - 1;
  for (let i = 0; i < all.length; i++) {
    const held = unchecked(all[i]).held;
    if (held <= bytes) continue;
    bytes = held;
    most = unchecked(all[i]);
  }
  if (most) most.shed();
}

let collected: i64 = 0;
const COLLECT_EVERY_NS: i64 = NS_PER_S;

/** Memory that only the language's collector can free may be what is missing. core.wasm has no such collector. */
function collect(): void {
  const now = IOLoop.current().time;
  if (ASC_RUNTIME != 2 || now - collected < COLLECT_EVERY_NS) return;
  collected = now;
  // @ts-ignore: the compiler knows it
  __collect();
}

/** Joins the loop; called before the first stream is used. */
export function prepare(): void {
  if (turnEnd) return;
  turnEnd = new TurnEnd();
  IOLoop.current().atTurnEnd(turnEnd!);
}

/** Closes `stream` when the turn is over. */
export function closeAtTurnEnd(stream: TurnEndStream): void {
  turnEnd!.ended.push(stream);
}

/** Resumes `stream` when the host is no longer behind. */
export function resumeLater(stream: TurnEndStream): void {
  turnEnd!.putOff.push(stream);
}
