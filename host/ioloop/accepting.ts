/**
 * Listening sockets without a server: `IOLoop.addHandler` and `addAcceptHandler` for what `bindSockets` gives. This
 * process accepts, whatever the runtime is that the socket was bound for: no byte of such a connection goes through the
 * sandbox.
 *
 * Invariants: a listening socket is taken by a server or here, never by both; a handler is called from the loop, and
 * several connections that came in one iteration are one call.
 * Reference: Tornado's netutil.add_accept_handler.
 */
import type { Socket } from "node:net";
import type { Address, ListeningSocket } from "../core/address.js";
import { IOLoop } from "./ioloop.js";

/**
 * Calls `callback` with each connection that comes to a socket of `bindSockets` and its address. The connection is a
 * socket of Node's, paused: nothing of it is read before `resume()`, `read()` or `streamFromNode`. What the callback
 * throws is logged, and the loop goes on.
 *
 * Returns a function that ends this; the socket stays bound. Throws as `IOLoop.addHandler` does.
 */
export function addAcceptHandler(
  socket: ListeningSocket,
  callback: (connection: Socket, address: Address) => unknown,
): () => void {
  const loop = IOLoop.current();
  let removed = false;
  const acceptAll = () => {
    for (let next = socket.accept(); next !== null; next = removed ? null : socket.accept()) {
      loop.run(callback, ...next);
    }
  };
  loop.addHandler(socket, acceptAll, IOLoop.READ);
  return () => {
    removed = true;
    loop.removeHandler(socket);
  };
}
