// One stream and its peer, for the tests of streams. What its handler hears is noted as text, `read(hello) failed(2)
// end close(1)`; the numbers are reasons, as docs/protocol.md numbers them.
import { Peer } from "../../../assembly/wasi/sim/net";
import { Recorder, accepted, listen, newest, settle } from "./sim";

export const CLOSED: string = "close(1)";
export const RESET: string = "close(3)";
export const TIMEOUT: string = "close(4)";
export const TOO_LONG: string = "failed(5) close(5)";
export const BUFFER_FULL: string = "close(6)";

/** The newest connection's peer. */
export let peer: Peer = new Peer();

/** A connection; its peer is `peer`. */
export function connected(): Recorder {
  listen();
  peer = accepted();
  return newest();
}

/** Another connection, which `peer` and newest() are from now on. Its handler reacts as the last one did. */
export function second(): Recorder {
  const reaction = newest().reaction;
  peer = accepted();
  newest().reaction = reaction;
  return newest();
}

/** The peer sends; what the stream's handler hears of that. */
export function sent(text: string): string {
  peer.send(text);
  settle();
  return newest().take();
}

export function ended(): string {
  peer.end();
  settle();
  return newest().take();
}
