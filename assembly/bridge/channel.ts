// The control channel: frames from the host on fd 0, frames to the host on fd 1. All frames of a turn leave in one
// write, and what is written and not yet read stays below what the pipe holds.
//
// Invariants: a write never exceeds the credit, so a slow host never blocks the loop. While frames wait for credit no
// socket is read, so what waits is bounded by what was in memory already. Frames that carry a peer's bytes are sent
// only when hasRoom() allows it; this leaves memory for frames that report an end, which can always be sent. A
// malformed frame ends the module with one line on stderr and status 70.
// Reference: docs/protocol.md, sections Frames and Credit.

import { Buffer, FRAMES, STREAM } from "../bytes/buffer";
import { LF, writeText } from "../bytes/scan";
import { AGAIN } from "../core/errors";
import { Callback, EventHandler, IOLoop, READ } from "../loop/ioloop";
import { CHANNEL_BYTES_MAX, CHANNEL_PIECE_BYTES, CHANNEL_WAITING_BYTES_MAX, CHANNEL_WRITE_COST } from "../core/limits";
import { setReadBytesMax } from "../stream/iostream";
import * as wasi from "../wasi/index";
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FRAME_MARK, frameHeader } from "./frames";

/**
 * Status of a module that was sent something malformed, and of one without memory (EX_SOFTWARE and EX_OSERR of
 * sysexits.h).
 */
const EXIT_MALFORMED: i32 = 70;
const EXIT_NO_MEMORY: i32 = 71;
/** More pieces are never under way: each costs at least CHANNEL_WRITE_COST. */
const PIECES_MASK: u32 = 255;
if (CHANNEL_BYTES_MAX / CHANNEL_WRITE_COST > i32(PIECES_MASK)) ERROR("more pieces may be under way");
if (CHANNEL_BYTES_MAX < 3 * (CHANNEL_PIECE_BYTES + CHANNEL_WRITE_COST)) ERROR("three pieces must fit");

/** Pieces that were written are dropped from the list when there are this many, or nothing waits. */
const PIECES_FORGET: i32 = 1024;

const INPUT_BYTES: i32 = 2 * (FRAME_BYTES_MAX + FRAME_HEADER_BYTES);
const input: usize = memory.data(INPUT_BYTES + 64, 16); // scanners look a few bytes behind a frame
let type: u32 = 0; // of the frame that is being handled

export abstract class FrameHandler {
  /** A frame of the host's. `source` is valid during the call. */
  abstract onFrame(type: u32, id: u32, source: usize, size: i32): void;
  /** The turn is over; what is sent now still belongs to its batch. */
  abstract onTurnEnd(): void;
}


@final
export class Channel extends EventHandler {
  private unread: i32 = 0;
  private piece: Buffer = new Buffer(FRAMES); // is being filled, and has room for its MARK
  private pieces: Array<Buffer> = []; // wait, from `firstPiece` on
  private firstPiece: i32 = 0;
  private spare: Array<Buffer> = []; // empty
  private waiting: i32 = 0; // bytes in all pieces
  private marked: u32 = 0; // sequence of the last MARK
  private written: u32 = 0; // of the last that was written
  private echoed: u32 = 0; // of the last that the host has echoed
  private underWay: i32 = 0;
  private turnAgain: Callback = new TurnAgain(); // for what had to wait
  private costs: StaticArray<i32> = new StaticArray<i32>(PIECES_MASK + 1);

  constructor(private handler: FrameHandler) {
    super();
    const loop = IOLoop.current();
    loop.addHandler(wasi.openChannel(), this, READ);
    loop.atTurnEnd(new Flush(this));
    // What one read brings is one piece, with the header of its frame and the MARK.
    setReadBytesMax(CHANNEL_PIECE_BYTES - 2 * FRAME_HEADER_BYTES);
  }

  /** The host is behind: what can wait is not sent now. */
  get full(): bool {
    return wasi.held();
  }

  /** Everything has been written. */
  get empty(): bool {
    return !this.waiting;
  }

  /** Whether a frame of `size` bytes that carries a peer's bytes can be sent. */
  hasRoom(size: i32): bool {
    this.begin(size);
    return this.piece.hasRoom(size + 2 * FRAME_HEADER_BYTES, STREAM);
  }

  // --- out ---

  /** Adds a frame and returns where its payload of `size` bytes goes. */
  send(type: u32, id: u32, size: i32): usize {
    this.begin(size);
    const bytes = size + FRAME_HEADER_BYTES;
    const target = this.piece.reserve(bytes + FRAME_HEADER_BYTES);
    if (!target) exhausted();
    frameHeader(target, type, size, id);
    this.commit(bytes);
    if (this.waiting > CHANNEL_WAITING_BYTES_MAX) wasi.hold(true);
    return target + FRAME_HEADER_BYTES;
  }

