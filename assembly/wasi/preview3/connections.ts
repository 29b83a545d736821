// Connections over WASI 0.3: accepting, reading, writing, ending.
//
// A read that waits owns a small buffer, which costs nothing until bytes come into it; one that follows a full buffer
// goes straight to the caller's block. A write that would wait is cancelled, and a write of nothing tells when it would
// not.
// Invariants: before a stream or future is dropped it has left the set, and what it was doing is cancelled; nothing is
// written to a stream whose reader is gone. Each of these would end the component.

import { Address } from "../../core/address";
import { AGAIN, REASON_BUFFER_FULL, REASON_IO, REASON_RESET, REASON_TIMEOUT } from "../../core/errors";
import { ASYNC_HANDLES_MAX, LISTENERS_MAX } from "../../core/limits";
import { land, release } from "../component/memory";
import { SOCKET_ADDRESS_BYTES, readSocketAddress } from "../component/socketaddress";
import * as w from "./imports";
import {
  CHANNEL,
  CONNECTION,
  LISTENER,
  OUTCOME_ASKED,
  OUTCOME_KNOWN,
  OUTCOME_UNKNOWN,
  READ,
  Slot,
  TASK,
  WRITE,
  closeSlot,
  hasRoom,
  held,
  markReady,
  openSlot,
  own,
  slotOf,
} from "./slots";

/** What a pending read can hold: most requests whole. */
const BUFFER_BYTES: i32 = 2048;
const buffers: usize = WASI == 3 ? memory.data(BUFFER_BYTES * ASYNC_HANDLES_MAX, 64) : 0;
const peers: usize = WASI == 3 ? memory.data(i32(SOCKET_ADDRESS_BYTES) * ASYNC_HANDLES_MAX, 8) : 0;
/** For a result<_, error-code>, such as how an input ended, or a result<list<ip-address>, error-code>. */
const OUTCOME_BYTES: usize = 24;
const outcomes: usize = WASI == 3 ? memory.data(24 * ASYNC_HANDLES_MAX, 8) : 0;
const accepts: usize = WASI == 3 ? memory.data(4 * LISTENERS_MAX, 4) : 0;
const result: usize = WASI == 3 ? memory.data(64, 8) : 0;
/** An error's text comes here and is not read. */
const ERROR_TEXT_BYTES: usize = 1024;
const errorText: usize = WASI == 3 ? memory.data(1024) : 0;

/** All connections and listeners have their waitables in here. */
let set: i32 = 0;
export function waitableSet(): i32 {
  if (!set) set = w.newSet();
  return set;
}

// --- listeners ---

/** A handle for `socket`, which listens and hands its connections to `stream`. */
export function openListener(socket: i32, stream: i32, index: i32): i32 {
  const handle = openSlot(LISTENER);
  const slot = slotOf(handle);
  slot.socket = socket;
  slot.input = stream;
  slot.following = index;
  own(stream, handle);
  w.join(stream, waitableSet());
  return handle;
}

export function accept(listener: i32): i32 {
  if (!hasRoom()) return -REASON_BUFFER_FULL;
  let socket = nextAccepted(slotOf(listener));
  for (; socket >= 0; socket = nextAccepted(slotOf(listener))) {
    land(errorText, ERROR_TEXT_BYTES);
    w.getRemoteAddress(socket, result);
    land(0, 0);
    if (!load<u8>(result)) return openConnection(socket);
    const code = errorCode(result + 4);
    w.dropSocket(socket);
    // An accept of the system that failed for want of descriptors or memory comes as a socket that does nothing.
    if (code == w.ERROR_OUT_OF_MEMORY || code == w.ERROR_OTHER) return -REASON_BUFFER_FULL;
    // All else says that this client has gone again: the next one.
  }
  return socket;
}

/** A socket | AGAIN | -REASON. */
function nextAccepted(slot: Slot): i32 {
  if (slot.pending & READ) return AGAIN;
  if (!slot.accepted) {
    const copied = askForSocket(slot);
    if (copied == w.BLOCKED) {
      slot.pending |= READ;
      return AGAIN;
    }
    noteSocket(slot, copied);
  }
  const socket = slot.accepted;
  slot.accepted = 0;
  return socket ? socket : -REASON_IO;
}

function askForSocket(slot: Slot): i32 {
  return w.readAccepted(slot.input, accepts + (usize(slot.following) << 2), 1);
}

function noteSocket(slot: Slot, copied: i32): void {
  if (copied >>> 4) slot.accepted = load<i32>(accepts + (usize(slot.following) << 2));
}

// --- connections ---

function openConnection(socket: i32): i32 {
  const handle = openSlot(CONNECTION);
  setPeer(handle, result + 4);
  slotOf(handle).socket = socket;
  beginConnection(handle);
  return handle;
}

