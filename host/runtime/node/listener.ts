/**
 * Listening sockets of the node runtime: node:net listens, and what it accepts waits here until the sandbox takes it.
 *
 * Invariants: at most QUEUE_MAX connections wait, fewer with little memory, and only TLS reads ahead of the sandbox:
 * node:net cannot be made to stop accepting, so what comes beyond that is refused. Every connection that gets further
 * than this file has a known peer. A shared listener is not accepted from before `begin`: until then worker processes
 * may.
 */
import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import type { Accepted } from "../../core/address.js";
import { type Address, familyOf, type ListeningSocket, type SocketOptions } from "../../core/address.js";
import { BindError } from "../../core/errors.js";
import { CONNECTION_BYTES, memoryShare } from "../../core/memorybudget.js";
import { isTrusted } from "../../core/trustedpeers.js";
import { Handshakes } from "../../tls/handshakes.js";
import type { Guard } from "../worker.js";
import { type AcceptQueue, hearErrors } from "./descriptors.js";
import type { SharedListener } from "./sharedlistener.js";

/** Each takes some 4 KiB. */
const QUEUE_MAX = 4096;
/** Rounds of Node's loop without a connection after which the kernel's queue is empty: libuv accepts one a round. */
const QUIET_ROUNDS = 3;

export class NodeListener implements ListeningSocket, AcceptQueue {
  readonly runtime = "node";
  readonly address: Address;
  readonly #server: Server;
  readonly #shared: SharedListener | null;
  readonly #backlog: number;
  #guard: Guard | null = null;
  #handshakes: Handshakes | null = null;
  #queue: Accepted[] = [];
  #changed: (() => void) | null = null;
  #announced: ((accepted: Accepted) => void) | null = null;
  refused = 0;

  /** `server` listens on `address`, or will on what is `shared`. */
  constructor(server: Server, address: Address, shared: SharedListener | null = null, backlog = 0) {
    this.#server = server;
    this.#shared = shared;
    this.#backlog = backlog;
    this.address = address;
    onConnection(server, address, (accepted) => this.#admit(accepted));
    server.on("error", () => {}); // a connection that could not be accepted is the peer's loss alone
  }

  get sharedFd(): number | null {
    return this.#shared === null ? null : this.#shared.sharedFd;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Accepts from now on. Calling it again changes nothing. Throws BindError when there is no such descriptor. */
  begin(): void {
    if (this.#shared === null || this.sharedFd === null) return;
    const taker = { shift: () => this.shift(), close: () => this.#server.close() };
    this.#server.listen({ fd: this.#shared.give(taker) }, this.#backlog);
    if (!this.#server.listening) throw new BindError("EBADF", this.address.address, this.address.port);
  }

  /** Connections pass `guard` before they wait, also those that have come already. */
  protect(guard: Guard): void {
    this.#guard = guard;
    if (guard.tls !== null) {
      this.#handshakes = new Handshakes(guard.tls, guard.scheme, (accepted, release) => {
        release();
        this.#take(accepted);
      });
    }
    const early = this.#queue;
    this.#queue = [];
    for (const accepted of early) this.#admit(accepted);
  }

  shift(): Accepted | undefined {
    let accepted = this.#queue.shift();
    while (accepted?.socket.destroyed) accepted = this.#queue.shift();
    return accepted;
  }

  accept(): [Socket, Address] | null {
    const accepted = this.shift();
    return accepted === undefined ? null : [accepted.socket, accepted.address];
  }

  /** Whether connections can come. */
  get listening(): boolean {
    return this.#server.listening;
  }

  /** Whether connections are taken as they come. */
  get watched(): boolean {
    return this.#changed !== null;
  }

  watch(changed: (() => void) | null): void {
    this.#changed = changed;
  }

  /** A connection that this process has by other means. */
  give(accepted: Accepted): void {
    this.#take(accepted);
  }

  announce(taken: (accepted: Accepted) => void): void {
    this.#announced = taken;
    for (const accepted of this.#queue) taken(accepted);
  }

  close(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const { socket } of queue) socket.destroy();
    this.#handshakes?.close();
    this.#server.close();
    this.#shared?.close();
  }

  #admit(accepted: Accepted): void {
    const trusted = this.#guard?.trusted ?? null;
    if (trusted !== null && !isTrusted(trusted, accepted.address)) accepted.socket.destroy();
    else if (this.#handshakes === null) this.#take(accepted);
    else this.#handshakes.begin(accepted);
  }

  /** Stops listening, and serves what waited in the kernel until then. At most a full queue is taken. */
  async finish(): Promise<void> {
    const last = await closeWhenTaken(this.#server, this.address);
    this.#shared?.close();
    for (const accepted of last) this.#admit(accepted);
    await this.#handshakes?.finish();
  }

  #take(accepted: Accepted): void {
    if (this.#queue.length >= memoryShare(CONNECTION_BYTES, QUEUE_MAX)) {
      this.refused++;
      accepted.socket.destroy();
      return;
    }
    hearErrors(accepted.socket);
    this.#queue.push(accepted);
    this.#announced?.(accepted);
    this.#changed?.();
  }
}

/**
 * Notes the peer of a connection that a listener has just accepted. One that has been reset meanwhile is
 * closed, and this gives null: its peer will not read an answer, and its address is not known any more.
 */
function withAddress(socket: Socket, listener: Address): Accepted | null {
  if (listener.family === "unix") return { socket, address: listener };
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress !== undefined && remotePort !== undefined) {
    return { socket, address: { address: remoteAddress, port: remotePort, family: familyOf(remoteAddress) } };
  }
  socket.destroy();
  return null;
}

/** Listens on one port, and accepts at once: on `bound` when that is bound already. Rejects with BindError. */
export function listen(
  address: string,
  port: number,
  backlog: number,
  { ipv6Only = true, reusePort = false }: SocketOptions = {},
  bound: object | null = null,
): Promise<NodeListener> {
  const server = newServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(new BindError(error.code ?? "EIO", address, port)));
    const listening = (): void => {
      server.removeAllListeners("error");
      const found = server.address();
      const real = typeof found === "object" && found !== null ? found.port : port;
      resolve(new NodeListener(server, { address, port: real, family: familyOf(address) }));
    };
    if (bound !== null) server.listen(bound, backlog, listening);
    else server.listen({ host: address, port, backlog, ipv6Only, reusePort } as ListenOptions, listening);
  });
}

