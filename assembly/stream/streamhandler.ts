// Who uses a stream, and who owns it: what IOStream calls. The language has no closures, so these are classes.
// Invariant: onClose is the last call for a stream, at the end of a turn.

import { REASON_BUFFER_FULL } from "../core/errors";
import { IOStream } from "./iostream";

/** Who uses a stream. What it is given to read is valid during the call only. */
export abstract class StreamHandler {
  /** The pending read is done. */
  onRead(stream: IOStream, source: usize, size: i32): void {}
  /** The pending read has no result. Writing may still work. */
  onReadFailed(stream: IOStream, reason: i32): void {}
  /**
   * For consume(): bytes have come; returns how many were taken. The rest is shown again when there are more, or by
   * resume().
   */
  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    return size;
  }
  /** The peer will send no more; told once, behind all bytes that were taken. */
  onEnd(stream: IOStream): void {}
  /** Bytes that had to wait have left; `stream.unsent` says how many have not. */
  onSent(stream: IOStream): void {}
  /** The deadline of setDeadline has passed. */
  onTimeout(stream: IOStream): void {}
  /**
   * Memory is short, and this stream with its handler holds the most: neither is to hold anything when this returns, or
   * soon.
   */
  onMemoryShort(stream: IOStream): void {
    stream.close(REASON_BUFFER_FULL);
  }
  /** Bytes of memory that the handler holds for this stream, beside the stream's own. */
  get held(): i32 {
    return 0;
  }
  /** The stream is closed. */
  onClose(stream: IOStream, reason: i32): void {}
}

/** Who counts a stream's life: the server that accepted it. */
export abstract class StreamOwner {
  abstract streamClosed(stream: IOStream): void;
}
