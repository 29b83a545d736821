/**
 * Bytes that were taken from a source for a read and not used up by it: the next reads see them first.
 *
 * Invariant: what is held is one piece of memory that doubles when it is full, so that a peer which sends byte by byte
 * costs no more copying than another; it is given up when nothing is held.
 */

const NOTHING = Buffer.alloc(0);
const ROOM_BYTES_MIN = 4096;

export class ReadBuffer {
  #room = NOTHING;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** The first bytes, at most `bytesMax`, where they are: valid until the next call. */
  view(bytesMax: number): Buffer {
    return this.#room.subarray(this.#start, Math.min(this.#end, this.#start + bytesMax));
  }

  push(chunk: Uint8Array): void {
    if (this.#room.length - this.#end < chunk.length) this.#grow(this.length + chunk.length);
    this.#room.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The first bytes, at most `bytesMax`, as a buffer of their own. */
  take(bytesMax: number): Buffer {
    const bytes = Buffer.from(this.view(bytesMax));
    this.#start += bytes.length;
    if (this.#start === this.#end) this.clear();
    return bytes;
  }

  clear(): void {
    this.#room = NOTHING;
    this.#start = 0;
    this.#end = 0;
  }

  #grow(bytes: number): void {
    const room = Buffer.allocUnsafeSlow(Math.max(ROOM_BYTES_MIN, 2 ** Math.ceil(Math.log2(bytes))));
    this.#room.copy(room, 0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    this.#room = room;
  }
}
