/**
 * The first of three events decides: a socket is ready, it fails, or its caller gives up.
 *
 * Invariant: exactly one of `resolve` and `reject` is called, once; a socket that was rejected is destroyed.
 */
import type net from "node:net";

/**
 * Resolves with `socket` at its event `ready`; rejects when it fails before that, or when `signal` aborts, which ends
 * it.
 */
export function settleOnce(
  socket: net.Socket,
  ready: "connect" | "secureConnect",
  signal: AbortSignal,
  resolve: (socket: net.Socket) => void,
  reject: (error: unknown) => void,
): void {
  const settle = (): void => {
    signal.removeEventListener("abort", abort);
    socket.removeListener("error", fail);
    socket.removeListener("close", close);
  };
  const fail = (error: unknown): void => {
    settle();
    socket.on("error", () => {}); // later errors of this socket are of no interest
    socket.destroy();
    reject(error);
  };
  const abort = (): void => fail(signal.reason);
  const close = (): void => fail(new Error("the connection was closed"));
  socket.on("error", fail).on("close", close);
  socket.once(ready, () => {
    settle();
    resolve(socket);
  });
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort);
}
