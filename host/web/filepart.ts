/**
 * A part of a file on its way to one client.
 *
 * Invariants: it is read in blocks, at the pace of the client; while the rest of a block is on its way, the next is
 * read. A client that takes nothing for a while costs no block: what was read for it is read again when it goes on.
 */
import type { FileHandle } from "node:fs/promises";
import { BlockPool } from "../core/blockpool.js";
import { ignore } from "../core/promises.js";
import type { HTTPConnection } from "../http/response.js";
import type { OpenFile } from "./files.js";

const BLOCK_BYTES = 64 << 10;
const SPARE_BLOCKS = 16;
/** How long a block is kept for a client that takes nothing. */
const BLOCK_KEPT_MS = 250;
/** While more are in use than so many, nothing is read ahead, and a client that has to wait keeps none. */
const BLOCKS_KEPT_MAX = 256;

const blocks = new BlockPool(BLOCK_BYTES, SPARE_BLOCKS);
let blocksInUse = 0;

/** The bytes of a file from `start` up to, not including, `end`. */
export class FilePart implements AsyncIterable<Uint8Array> {
  readonly #file: Promise<OpenFile>;
  readonly #start: number;
  readonly #end: number;

  constructor(file: Promise<OpenFile>, start: number, end: number) {
    this.#file = file;
    this.#start = start;
    this.#end = end;
  }

  /** Whether it is more than one block. */
  get isLong(): boolean {
    return this.#end - this.#start > BLOCK_BYTES;
  }

  /** Blocks of it: each is there until the one after the next is asked for. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const { handle } = await this.#file;
    let block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, this.#end - this.#start));
    let other = this.isLong ? Buffer.allocUnsafe(BLOCK_BYTES) : block;
    for (let at = this.#start; at < this.#end; ) {
      const { bytesRead } = await handle.read(block, 0, Math.min(block.length, this.#end - at), at);
      if (bytesRead === 0) return; // it has become shorter
      at += bytesRead;
      yield block.subarray(0, bytesRead);
      [block, other] = [other, block];
    }
  }

  /**
   * Writes it to an answer whose head has been sent; less of it when the file has become shorter. Rejects as `write`.
   */
  async sendTo(connection: HTTPConnection): Promise<void> {
    const { handle } = await this.#file;
    const reader = new BlockReader(handle, this.#start, this.#end);
    try {
      while (true) {
        const { room } = connection;
        const piece = await reader.read(room > 0 ? room : BLOCK_BYTES);
        if (piece.length === 0) return;
        const left = connection.write(room > 0 ? piece : Buffer.from(piece));
        reader.advance(piece.length);
        if (reader.isAtEnd) return void ignore(left); // it goes with the end
        reader.wait();
        await left;
      }
    } finally {
      reader.close();
    }
  }
}

/** Reads a file a block ahead of what is taken from it. */
class BlockReader {
  readonly #handle: FileHandle;
  readonly #end: number;
  /** Where the next byte is in the file, and in the block. */
  #at: number;
  #offset = 0;
  #filled = 0;
  #block: Buffer | null = null;
  #reading: Promise<void> | null = null;
  readonly #timer = setTimeout(() => this.#giveBack(), BLOCK_KEPT_MS).unref();

  constructor(handle: FileHandle, start: number, end: number) {
    this.#handle = handle;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The next bytes, at most `bytesMax`, until this object is called again; none when the file has become shorter. */
  async read(bytesMax: number): Promise<Uint8Array> {
    this.#timer.refresh();
    if (this.#offset === this.#filled) await (this.#reading ?? this.#fill());
    return (this.#block as Buffer).subarray(this.#offset, Math.min(this.#filled, this.#offset + bytesMax));
  }

  /** So many bytes have been taken. */
  advance(bytes: number): void {
    this.#at += bytes;
    this.#offset += bytes;
    const isEmpty = this.#offset === this.#filled && !this.isAtEnd;
    if (isEmpty && blocksInUse <= BLOCKS_KEPT_MAX) void ignore(this.#fill());
  }

  /** What comes next may be long in coming. */
  wait(): void {
    if (blocksInUse > BLOCKS_KEPT_MAX && this.#reading === null) this.#giveBack();
  }

  /** Nothing more will be read. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#reading === null) this.#giveBack();
    else void ignore(this.#reading.finally(() => this.#giveBack()));
  }

  #fill(): Promise<void> {
    if (this.#block === null) {
      this.#block = blocks.take();
      blocksInUse++;
    }
    this.#offset = this.#filled = 0;
    this.#reading = this.#readBlock(this.#block);
    return this.#reading;
  }

  async #readBlock(block: Buffer): Promise<void> {
    try {
      const size = Math.min(block.length, this.#end - this.#at);
      this.#filled = (await this.#handle.read(block, 0, size, this.#at)).bytesRead;
    } finally {
      this.#reading = null;
    }
  }

  #giveBack(): void {
    if (this.#reading !== null) return void this.#timer.refresh();
    if (this.#block !== null) {
      blocks.give(this.#block);
      blocksInUse--;
    }
    this.#block = null;
    this.#offset = this.#filled = 0;
  }
}
