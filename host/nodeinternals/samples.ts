/** Members of Node's objects that have a symbol for their name. */

import type { Socket } from "node:net";
import { IncomingMessage, ServerResponse } from "./httpclasses.js";

/** A response as the attempts of this room need one. */
export function sampleResponse(): ServerResponse {
  return new ServerResponse(sampleMessage());
}

/** A request as the attempts of this room need one. */
export function sampleMessage(): IncomingMessage {
  return new IncomingMessage(null as unknown as Socket);
}

/** The symbol of a response's member that Node calls `description`; undefined when it has none. */
export function responseSymbol(description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(sampleResponse()).find((symbol) => symbol.description === description);
}