/** The ip-socket-address at `at` is that of the peer. */
export function setPeer(handle: i32, at: usize): void {
  memory.copy(peers + usize(handle) * SOCKET_ADDRESS_BYTES, at, SOCKET_ADDRESS_BYTES);
}

/** The socket of `handle` is connected: bytes can go both ways. */
export function beginConnection(handle: i32): void {
  const slot = slotOf(handle);
  const socket = slot.socket;
  w.receive(socket, result);
  slot.input = load<i32>(result);
  slot.future = load<i32>(result, 4);
  const output = w.newOutput(); // the readable end below, the writable one above
  slot.output = i32(output >> 32);
  w.dropSendOutcome(w.send(socket, i32(output)));
  own(slot.input, handle);
  own(slot.output, handle);
  w.join(slot.input, waitableSet());
  w.join(slot.output, waitableSet());
}

export function peer(handle: i32, address: Address): bool {
  readSocketAddress(peers + usize(handle) * SOCKET_ADDRESS_BYTES, address);
  return true;
}

/** The number of the socket among the component's handles. */
export function descriptor(handle: i32): u32 {
  return slotOf(handle).socket;
}

export function read(handle: i32, target: usize, size: i32): i32 {
  if (held) return AGAIN;
  const slot = slotOf(handle);
  if (slot.have) return readBuffer(handle, slot, target, size);
  if (slot.inputEnded) return outcome(handle, slot);
  if (slot.pending & READ) return AGAIN;
  let copied = w.readInput(slot.input, target, size);
  if (copied == w.BLOCKED) copied = cancelled(slot.input, READ);
  const n = copied >>> 4;
  if ((copied & 15) == w.DROPPED) {
    slot.inputEnded = true;
    if (!n) return outcome(handle, slot);
  } else if (!n) return AGAIN;
  if (n == size || slot.inputEnded) slot.ready |= READ;
  return n;
}

/** Cancels a read or write that would wait; what it has copied. While that happens the stream is in no set. */
function cancelled(stream: i32, event: u8): i32 {
  w.join(stream, 0);
  const copied = event == READ ? w.cancelInput(stream) : w.cancelOutput(stream);
  w.join(stream, waitableSet());
  return copied;
}

function readBuffer(handle: i32, slot: Slot, target: usize, size: i32): i32 {
  const n = min(size, slot.have);
  memory.copy(target, buffers + usize(handle) * usize(BUFFER_BYTES) + usize(slot.at), usize(n));
  slot.at += n;
  slot.have -= n;
  // A full buffer says that there is more, and a small read has left some.
  if (slot.have || slot.inputEnded || slot.at == BUFFER_BYTES) slot.ready |= READ;
  return n;
}

/** 0: the peer has ended in order | AGAIN: the host has not said yet | -REASON. */
function outcome(handle: i32, slot: Slot): i32 {
  if (slot.outcome == OUTCOME_UNKNOWN) {
    land(errorText, ERROR_TEXT_BYTES);
    const state = w.readInputOutcome(slot.future, outcomeOf(handle));
    land(0, 0);
    if (state == w.BLOCKED) {
      slot.outcome = OUTCOME_ASKED;
      own(slot.future, handle);
      w.join(slot.future, waitableSet());
    } else noteOutcome(handle);
  }
  return slot.outcome == OUTCOME_ASKED ? AGAIN : -i32(slot.outcome - OUTCOME_KNOWN);
}

/** The host has said how the input of `handle` ended. */
export function noteOutcome(handle: i32): void {
  const at = outcomeOf(handle);
  slotOf(handle).outcome = OUTCOME_KNOWN + u8(load<u8>(at) ? reasonOf(errorCode(at + 4)) : 0);
}

/** Where the host puts the result of what was asked of it for `handle`. */
export function outcomeOf(handle: i32): usize {
  return outcomes + usize(handle) * OUTCOME_BYTES;
}

function reasonOf(code: i32): i32 {
  if (code >= w.ERROR_CONNECTION_BROKEN && code <= w.ERROR_CONNECTION_ABORTED) return REASON_RESET;
  return code == w.ERROR_TIMEOUT ? REASON_TIMEOUT : REASON_IO;
}

/** The case of an error-code; a text that came with it is given back. */
export function errorCode(at: usize): i32 {
  const code = load<u8>(at);
  if (code == w.ERROR_OTHER && load<u8>(at, 4)) {
    const text = load<usize>(at, 8);
    if (text != errorText) release(text, load<usize>(at, 12));
  }
  return code;
}

