/**
 * Reading many sockets into one buffer, and how much of that waits for the sandbox.
 *
 * For each read node:net takes 64 KiB, in an allocation whose failure ends the process, and it reads once or twice
 * more after `pause`: a thousand peers that send at once make it take 200 MB. A socket that was made with `onread`
 * reads into its user's buffer and stops at once. The sockets that a server accepts are made without; so what `onread`
 * sets is set here.
 *
 * Invariants: when this Node has none of what is set, nothing is, and the socket's "data" events have to do. A
 * connection counts what waits in it for the sandbox.
 * Reference: `onread` in Node's documentation of net.Socket; initSocketHandle and onStreamRead in its lib/net.js.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { BlockPool } from "../../bridge/blockpool.js";
import { tookBlock } from "../../core/garbage.js";
import { READ_AHEAD_BYTES_MAX, SOCKET_READ_BYTES } from "../../core/limits.js";
import { memoryShare, READ_AHEAD_SHARE, SOCKET_READ_SHARE } from "../../core/memorybudget.js";

const SOCKET_READ_BYTES_MIN = 4 << 10;
const SPARE_BLOCKS = 64;

/**
 * Takes the first `bytes` of `buffer`, which is written again after the call. False: the socket is not read before
 * `resume`.
 */
export type TakeRead = (this: Socket, bytes: number, buffer: Buffer) => boolean;

/** The private part of net.Socket: its handle, and where it keeps `onread`. */
interface Inner {
  readonly _handle?: { useUserBuffer?(buffer: Buffer): void } | null;
  [name: symbol]: unknown;
}

/** Names of net.Socket's own properties; null: it has no such. */
let names: { readonly buffer: symbol; readonly callback: symbol } | null = null;
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
export function readInto(socket: Socket, take: TakeRead): boolean {
  const inner = socket as unknown as Inner;
  const handle = inner._handle;
  if (socket instanceof TLSSocket || typeof handle?.useUserBuffer !== "function") return false;
  names ??= namesIn(Object.getOwnPropertySymbols(socket));
  if (names === null) return false;
  const { buffer } = theShared();
  inner[names.buffer] = buffer;
  inner[names.callback] = take;
  handle.useUserBuffer(buffer);
  return true;
}

function namesIn(symbols: readonly symbol[]): typeof names {
  const buffer = symbols.find(({ description }) => description === "kBuffer");
  const callback = symbols.find(({ description }) => description === "kBufferCb");
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}

/** What was read as memory of its own. It is given back by `giveBack`, or left to be collected. */
export function copyOfRead(buffer: Buffer, bytes: number): Buffer {
  tookBlock(bytes);
  const chunk = bytes === buffer.length ? theShared().blocks.take() : Buffer.allocUnsafe(bytes);
  buffer.copy(chunk, 0, 0, bytes);
  return chunk;
}

/** Nobody looks at `chunk` any more. */
export function giveBack(chunk: Buffer): void {
  theShared().blocks.give(chunk);
}

/** So many bytes more wait for the sandbox, or fewer. Returns whether all that wait are too many. */
export function countAhead(bytes: number): boolean {
  ahead += bytes;
  return ahead > theShared().aheadMax;
}
