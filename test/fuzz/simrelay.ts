// What stands between clients that speak TLS and workers: the host's own Forwarding between simulated sockets. The
// handshakes are left out.
//
// Invariants tested: a connection that has ended leaves no secret behind; all of them end with the server.

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

import type { Peer } from "../../host/bridge/bridge.js";
import type { HTTPServer } from "../../host/index.js";
import { Forwarding } from "../../host/runtime/wasmtime/forwarding.js";
import type { GuardedSockets } from "../../host/runtime/worker.js";
import type { Random } from "./random.js";
import { SimListener } from "./simlistener.js";
import type { Part, World } from "./simworld.js";
import { Wire } from "./wire.js";

/** What a socket reads and writes at once, at most. */
const PIECE_BYTES = 16 << 10;

/** A socket of Node's at one end of a wire. */
abstract class SimSocket extends Duplex {
  #written: { readonly chunk: Buffer; readonly done: (error?: Error) => void } | null = null;
  #wants = false;
  #isEnding = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(protected readonly wire: Wire) {
    super({ allowHalfOpen: true });
    this.on("error", () => {});
  }

  /** Bytes that have come; null: the other side has ended; undefined: nothing yet. */
  protected abstract readWire(size: number): Buffer | null | undefined;
  /** How many of them were taken. */
  protected abstract writeWire(chunk: Buffer): number;
  protected abstract endWire(): void;
  protected abstract closeWire(): void;
  protected abstract get isBroken(): boolean;

  override _read(): void {
    this.#wants = true;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#written = { chunk, done };
  }

  override _final(done: () => void): void {
    this.endWire();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.closeWire();
    done(error);
  }

  resetAndDestroy(): void {
    this.wire.reset();
    this.destroy();
  }

  destroySoon(): void {
    if (this.writableFinished) return void this.destroy();
    if (!this.#isEnding) this.once("finish", () => this.destroy());
    this.#isEnding = true;
    this.end();
  }

  setTimeout(ms: number, late: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (!this.destroyed) this.#timer = setTimeout(late, ms);
  }

  step(random: Random, all: boolean): void {
    if (this.destroyed) return;
    if (this.isBroken) return void this.destroy(new Error("ECONNRESET"));
    if (all || random.once(2)) this.#moveOut(random, all);
    if (this.#wants && (all || random.once(2))) this.#moveIn(random, all);
  }

  #moveOut(random: Random, all: boolean): void {
    if (this.#written === null) return;
    const { chunk, done } = this.#written;
    const size = all ? chunk.length : 1 + random.below(chunk.length);
    const rest = chunk.subarray(this.writeWire(chunk.subarray(0, size)));
    this.#written = rest.length > 0 ? { chunk: rest, done } : null;
    if (rest.length === 0) done();
  }

  #moveIn(random: Random, all: boolean): void {
    const bytes = this.readWire(all ? PIECE_BYTES : 1 + random.below(PIECE_BYTES));
    if (bytes === undefined) return;
    this.#wants = false;
    this.push(bytes);
  }
}

/** The server's end of a client's connection. */
class Outer extends SimSocket {
  protected readWire(size: number): Buffer | null | undefined {
    if (this.wire.waiting > 0) return Buffer.from(this.wire.receive(size));
    return this.wire.ended ? null : undefined;
  }

  protected writeWire(chunk: Buffer): number {
    const size = Math.min(chunk.length, this.wire.room);
    if (size > 0) this.wire.deliver(chunk.subarray(0, size));
    return size;
  }

  protected endWire(): void {
    this.wire.isShut = true;
  }

  protected closeWire(): void {
    this.wire.closed = true;
  }

  protected get isBroken(): boolean {
    return this.wire.isReset;
  }
}

/** The client's end of a connection to a worker. */
class Inner extends SimSocket {
  #come: Buffer = Buffer.alloc(0);

  protected readWire(size: number): Buffer | null | undefined {
    if (this.#come.length === 0) this.#come = this.wire.take();
    if (this.#come.length === 0) return this.wire.isShut || this.wire.closed ? null : undefined;
    const bytes = this.#come.subarray(0, size);
    this.#come = this.#come.subarray(size);
    return bytes;
  }

  protected writeWire(chunk: Buffer): number {
    const size = Math.min(chunk.length, Math.max(0, PIECE_BYTES * 4 - this.wire.waiting));
    if (size > 0) this.wire.send(chunk.subarray(0, size));
    return this.wire.closed ? chunk.length : size;
  }

  protected endWire(): void {
    this.wire.ended = true;
  }

  protected closeWire(): void {
    if (this.wire.isShut || this.wire.ended) this.wire.ended = true;
    else this.wire.reset();
  }

  protected get isBroken(): boolean {
    return this.wire.isReset && this.#come.length === 0;
  }
}

export class SimRelay extends SimListener implements Part {
  readonly #peers = new Map<string, Peer>();
  readonly #forwarding: Forwarding;
  readonly #world: World;
  readonly #outerListener: SimListener;
  readonly #sockets = new Set<SimSocket>();
  #outer: Wire | null = null;

  /** Takes the connections of `listener`. */
  constructor(world: World, listener: SimListener) {
    super([], listener.workers);
    this.#world = world;
    this.#outerListener = listener;
    this.#forwarding = new Forwarding(this.#peers, () => this.#connect());
    world.parts.add(this);
  }

  get guarded(): GuardedSockets {
    return {
      sockets: [this],
      peers: this.#peers,
      drained: async (ms) => {
        await this.#forwarding.drained(ms);
        if (this.#peers.size > 0) this.#world.fail(`${this.#peers.size} secrets are left of connections`);
        this.#world.parts.delete(this);
      },
    };
  }

  step(random: Random, all: boolean): void {
    const { queue } = this.#outerListener;
    const isOpen = this.sharedFd !== null;
    if (isOpen && queue.length > 0 && (all || random.once(2))) this.#accept(queue.shift() as Wire);
    for (const socket of [...this.#sockets]) socket.step(random, all);
  }

  #accept(wire: Wire): void {
    this.#outer = wire;
    this.#outerListener.accepted.add(wire);
    const peer: Peer = { address: { address: "192.0.2.1", port: 1, family: "IPv4" }, tls: null };
    this.#forwarding.begin(this.#add(new Outer(wire)) as unknown as TLSSocket, peer, () => {});
  }

  #connect(): Socket {
    const wire = new Wire();
    const owner = this.#world.owners.get(this.#outer as Wire);
    if (owner !== undefined) this.#world.owners.set(wire, owner);
    this.queue.push(wire);
    const inner = this.#add(new Inner(wire));
    setImmediate(() => inner.emit("connect"));
    return inner as unknown as Socket;
  }

  #add(socket: SimSocket): SimSocket {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }
}

/** It takes connections of TLS: what forwards them to workers is put in front, and handshakes are left out. */
export function beginRelay(server: HTTPServer): void {
  Object.assign(server.options, { tls: { reload() {} } });
}
