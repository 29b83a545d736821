/**
 * A listener without a port: a program gives it the connections that it has by other means.
 *
 * Invariant: it is for servers of the runtime `node`, whose sandbox reads what this process holds.
 */
import type { Accepted, ListeningSocket } from "../core/address.js";
import { listenNowhere } from "../runtime/node/listener.js";

/** What serves connections that are given to it. */
export interface GivenConnections extends ListeningSocket {
  /** Has `accepted` served, as soon as a server has this listener. */
  give(accepted: Accepted): void;
}

/** One that nothing has been given yet. */
export function givenConnections(): GivenConnections {
  return listenNowhere();
}
