// What the loop does for streams: their timeout, and their end when the turn is over. When memory is short, it ends the
// one that holds the most; while the host is behind, it keeps those that have something for it.
// Invariant: nothing is closed in the middle of a turn, so no handler is called from inside a call of its own.

import { STREAM, hasMemory, wasHeapShort, wasShort } from "../bytes/buffer";
import { Callback, IOLoop, Timeout } from "../loop/ioloop";
import { IOStream } from "./iostream";
import { MEMORY_HELD_BYTES_MIN } from "../core/limits";
import { uncorkAll } from "./writer";
import * as wasi from "../wasi/index";


@final
export class StreamTimeout extends Timeout {
  constructor(private stream: IOStream) {
    super();
  }
  run(): void {
    this.stream.timeoutFired();
  }
}

/** At the end of a turn: sends what is still gathered, then closes what was retired. */
@final
class TurnEnd extends Callback {
  retired: Array<IOStream> = [];
  putOff: Array<IOStream> = [];
  private resumed: Array<IOStream> = [];
  run(): void {
    if (this.putOff.length && !wasi.held()) this.goOn();
    uncorkAll();
    this.bury();
    if (wasShort() && !hasMemory(STREAM, MEMORY_HELD_BYTES_MIN)) {
      shedOne();
      this.bury();
      wasShort(); // the next turn begins anew
    }
    if (wasHeapShort()) collect();
  }

  private bury(): void {
    for (let i = 0; i < this.retired.length; i++) {
      unchecked(this.retired[i]).bury();
      uncorkAll(); // its handler may have written to another stream
    }
    this.retired.length = 0;
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

/** All that there are, in use or in the pool. */
const all: Array<IOStream> = [];

export function streamMade(stream: IOStream): void {
  all.push(stream);
}

/** Ends the stream that holds the most memory, unless that is little. */
function shedOne(): void {
  let most: IOStream | null = null;
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
const COLLECT_EVERY_NS: i64 = 1_000_000_000;

/** What the language's collector would free in its own time may be the memory that is missing. core.wasm has none. */
function collect(): void {
  const now = IOLoop.current().time;
  if (ASC_RUNTIME != 2 || now - collected < COLLECT_EVERY_NS) return;
  collected = now;
  // @ts-ignore: the compiler knows it
  __collect();
}

/** Before the first stream. */
export function prepare(): void {
  if (turnEnd) return;
  turnEnd = new TurnEnd();
  IOLoop.current().atTurnEnd(turnEnd!);
}

/** Closes `stream` when the turn is over. */
export function buryLater(stream: IOStream): void {
  turnEnd!.retired.push(stream);
}

/** Resumes `stream` when the host is no longer behind. */
export function resumeLater(stream: IOStream): void {
  turnEnd!.putOff.push(stream);
}
