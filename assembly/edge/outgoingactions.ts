// The actions for requests to other servers. Their memory is given back here, also in a core that makes no such
// requests (main.ts): that has not even the imports to connect with. Reference: wit/waterspout.wit, `outgoing`.

import { release } from "../wasi/component/memory";
import { PIECE_CONTENT } from "./calls";

// action: its case
export const SEND_REQUEST: u8 = 16;
export const REQUEST_PIECE: u8 = 17;
export const ANSWER_CREDIT: u8 = 18;
export const ABORT_REQUEST: u8 = 19;

// send-request
export const HOST: usize = 4;
export const PORT: usize = 12;
export const LAST: usize = 14;
export const METHOD: usize = 16;
export const TARGET: usize = 24;
export const FIELDS: usize = 32;
export const BODY: usize = 40;

/** Carries them out. What `value` points to is given back when the call has returned. */
export abstract class OutgoingActor {
  abstract act(kind: u8, value: usize): void;
}

let actor: OutgoingActor | null = null;

export function setActor(made: OutgoingActor): void {
  actor = made;
}

export function act(kind: u8, value: usize): void {
  if (actor) actor!.act(kind, value);
  if (kind == SEND_REQUEST) {
    releaseAt(value + HOST);
    releaseAt(value + METHOD);
    releaseAt(value + TARGET);
    releaseAt(value + FIELDS);
    releaseAt(value + BODY);
  } else if (kind == REQUEST_PIECE) releaseAt(value + PIECE_CONTENT);
}

/** Gives back the text or the bytes whose address and size stand at `at`. */
function releaseAt(at: usize): void {
  release(load<usize>(at), load<i32>(at, 4));
}
