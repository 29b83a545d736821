/**
 * Reading sockets into a buffer of ours. For each read node:net takes 64 KiB, in an allocation whose failure ends the
 * process, and it reads once or twice more after `pause`. A socket that was made with the option `onread` reads into
 * its user's buffer and stops at once; the sockets that a server accepts are made without it. So what the option sets
 * is set here: `kBuffer` and `kBufferCb`, and the handle's `useUserBuffer`. The fallback is the "data" event.
 *
 * Reference: `onread` in Node's documentation of net.Socket; initSocketHandle and onStreamRead in its lib/net.js.
 */
import { Socket } from "node:net";
import { nodeInternal } from "./internal.js";

/**
 * Takes the first `bytes` of `buffer`, which is written again after the call. False: the socket is not read before
 * `resume`.
 */
export type TakeRead = (this: Socket, bytes: number, buffer: Buffer) => boolean;

type Readable = Socket & { readonly _handle?: { useUserBuffer?(buffer: Buffer): void } | null };

const symbols = Object.getOwnPropertySymbols(new Socket());
const named = (name: string): symbol => symbols.find(({ description }) => description === name) as symbol;
const BUFFER = named("kBuffer");
const CALLBACK = named("kBufferCb");

export const socketReads = nodeInternal(
  "kBuffer",
  "memory: a client that sends much at once makes Node take up to 192 KiB",
  () => typeof BUFFER === "symbol" && typeof CALLBACK === "symbol",
);

/** Whether it is a TLSSocket, which is known without node:tls being loaded. */
function isEncrypted(socket: Socket): boolean {
  return "encrypted" in socket;
}

/** Has `take` called with what comes from a socket that was not read yet, in `buffer`. False: that cannot be had. */
export function readInto(socket: Socket, buffer: Buffer, take: TakeRead): boolean {
  const handle = (socket as Readable)._handle;
  if (!socketReads.isThere() || isEncrypted(socket) || typeof handle?.useUserBuffer !== "function") return false;
  Reflect.set(socket, BUFFER, buffer);
  Reflect.set(socket, CALLBACK, take);
  handle.useUserBuffer(buffer);
  return true;
}
