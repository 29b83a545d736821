// PendingRead: what a handler waits to read, and whether the unread bytes satisfy it. No I/O: bytes in, an amount out.
//
// Invariant: each byte is searched for a delimiter once, in however many pieces the input comes; a result never exceeds
// the limit that the read was begun with. Reference: Tornado's iostream.py, _find_read_pos.

import { releaseBlock, takeBlock } from "../bytes/buffer";
import { find } from "../bytes/find";

export const IDLE: i32 = 0;
export const UNTIL: i32 = 1; // a delimiter
export const BYTES: i32 = 2; // so many
export const PARTIAL: i32 = 3; // any number up to so many
export const CLOSE: i32 = 4; // all until the peer's end
export const CONSUME: i32 = 5; // everything, as it comes
export const DISCARD: i32 = 6; // everything, dropped

/** match(): no answer yet, or never. */
export const MORE: i32 = 0;
export const TOO_LONG: i32 = -1;


@final
export class PendingRead {
  mode: i32 = IDLE;
  private wanted: i32 = 0; // bytes, or the most that the result may have
  private scanned: i32 = 0; // the delimiter does not begin before this
  private delimiter: usize = 0;
  private delimiterSize: i32 = 0;

  begin(mode: i32, wanted: i32): void {
    this.mode = mode;
    this.wanted = wanted;
  }

  /** False: no memory for the delimiter. */
  beginUntil(delimiter: usize, size: i32, maxBytes: i32): bool {
    if (this.delimiterSize != size) {
      this.reset();
      this.delimiter = takeBlock(size);
      if (!this.delimiter) return false;
      this.delimiterSize = size;
    }
    memory.copy(this.delimiter, delimiter, usize(size));
    this.scanned = 0;
    this.begin(UNTIL, maxBytes);
    return true;
  }

  /**
   * How many of these unread bytes, more than 0, are the result; MORE, or TOO_LONG. Always called with all that is
   * unread.
   */
  match(source: usize, size: i32): i32 {
    switch (this.mode) {
      case UNTIL:
        return this.matchDelimiter(source, size);
      case BYTES:
        return size >= this.wanted ? this.wanted : MORE;
      case PARTIAL:
        return min(size, this.wanted);
      default:
        return size > this.wanted ? TOO_LONG : MORE;
    }
  }

  /** The result counts with its delimiter: it may have as many bytes as wanted and no more, however they arrive. */
  private matchDelimiter(source: usize, size: i32): i32 {
    const from = this.scanned;
    const at = find(source + usize(from), size - from, this.delimiter, this.delimiterSize);
    if (at >= 0) {
      const end = from + at + this.delimiterSize;
      return end <= this.wanted ? end : TOO_LONG;
    }
    this.scanned = max(0, size - this.delimiterSize + 1);
    return size >= this.wanted ? TOO_LONG : MORE;
  }

  /** Gives the delimiter's memory back. */
  reset(): void {
    if (this.delimiter) releaseBlock(this.delimiter, this.delimiterSize);
    this.delimiter = 0;
    this.delimiterSize = 0;
    this.mode = IDLE;
  }
}