/** Listens on a Unix-domain socket, and accepts at once. libuv removes its file. Rejects with BindError. */
export function listenUnix(path: string, mode: number, backlog: number): Promise<NodeListener> {
  const server = newServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(new BindError(error.code ?? "EIO", path, null)));
    server.once("listening", () => {
      server.removeAllListeners("error");
      resolve(new NodeListener(server, { address: path, port: 0, family: "unix" }));
    });
    const umask = process.umask(0o777 & ~mode); // the file has its mode from the beginning: it is made at once
    server.listen(path, backlog);
    process.umask(umask);
  });
}

/** No port: its connections are given to it. */
export function listenNowhere(): NodeListener {
  return new NodeListener(newServer(), { address: "", port: 0, family: "unix" });
}

/** A shared listener, for this process to accept from when a worker of it begins. */
export function listenOn(shared: SharedListener, backlog: number): NodeListener {
  return new NodeListener(newServer(), shared.address, shared, backlog);
}

/**
 * Closes `server` when nothing waits in the kernel's queue any more, or a full queue has been taken from it: the kernel
 * resets what still waits. Resolves to the connections that came meanwhile. They are not served before the queue
 * is empty: clients whose requests are answered connect again, and it might never be.
 */
export async function closeWhenTaken(server: Server, address: Address): Promise<Accepted[]> {
  const last: Accepted[] = [];
  let taken = 0;
  server.removeAllListeners("connection");
  server.on("connection", () => taken++);
  onConnection(server, address, (accepted) => last.push(accepted));
  for (let quiet = 0; taken < QUEUE_MAX && quiet < QUIET_ROUNDS; ) {
    const before = taken;
    await new Promise((resolve) => setImmediate(resolve));
    quiet = taken === before ? quiet + 1 : 0;
  }
  server.close();
  return last;
}

/** Calls `admit` with each connection that `server` accepts and whose peer is known. */
export function onConnection(server: Server, address: Address, admit: (accepted: Accepted) => void): void {
  server.on("connection", (socket: Socket) => {
    const accepted = withAddress(socket, address);
    if (accepted !== null) admit(accepted);
  });
}

export function newServer(): Server {
  return createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
}
