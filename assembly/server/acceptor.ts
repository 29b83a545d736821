// Listeners: the sockets that the host handed over, and accepting from them.
//
// Invariant: an accept handler takes at most ACCEPTS_PER_TURN connections a turn, pauses for ACCEPT_PAUSE_MS when the
// process is out of descriptors or the module of memory, and never spins. Reference: Tornado's netutil.py
// (bind_sockets, add_accept_handler).

import { STREAM, hasMemory } from "../bytes/buffer";
import { AGAIN, REASON_BUFFER_FULL } from "../core/errors";
import { EventHandler, IOLoop, READ, Timeout } from "../loop/ioloop";
import { ACCEPTS_PER_TURN, ACCEPT_PAUSE_MS } from "../core/limits";
import { ACCEPT_RESTS, count } from "../core/stats";
import * as wasi from "../wasi/index";

const NO_MEMORY: i32 = -REASON_BUFFER_FULL;

/** Takes the connections that an Acceptor accepts. */
export abstract class AcceptHandler {
  /** A connection from the listener with this index. */
  abstract onAccept(handle: i32, listener: i32): void;
}

/** The listening sockets that the host handed over: bound, listening, non-blocking. Known once the loop runs. */
export function bindSockets(): Array<i32> {
  const sockets: Array<i32> = [];
  for (let i = 0; i < wasi.listenerCount(); i++) sockets.push(wasi.listener(i));
  return sockets;
}

/** Calls `handler` for each connection that comes to `socket`. Returns what pauses and ends that. */
export function addAcceptHandler(socket: i32, index: i32, handler: AcceptHandler): Acceptor {
  return new Acceptor(socket, index, handler);
}

/** Accepts from one listening socket; addAcceptHandler makes it. */
@final
export class Acceptor extends EventHandler {
  private loop: IOLoop = IOLoop.current();
  private paused: bool = false; // by its server
  private exhausted: bool = false; // out of descriptors, or of memory
  private finishing: bool = false; // ends when the queue is empty
  private closed: bool = false;
  private retryTimeout!: Retry;

  constructor(
    private socket: i32,
    private index: i32,
    private handler: AcceptHandler,
  ) {
    super();
    this.retryTimeout = new Retry(this);
    this.loop.addHandler(socket, this, READ);
  }

  onReady(handle: i32, events: i32): void {
    for (let i = 0; i < ACCEPTS_PER_TURN && !this.paused && !this.exhausted && !this.closed; i++) {
      const connection = hasMemory(STREAM) ? wasi.accept(this.socket) : NO_MEMORY;
      if (connection == AGAIN) {
        if (this.finishing) this.close();
        return;
      }
      if (connection < 0) {
        count(ACCEPT_RESTS);
        this.exhausted = true;
        this.watch();
        this.loop.callLater(ACCEPT_PAUSE_MS, this.retryTimeout);
        return;
      }
      this.handler.onAccept(connection, this.index);
    }
    this.goOn();
  }

  /** Leaves connections in the queue until resume(). */
  pause(): void {
    this.paused = true;
    this.watch();
  }

  /** Accepts again after pause(). */
  resume(): void {
    this.paused = false;
    this.watch();
    this.goOn();
  }

  /** It still listens. */
  get open(): bool {
    return !this.closed;
  }

  /** Takes the connections that wait in the queue, as far as the server has room for them, then stops listening. */
  finish(): void {
    this.finishing = true;
    this.onReady(this.socket, READ);
  }

  /** No event reports that the queue is empty: while it is being emptied, the next turn tries again. */
  private goOn(): void {
    if (this.finishing && !this.paused && !this.exhausted && !this.closed) this.loop.callLater(0, this.retryTimeout);
  }

  /** For the timeout: there may be descriptors again, or more in the queue. */
  retry(): void {
    this.exhausted = false;
    this.watch();
    if (this.finishing) this.onReady(this.socket, READ);
  }

  private watch(): void {
    if (!this.closed) this.loop.updateHandler(this.socket, this.paused || this.exhausted ? 0 : READ);
  }

  /** Stops listening; safe to call twice. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.loop.removeTimeout(this.retryTimeout);
    this.loop.removeHandler(this.socket);
    wasi.close(this.socket);
  }
}


@final
class Retry extends Timeout {
  constructor(private acceptor: Acceptor) {
    super();
  }
  run(): void {
    this.acceptor.retry();
  }
}
