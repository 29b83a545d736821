// One stream's decrypted bytes, and the read that waits for them. After START_TLS the host's TLS engine takes the bytes
// of the socket and gives the plaintext back; reads are answered from it here, so a peer's bytes are searched in the
// sandbox with TLS, too. No I/O: bytes in, amounts out.
// Invariant: at most what one read needs and one frame wait here, since the host feeds only what a read has asked for.

import { Buffer } from "../bytes/buffer";
import { IDLE, MORE, PARTIAL, PendingRead } from "../stream/pendingread";
import { FRAME_BYTES_MAX } from "./frames";


@final
export class Plaintext {
  ended: bool = false; // nothing follows
  endReported: bool = false;
  private incoming: Buffer = new Buffer();
  private pending: PendingRead = new PendingRead();

  get reading(): bool {
    return this.pending.mode != IDLE;
  }

  get size(): i32 {
    return this.incoming.size;
  }

  get source(): usize {
    return this.incoming.source;
  }

  /** False: no memory for the delimiter. */
  readUntil(delimiter: usize, size: i32, maxBytes: i32): bool {
    return this.pending.beginUntil(delimiter, size, maxBytes);
  }

  /** Any number of bytes up to `count`. */
  readSome(count: i32): void {
    this.pending.begin(PARTIAL, count);
  }

  /** Whether `size` more bytes are no more than a host feeds that keeps to the protocol. */
  fits(size: i32, bufferBytesMax: i32): bool {
    return i64(this.incoming.size) + i64(size) <= i64(bufferBytesMax) + i64(FRAME_BYTES_MAX);
  }

  /** False: no memory. */
  feed(source: usize, size: i32): bool {
    return this.incoming.append(source, size);
  }

  /** How many bytes from `source` on are the result of the pending read; MORE, or TOO_LONG. */
  match(): i32 {
    return this.incoming.size ? this.pending.match(this.incoming.source, this.incoming.size) : MORE;
  }

  /** The pending read is over; `size` bytes were its result. */
  finishRead(size: i32): void {
    this.pending.mode = IDLE;
    if (size) this.incoming.consume(size);
  }

  /** For the next stream. */
  reset(): void {
    this.ended = this.endReported = false;
    this.incoming.clear();
    this.pending.reset();
  }
}
