/**
 * The flags of an `IncomingMessage` as a stream: `_readableState`. With them a request without a body ends without an
 * event, `close` can come before its end, and a body is read ahead once reading has begun.
 */
import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { nodeInternal } from "./internal.js";
import { sampleMessage } from "./samples.js";

type Flag = "readingMore" | "ended" | "endEmitted" | "closed" | "emitClose" | "closeEmitted";
type Stateful = IncomingMessage & { readonly _readableState: Record<Flag, boolean> };

export const readableState = nodeInternal(
  "_readableState",
  "time for each request of a Node handler: it is ended as a stream, which costs some turns of the loop",
  () => {
    const { _readableState: state } = sampleMessage() as Stateful;
    const flags: Flag[] = ["readingMore", "ended", "endEmitted", "closed", "emitClose", "closeEmitted"];
    return flags.every((flag) => typeof state[flag] === "boolean");
  },
);

const isThere = readableState.isThere();

/** Reading has begun: from now on the stream reads ahead by itself, after each block. */
export function readAhead(message: IncomingMessage): void {
  if (isThere) (message as Stateful)._readableState.readingMore = false;
}

/** Gives `message` a block. Without the flag it is asked for the next one here. */
export function pushBlock(message: IncomingMessage, block: Buffer): void {
  const isMoreWanted = message.push(block);
  if (!isThere && isMoreWanted) process.nextTick(() => message.read(0));
}

/** Ends a message that nothing listens to and that has no body. Returns false when it has to be read to its end. */
export function endQuietly(message: IncomingMessage): boolean {
  if (!isThere) return false;
  const state = (message as Stateful)._readableState;
  message.complete = true;
  state.ended = true;
  state.endEmitted = true;
  state.closed = true;
  message.destroyed = true;
  return true;
}

/** Emits `close` in the next tick, once, while the message can still be read. */
export function emitCloseEarly(message: IncomingMessage): void {
  if (message.closed || !holdClose(message)) return;
  const emit = isThere ? message.emit : EventEmitter.prototype.emit;
  process.nextTick(() => emit.call(message, "close"));
}

/** The stream itself will not emit `close`. Returns false when it has done so. */
function holdClose(message: IncomingMessage): boolean {
  if (isThere) {
    const state = (message as Stateful)._readableState;
    if (state.closeEmitted) return false;
    state.emitClose = false;
    state.closeEmitted = true;
    return true;
  }
  if (message.emit === emitButClose) return false;
  message.emit = emitButClose;
  return true;
}

function emitButClose(this: IncomingMessage, event: string | symbol, ...given: unknown[]): boolean {
  return event !== "close" && EventEmitter.prototype.emit.call(this, event, ...given);
}