  /** A frame follows: it begins a piece of its own when it has no room in the one that is being filled. */
  private begin(size: i32): void {
    const used = this.piece.size;
    if (used && used + size + 2 * FRAME_HEADER_BYTES > CHANNEL_PIECE_BYTES) this.mark();
  }

  private commit(bytes: i32): void {
    this.piece.commit(bytes);
    this.waiting += bytes;
  }

  /** Ends the piece that is being filled. */
  private mark(): void {
    frameHeader(this.piece.reserve(FRAME_HEADER_BYTES), FRAME_MARK, 0, ++this.marked);
    this.commit(FRAME_HEADER_BYTES);
    this.pieces.push(this.piece);
    this.piece = this.spare.length ? this.spare.pop() : new Buffer(FRAMES);
  }

  /** Writes what the credit allows, and holds the platform while something is left. */
  flush(): void {
    this.handler.onTurnEnd();
    if (!this.waiting) return;
    if (this.piece.size) this.mark();
    this.writePieces();
    if (wasi.held() && !this.waiting) IOLoop.current().addCallback(this.turnAgain);
    wasi.hold(this.waiting > 0);
  }

  private writePieces(): void {
    while (this.firstPiece < this.pieces.length) {
      const piece = unchecked(this.pieces[this.firstPiece]);
      const cost = piece.size + CHANNEL_WRITE_COST;
      if (this.underWay && this.underWay + cost > CHANNEL_BYTES_MAX) break;
      this.firstPiece++;
      this.underWay += cost;
      unchecked((this.costs[++this.written & PIECES_MASK] = cost));
      this.writePiece(piece);
    }
    if (this.waiting && this.firstPiece < PIECES_FORGET) return;
    this.pieces.copyWithin(0, this.firstPiece);
    this.pieces.length -= this.firstPiece;
    this.firstPiece = 0;
  }

  private writePiece(piece: Buffer): void {
    this.waiting -= piece.size;
    while (piece.size) {
      const n = wasi.channelWrite(piece.source, piece.size);
      if (n <= 0) wasi.exit(0); // the host is gone
      piece.consume(n);
    }
    this.spare.push(piece);
  }

  /** The host has taken every piece up to this one. */
  echo(sequence: u32): void {
    if (i32(sequence - this.echoed) < 0 || i32(this.written - sequence) < 0) fail("not now");
    while (this.echoed != sequence) this.underWay -= unchecked(this.costs[++this.echoed & PIECES_MASK]);
    if (this.waiting) wasi.hold(false);
  }

  // --- in ---

  onReady(handle: i32, events: i32): void {
    const n = wasi.channelRead(handle, input + usize(this.unread), INPUT_BYTES - this.unread);
    if (n == AGAIN) return;
    if (n <= 0) return wasi.exit(0); // the host is gone
    const end = this.unread + n;
    let at = 0;
    while (end - at >= FRAME_HEADER_BYTES) {
      const header = load<u32>(input + usize(at));
      const size = i32(header & 0xffffff);
      type = header >> 24;
      if (size > FRAME_BYTES_MAX) fail("wrong size");
      if (end - at < FRAME_HEADER_BYTES + size) break;
      const payload = input + usize(at + FRAME_HEADER_BYTES);
      this.handler.onFrame(type, load<u32>(input + usize(at), 4), payload, size);
      at += FRAME_HEADER_BYTES + size;
    }
    this.unread = end - at;
    if (at && this.unread) memory.copy(input, input + usize(at), usize(this.unread));
  }
}


@final
class Flush extends Callback {
  constructor(private channel: Channel) {
    super();
  }
  run(): void {
    this.channel.flush();
  }
}


@final
class TurnAgain extends Callback {
  run(): void {}
}

const EXHAUSTED: usize = changetype<usize>("waterspout: there is no memory for frames to the host\n");
const MALFORMED: usize = changetype<usize>("waterspout: malformed frame from the host: type 0x");
const line: usize = memory.data(256, 16); // `text` is a few words

/** Ends the module: the host sent something malformed. The line names the frame's type. */
export function fail(text: string): void {
  let at = writeText(line, MALFORMED);
  store<u8>(at, hexDigit(type >> 4));
  store<u8>(at, hexDigit(type & 15), 1);
  at = writeText(writeText(at + 2, changetype<usize>(", ")), changetype<usize>(text));
  store<u8>(at, LF);
  wasi.log(line, i32(at + 1 - line));
  wasi.exit(EXIT_MALFORMED);
}

/** Ends the module: not even the end of a stream can be reported. */
function exhausted(): void {
  wasi.log(line, i32(writeText(line, EXHAUSTED) - line));
  wasi.exit(EXIT_NO_MEMORY);
}

function hexDigit(value: u32): u32 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
