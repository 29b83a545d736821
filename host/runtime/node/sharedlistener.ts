/**
 * A listener that this process holds and others accept from, so that it outlives them: connections that come while no
 * worker lives wait in the kernel for the next one. Workers are processes of wasmtime, or of this program
 * (processgroup.ts).
 *
 * What libuv listens on it also accepts from; so the handle is bound here, made to listen by a child that inherits it
 * and exits, and never polled by this process (nodeinternals/boundhandle.ts).
 *
 * Invariant: a descriptor has one owner. It is this object until `give`, and then the code that it was given to.
 */
import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { chmodSync, closeSync, linkSync, lstatSync, unlinkSync } from "node:fs";
import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { type Address, familyOf, type ListeningSocket, type SocketOptions } from "../../core/address.js";
import { whyNotShared } from "../../core/engine.js";
import { BindError, RuntimeUnavailableError } from "../../core/errors.js";
import type { RuntimeName } from "../../core/runtimename.js";
import { bindPipe, bindTCP, TCP_IPV6_ONLY, TCP_REUSE_PORT, type TCPHandle } from "../../nodeinternals/boundhandle.js";
import type { AcceptQueue } from "./descriptors.js";

/**
 * What the child runs: it listens on descriptor 3 and exits before its loop could accept, with the error's number if
 * there is one.
 */
const LISTEN = `
  const server = require("node:net").createServer();
  server.on("error", (error) => process.exit(-error.errno || 1));
  server.listen({ fd: 3 }, Number(process.argv[1]));
  if (server.listening) process.exit(0);`;

/** A Unix-domain socket's file, known by its inode: a later file of that name is another process's. */
interface SocketFile {
  readonly path: string;
  readonly inode: number;
}

/** Accepts from a descriptor that it was given, and closes it. */
export type ConnectionTaker = Pick<AcceptQueue, "shift" | "close">;

export class SharedListener implements ListeningSocket {
  readonly runtime: RuntimeName;
  readonly address: Address;
  /** The descriptor in this process, for a child's stdio. */
  readonly fd: number;
  #close: () => void;
  readonly #file: SocketFile | null;
  #mine = true;
  #closed = false;
  /** Where connections wait that this process accepts. */
  #taker: ConnectionTaker | null = null;

  /** `close` gives the descriptor back. */
  constructor(
    runtime: RuntimeName,
    address: Address,
    fd: number,
    close: () => void = () => closeSync(fd),
    file: SocketFile | null = null,
  ) {
    this.runtime = runtime;
    this.address = address;
    this.fd = fd;
    this.#close = close;
    this.#file = file;
  }

  get sharedFd(): number | null {
    return this.#mine ? this.fd : null;
  }

  /**
   * Other code will close the descriptor from now on. The handle that it was bound with stays as it is: closing it
   * would close the descriptor, too.
   */
  give(taker: ConnectionTaker): number {
    this.#mine = false;
    this.#taker = taker;
    this.#close = () => taker.close();
    return this.fd;
  }

  /** Whether this process accepts. */
  get watched(): boolean {
    return this.#taker !== null;
  }

  accept(): [Socket, Address] | null {
    const accepted = this.#taker?.shift();
    return accepted === undefined ? null : [accepted.socket, accepted.address];
  }

