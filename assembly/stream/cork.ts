// Gathering what is written: while a stream is "corked", its bytes go into one shared block and leave in one piece, at
// uncork(), when another stream is corked, or at the end of the turn.
// Invariants: one stream is corked at most; bytes leave in the order written.

/** Room for what is gathered; reserve() never hands out more. */
export const CORK_BYTES: i32 = 65536;
/** A write of this size is not gathered: the copy would cost more than a call of its own. */
const DIRECT_BYTES: i32 = 32768;

/** A stream, as far as its gathered bytes are concerned. */
export interface CorkedStream {
  /** Sends what was gathered for it. */
  sendGathered(source: usize, size: i32): void;
}

const block: usize = memory.data(CORK_BYTES + 64, 64); // writers overwrite up to 16 bytes behind their result
let corked: CorkedStream | null = null;
let gathered: i32 = 0;

/** From now on the bytes of `stream` are gathered. */
export function cork(stream: CorkedStream): void {
  if (corked === stream) return;
  uncork();
  corked = stream;
}

/** Sends what is gathered; nothing is gathered any more. */
export function uncork(): void {
  flush();
  corked = null;
}

export function isCorked(stream: CorkedStream): bool {
  return corked === stream;
}

/** Bytes of `stream` that are gathered and not sent. */
export function gatheredOf(stream: CorkedStream): i32 {
  return corked === stream ? gathered : 0;
}

/** Sends what is gathered; the stream stays corked. */
export function flush(): void {
  const size = gathered;
  gathered = 0;
  if (size) corked!.sendGathered(block, size);
}

/** Adds bytes of the corked stream. False: there are too many; they are to be sent after flush(). */
export function gather(source: usize, size: i32): bool {
  if (size >= DIRECT_BYTES || size > CORK_BYTES - gathered) return false;
  memory.copy(block + usize(gathered), source, usize(size));
  gathered += size;
  return true;
}

/** Room for `size` bytes of the corked stream, at most CORK_BYTES; commitTo() says how much of it was used. */
export function reserve(size: i32): usize {
  if (size > CORK_BYTES - gathered) flush();
  return block + usize(gathered);
}

/** What was written since reserve(), up to `end`, counts. */
export function commitTo(end: usize): void {
  gathered = i32(end - block);
}

/** `stream` has closed: what is gathered for it is dropped. */
export function forget(stream: CorkedStream): void {
  if (corked !== stream) return;
  corked = null;
  gathered = 0;
}
