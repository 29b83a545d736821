/**
 * Reading a body, whatever it comes from: block by block, all at once, or by iteration.
 *
 * Invariant: what is not taken is not read ahead by more than a window.
 */
import { BodyTooLargeError, OptionError } from "../core/errors.js";
import type { HeldBody } from "./heldbodies.js";

/** A body that is read block by block, at the pace of its reader. */
export abstract class BodyReader implements AsyncIterable<Buffer> {
  readonly #held: HeldBody | null;

  /** `held` counts what is kept of the body; null: it is not counted. */
  constructor(held: HeldBody | null = null) {
    this.#held = held;
  }

  /**
   * Says that `bytes` more are kept until the request is over. Throws BodiesFullError when that is more than there may
   * be.
   */
  hold(bytes: number): void {
    this.#held?.hold(bytes);
  }

  /** The next block when it is here already and no reader waits for it; else, and where it is inflated, null. */
  takeNow(): Buffer | null {
    return null;
  }

  /** The next block, or null at the end. Rejects with AlreadyReadingError while one is being waited for. */
  abstract next(): Promise<Buffer | null>;

  /**
   * All that is left of the body. Rejects with BodyTooLargeError beyond `maxBytes`, with BodiesFullError when too much
   * is held.
   */
  async readAll(maxBytes: number): Promise<Buffer> {
    if (!(maxBytes >= 0)) throw new OptionError(`maxBytes must be a number from 0 up, not ${String(maxBytes)}`);
    const blocks: Buffer[] = [];
    let bytes = 0;
    for (let block = await this.next(); block !== null; block = await this.next()) {
      bytes += block.length;
      if (bytes > maxBytes) throw new BodyTooLargeError(maxBytes);
      this.hold(block.length);
      blocks.push(block);
    }
    return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks, bytes);
  }

  /** Its blocks, to the end. Rejects as `next` does. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (let block = await this.next(); block !== null; block = await this.next()) yield block;
  }
}
