/**
 * The one buffer that sockets are read into, and how much of what was read waits for the sandbox.
 *
 * Invariant: a connection counts what waits in it.
 */
import type { Socket } from "node:net";
import { BlockPool } from "../../core/blockpool.js";
import { tookBlock } from "../../core/garbage.js";
import { READ_AHEAD_BYTES_MAX, SOCKET_READ_BYTES } from "../../core/limits.js";
import { memoryShare, READ_AHEAD_SHARE, SOCKET_READ_SHARE } from "../../core/memorybudget.js";
import { readInto, type TakeRead } from "../../nodeinternals/onread.js";

const SOCKET_READ_BYTES_MIN = 4 << 10;
const SPARE_BLOCKS = 64;

let shared: { readonly buffer: Buffer; readonly blocks: BlockPool; readonly aheadMax: number } | null = null;
let ahead = 0;

function theShared(): NonNullable<typeof shared> {
  if (shared !== null) return shared;
  const bytes = Math.max(SOCKET_READ_BYTES_MIN, memoryShare(SOCKET_READ_SHARE, SOCKET_READ_BYTES));
  shared = {
    buffer: Buffer.allocUnsafeSlow(bytes),
    blocks: new BlockPool(bytes, SPARE_BLOCKS),
    aheadMax: memoryShare(READ_AHEAD_SHARE, READ_AHEAD_BYTES_MAX),
  };
  return shared;
}

/** Has `take` called with what comes from a socket that was not read yet. False: that cannot be had. */
export function readShared(socket: Socket, take: TakeRead): boolean {
  return readInto(socket, theShared().buffer, take);
}

/** What was read as memory of its own. It is given back by `giveBack`, or left to be collected. */
export function copyOfRead(buffer: Buffer, bytes: number): Buffer {
  let chunk: Buffer;
  const { blocks } = theShared();
  if (bytes === blocks.size) chunk = blocks.take();
  else {
    tookBlock(bytes);
    chunk = Buffer.allocUnsafe(bytes);
  }
  buffer.copy(chunk, 0, 0, bytes);
  return chunk;
}

/** Takes `chunk` back, which its reader has done with. The shared buffer stays where it is. */
export function giveBack(chunk: Buffer): void {
  const { buffer, blocks } = theShared();
  if (chunk !== buffer) blocks.give(chunk);
}

/** So many bytes more wait for the sandbox, or fewer. Returns whether all that wait are too many. */
export function countAhead(bytes: number): boolean {
  ahead += bytes;
  return ahead > theShared().aheadMax;
}
