/**
 * Sockets that are bound and do not listen yet: `net._createServerHandle`, with the methods of the handle that it
 * returns. node:net itself only binds what it also accepts from, in this process.
 *
 * Without it a port is bound and served by one process: worker processes, `--watch`, workers of wasmtime and
 * Unix-domain sockets with a mode of their own need a socket that this process holds and does not accept from.
 */
import net from "node:net";
import { nodeInternal } from "./internal.js";

/** A socket that is bound. Results of its methods are 0 or -errno. */
export interface BoundHandle {
  readonly fd: number;
  close(): void;
}

/** What getsockname(2) says. */
export interface SocketName {
  readonly address: string;
  readonly port: number;
}

/** One of TCP. */
export interface TCPHandle extends BoundHandle {
  getsockname(out: Partial<SocketName>): number;
  setNoDelay(yes: boolean): number;
}

/** Bits of `flags`, as in libuv's uv.h. The second has an effect from Node 22.12 on. */
export const TCP_IPV6_ONLY = 1;
export const TCP_REUSE_PORT = 2;

type CreateServerHandle = (
  address: string | undefined,
  port: number | undefined,
  addressType: number | undefined,
  fd: number | undefined,
  flags: number,
) => BoundHandle | number;

const { _createServerHandle: createServerHandle } = net as unknown as { _createServerHandle: CreateServerHandle };

export const boundHandles = nodeInternal(
  "_createServerHandle",
  "one process binds and serves a port: no worker processes, no `--watch`, no workers of wasmtime",
  () => {
    const handle = createServerHandle("127.0.0.1", 0, 4, undefined, 0) as TCPHandle;
    const name: { port?: number } = {};
    const works = handle.fd >= 0 && handle.getsockname(name) === 0 && handle.setNoDelay(true) === 0;
    handle.close();
    return works && name.port !== undefined;
  },
);

/** Binds an IP address and a port. Returns the handle, or -errno. */
export function bindTCP(address: string, port: number, isIPv6: boolean, flags: number): TCPHandle | number {
  return createServerHandle(address, port, isIPv6 ? 6 : 4, undefined, flags) as TCPHandle | number;
}

/**
 * Takes a socket that this process was started with, which keeps its descriptor, and sets TCP_NODELAY, as `bindTCP`'s
 * callers do. Null: it is none of TCP.
 */
export function openTCP(fd: number): SocketName | null {
  if (!boundHandles.isThere()) return null;
  const handle = createServerHandle(undefined, undefined, undefined, fd, 0) as Partial<TCPHandle> | number;
  if (typeof handle === "number" || handle.getsockname === undefined) return null;
  const name: Partial<SocketName> = {};
  const error = handle.getsockname(name) || handle.setNoDelay?.(true);
  return error === 0 ? (name as SocketName) : null;
}

/** Binds a Unix-domain socket. Returns the handle, or -errno. */
export function bindPipe(path: string): BoundHandle | number {
  return createServerHandle(path, -1, -1, undefined, 0);
}
