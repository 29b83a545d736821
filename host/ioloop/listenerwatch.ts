/**
 * Connections that wait at a listening socket, in the words of Tornado's add_handler. Invariants: those of
 * ioloop/watch.ts, whose Watch this is for listening sockets.
 */
import type { ListeningSocket } from "../core/address.js";
import { IOLoopError } from "../core/errors.js";
import { BACKLOG } from "../core/limits.js";
import { listenOn, NodeListener } from "../runtime/node/listener.js";
import { SharedListener } from "../runtime/node/sharedlistener.js";
import { READ } from "./watch.js";

/** By a socket for workers what accepts from it here. */
const listeners = new WeakMap<SharedListener, NodeListener>();

/** Whether `target` is what `bindSockets` gives. */
export function isListening(target: object): target is ListeningSocket {
  return target instanceof NodeListener || target instanceof SharedListener;
}

export class ListenerWatch {
  readonly #listener: NodeListener;
  readonly #fire: (events: number) => void;
  #pending = false;
  #wanted = false;

  /** Throws IOLoopError for a socket that a server has, or that is closed. */
  constructor(socket: ListeningSocket, fire: (events: number) => void) {
    this.#listener = listenerOf(socket);
    if (this.#listener.watched) throw new IOLoopError("a server takes the connections of this socket");
    this.#listener.begin();
    if (!this.#listener.listening) throw new IOLoopError("this socket is closed");
    this.#fire = fire;
  }

  /** Watches for READ, connections, or for nothing. */
  update(events: number): void {
    this.#wanted = (events & READ) !== 0;
    this.#listener.watch(this.#wanted ? () => this.#note() : null);
    if (this.#wanted && this.#listener.waiting > 0) this.#note();
  }

  end(): void {
    this.update(0);
  }

  #note(): void {
    if (this.#pending) return;
    this.#pending = true;
    setImmediate(() => {
      this.#pending = false;
      if (this.#wanted) this.#fire(READ);
    });
  }
}

function listenerOf(socket: ListeningSocket): NodeListener {
  if (socket instanceof NodeListener) return socket;
  const shared = socket as SharedListener;
  const known = listeners.get(shared);
  if (known !== undefined) return known;
  if (shared.sharedFd === null) throw new IOLoopError("a server takes the connections of this socket, or it is closed");
  const made = listenOn(shared, BACKLOG);
  listeners.set(shared, made);
  return made;
}