export function write(handle: i32, source: usize, size: i32): i32 {
  const slot = slotOf(handle);
  if (!slot.output || slot.outputEnded) return -REASON_RESET;
  if (slot.pending & WRITE) return AGAIN;
  let copied = w.writeOutput(slot.output, source, size);
  if (copied == w.BLOCKED) copied = cancelled(slot.output, WRITE);
  const n = copied >>> 4;
  if ((copied & 15) == w.DROPPED) slot.outputEnded = true;
  return n ? n : slot.outputEnded ? -REASON_RESET : AGAIN;
}

export function shutdown(handle: i32): void {
  const slot = slotOf(handle);
  if (!slot.output) return;
  w.join(slot.output, 0);
  if (slot.pending & WRITE) w.cancelOutput(slot.output);
  slot.pending &= ~WRITE;
  w.dropOutput(slot.output);
  slot.output = 0;
}

export function close(handle: i32): void {
  const slot = slotOf(handle);
  if (slot.kind == TASK) {
    if (endTask(slot) && load<u8>(outcomeOf(handle))) errorCode(outcomeOf(handle) + 4);
    w.dropSocket(slot.socket);
    return closeSlot(handle);
  }
  w.join(slot.input, 0);
  if (slot.kind == LISTENER) closeListener(slot);
  else {
    if (slot.pending & READ) w.cancelInput(slot.input);
    shutdown(handle);
    w.dropInput(slot.input);
    if (slot.outcome != OUTCOME_UNKNOWN) w.join(slot.future, 0);
    if (slot.outcome == OUTCOME_ASKED) w.cancelInputOutcome(slot.future);
    w.dropInputOutcome(slot.future);
  }
  w.dropSocket(slot.socket);
  closeSlot(handle);
}

/** A connection that has come and was not accepted is closed with the listener. */
function closeListener(slot: Slot): void {
  if (slot.pending & READ) noteSocket(slot, w.cancelAccepted(slot.input));
  if (slot.accepted) w.dropSocket(slot.accepted);
  w.dropAccepted(slot.input);
}

// --- what is asked of the host once ---

/** `state` is what an async call has answered; `handle` is ready for WRITE when it is done. */
export function beginTask(handle: i32, state: i32): void {
  if ((state & 15) >= w.SUBTASK_RETURNED) return;
  const slot = slotOf(handle);
  slot.input = state >>> 4;
  slot.pending = WRITE;
  own(slot.input, handle);
  w.join(slot.input, waitableSet());
}

/** Cancels what is not done. Whether there is a result all the same, which is the caller's to give back. */
export function endTask(slot: Slot): bool {
  if (!(slot.pending & WRITE)) return false;
  slot.pending = 0;
  w.join(slot.input, 0);
  const state = w.cancelSubtask(slot.input);
  w.dropSubtask(slot.input);
  return state == w.SUBTASK_RETURNED;
}

// --- asking the host to tell ---

/** How the channel, which only the bridge has, asks for input. */
export let askForFrames: ((slot: Slot) => i32) | null = null;

/** The channel as a handle. Nothing is asked of the host before the first wait. */
export function openChannel(ask: (slot: Slot) => i32): i32 {
  askForFrames = ask;
  return openSlot(CHANNEL);
}

/** Begins to wait for input: BLOCKED, or there is some. */
export function armRead(handle: i32, slot: Slot): void {
  if (slot.outcome == OUTCOME_ASKED) return;
  if (slot.have || slot.inputEnded || slot.accepted) return markReady(handle, READ);
  const copied = ask(handle, slot);
  if (copied == w.BLOCKED) slot.pending |= READ;
  else arrived(handle, copied);
}

function ask(handle: i32, slot: Slot): i32 {
  if (slot.kind == LISTENER) return askForSocket(slot);
  if (slot.kind == CHANNEL) return askForFrames!(slot);
  return w.readInput(slot.input, buffers + usize(handle) * usize(BUFFER_BYTES), BUFFER_BYTES);
}

/** A pending read is done. */
export function arrived(handle: i32, copied: i32): void {
  const slot = slotOf(handle);
  slot.pending &= ~READ;
  if (slot.kind == LISTENER) noteSocket(slot, copied);
  else {
    slot.at = 0;
    slot.have = copied >>> 4;
    if ((copied & 15) == w.DROPPED) slot.inputEnded = true;
  }
  markReady(handle, READ);
}

/** Begins to wait until the peer takes more. */
export function armWrite(handle: i32, slot: Slot): void {
  const copied = slot.output && !slot.outputEnded ? w.writeOutput(slot.output, 0, 0) : 0;
  if (copied == w.BLOCKED) slot.pending |= WRITE;
  else left(handle, copied);
}

/** A pending write of nothing is done. */
export function left(handle: i32, copied: i32): void {
  const slot = slotOf(handle);
  slot.pending &= ~WRITE;
  if ((copied & 15) == w.DROPPED) slot.outputEnded = true;
  markReady(handle, WRITE);
}