  close(): void {
    this.removeFile();
    if (this.#closed) return;
    this.#closed = true;
    this.#mine = false;
    this.#close();
  }

  /** Removes the file of a Unix-domain socket, when it is still ours. */
  removeFile(): void {
    if (this.#file === null) return;
    try {
      if (lstatSync(this.#file.path).ino === this.#file.inode) unlinkSync(this.#file.path);
    } catch {} // another process was faster
  }
}

/** Binds and listens, for `runtime` to serve. Rejects with BindError. */
export async function listenShared(
  address: string,
  port: number,
  backlog: number,
  options: SocketOptions = {},
  runtime: RuntimeName = "wasmtime",
): Promise<SharedListener> {
  const bound = bindHandle(address, port, options);
  return listenerOn(bound, await listenInChild(bound.handle.fd, backlog), runtime);
}

/** The same at once, which holds up the process for as long as another takes to start. Throws BindError. */
export function listenSharedNow(
  address: string,
  port: number,
  backlog: number,
  options: SocketOptions,
): SharedListener {
  const bound = bindHandle(address, port, options);
  const { status } = spawnSync(process.execPath, listenArguments(backlog), listenOptions(bound.handle.fd));
  return listenerOn(bound, status === null ? -1 : -status, "wasmtime");
}

/** A socket that is bound, and where. */
interface Bound {
  readonly handle: TCPHandle;
  readonly address: Address;
}

/** Binds at once. Throws BindError, and RuntimeUnavailableError with a Node that cannot bind without accepting. */
export function bindHandle(address: string, port: number, options: SocketOptions = {}): Bound {
  requireHandles();
  const family = familyOf(address);
  const flags = (options.ipv6Only === false ? 0 : TCP_IPV6_ONLY) | (options.reusePort === true ? TCP_REUSE_PORT : 0);
  const handle = bindTCP(address, port, family === "IPv6", family === "IPv6" ? flags : flags & TCP_REUSE_PORT);
  if (typeof handle === "number") throw new BindError(getSystemErrorName(handle), address, port);
  const name: { port?: number } = {};
  // What accept() returns has the listener's TCP_NODELAY; the sandbox has no way to set it. A port in use is reported
  // by getsockname: libuv keeps that error of bind back.
  const error = handle.getsockname(name) || handle.setNoDelay(true);
  const bound = { handle, address: { address, port: name.port ?? port, family } };
  if (error !== 0) throw failed(bound, error);
  return bound;
}

function requireHandles(): void {
  const why = whyNotShared("the runtime wasmtime");
  if (why !== null) throw new RuntimeUnavailableError(why);
}

function listenerOn(bound: Bound, error: number, runtime: RuntimeName): SharedListener {
  if (error !== 0) throw failed(bound, error);
  const { handle, address } = bound;
  return new SharedListener(runtime, address, handle.fd, () => handle.close());
}

function failed({ handle, address }: Bound, error: number): BindError {
  handle.close();
  return new BindError(getSystemErrorName(error), address.address, address.port);
}

/**
 * Binds a Unix-domain socket and listens, for Node to serve; a `path` that starts with NUL is one of Linux's abstract
 * names.
 *
 * The file gets its name when it has its mode and listens, and only if there is none: it is made under another name
 * first. So libuv, which removes the name that it bound when its handle closes, never removes the file of the process
 * that comes next.
 */
export async function listenSharedUnix(path: string, mode: number, backlog: number): Promise<SharedListener> {
  requireHandles();
  const abstract = path.startsWith("\0");
  const first = abstract ? path : `${path}.${process.pid}`;
  const handle = bindPipe(first);
  if (typeof handle === "number") throw new BindError(getSystemErrorName(handle), path, null);
  const fail = (code: string) => {
    handle.close();
    return new BindError(code, path, null);
  };
  const address: Address = { address: path, port: 0, family: "unix" };
  let file: SocketFile | null = null;
  try {
    if (!abstract) chmodSync(first, mode);
    const listened = await listenInChild(handle.fd, backlog);
    if (listened !== 0) throw fail(getSystemErrorName(listened));
    if (!abstract) {
      linkSync(first, path);
      unlinkSync(first);
      file = { path, inode: lstatSync(path).ino };
    }
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    throw error instanceof BindError ? error : fail(code === "EEXIST" ? "EADDRINUSE" : code);
  }
  return new SharedListener("node", address, handle.fd, () => handle.close(), file);
}

/** Returns 0 or -errno. */
function listenInChild(fd: number, backlog: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, listenArguments(backlog), listenOptions(fd));
    child.on("error", reject);
    child.on("exit", (status) => resolve(status === null ? -1 : -status));
  });
}

function listenArguments(backlog: number): string[] {
  return ["-e", LISTEN, String(backlog)];
}

function listenOptions(fd: number): SpawnOptions {
  return { stdio: ["ignore", "ignore", "ignore", fd], env: {} };
}
