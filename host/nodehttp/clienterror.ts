/**
 * The event `clientError` with a connection on which its listener answers.
 *
 * Invariant: a listener has as long as a head may take; then the connection is cut. What the client sends on is
 * dropped, and its end ends the connection.
 */
import type { Address } from "../core/address.js";
import type { IOStream } from "../stream/iostream.js";
import type { ServerSocket } from "./localaddress.js";
import { UpgradedSocket } from "./upgradedsocket.js";

interface ErrorServer extends ServerSocket {
  emit(event: string, ...given: unknown[]): boolean;
}

/** Emits `clientError` in a turn of its own: what a listener throws is the program's. `address` is the client's. */
export function emitClientError(
  server: ErrorServer,
  error: Error,
  stream: IOStream,
  address: Address | null,
  limitMs: number,
): void {
  const socket = new UpgradedSocket(stream, address, server);
  const timer = setTimeout(() => socket.destroy(), limitMs).unref();
  socket.once("close", () => clearTimeout(timer));
  socket.once("end", () => socket.end());
  process.nextTick(() => {
    server.emit("clientError", error, socket);
    socket.resume();
  });
}
