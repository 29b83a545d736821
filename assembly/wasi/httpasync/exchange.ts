// The exchanges of wasi:http 0.3: each is a request and its answer, with their resources. The runtime hands over
// requests while others wait for their answers; each is a task of the runtime's with a set of its own (tasks.ts).
//
// A read that waits owns a small buffer, as in ../preview3/connections.ts, and so does a write: a write of nothing
// would take up the little room that the runtime has for an answer.
// Invariants: a stream or future is in the set only while it does something; before it is dropped it has left the set
// and what it did is cancelled; nothing is written to a stream whose reader is gone; a future is dropped only once it
// was written or its reader is gone. Each of these would end the component. Texts that the runtime hands over are freed
// by the function that has read them.
// Reference: wasi:http 0.3.0, types.wit; CanonicalABI.md.

import { AGAIN, REASON_RESET } from "../../core/errors";
import { EXCHANGES_MAX } from "../../core/limits";
import { release } from "../component/memory";
import { find } from "../http/found";
import { BLOCKED, DROPPED, join, newSet } from "../preview3/imports";
import {
  CONNECTION,
  OUTCOME_ASKED,
  OUTCOME_KNOWN,
  OUTCOME_UNKNOWN,
  READ,
  Slot,
  WRITE,
  hasRoom,
  markReady,
  openSlot,
  slotOf,
} from "../preview3/slots";
import * as w from "./imports";

/** What an exchange has beside its slot, whose `input`, `future` and `output` are the two bodies'. */
// @ts-ignore: decorator
@unmanaged
export class Exchange {
  set: i32; // made once, for all exchanges in this place
  request: i32;
  fields: i32;
  response: i32; // made, and not returned yet
  bodyResult: i32; // futures that are to be written
  outputEnd: i32;
  waker: i32; // a wait that makes the runtime call this task
  sending: i32; // bytes of its output buffer that have not left
  sendingAt: i32; // where they begin
  isReturned: bool;
  isEnded: bool;
}
const EXCHANGE_BYTES: usize = 40;
if (offsetof<Exchange>() > EXCHANGE_BYTES) ERROR("an exchange has grown");

const exchanges: usize = WASI == 5 ? memory.data(i32(EXCHANGE_BYTES) * EXCHANGES_MAX, 16) : 0;
/** What a pending read can hold. */
const BUFFER_BYTES: i32 = 2048;
const buffers: usize = WASI == 5 ? memory.data(BUFFER_BYTES * EXCHANGES_MAX, 64) : 0;
/** What a pending write can hold. */
const OUTPUT_BYTES: i32 = 16384;
const outputs: usize = WASI == 5 ? memory.data(OUTPUT_BYTES * EXCHANGES_MAX, 64) : 0;
/** For a result<option<fields>, error-code>: how a request's body ended. */
const OUTCOME_BYTES: usize = 48;
const outcomes: usize = WASI == 5 ? memory.data(48 * EXCHANGES_MAX, 16) : 0;
const result: usize = WASI == 5 ? memory.data(64, 16) : 0;
/** In order, and no trailer fields; it stays as it is. */
const inOrder: usize = WASI == 5 ? memory.data(64, 16) : 0;
const cutShort: usize = WASI == 5 ? memory.data(64, 16) : 0;

/** The exchange whose task runs, -1: none. */
export let current: i32 = -1;
export function setCurrent(handle: i32): void {
  current = handle;
}

// @ts-ignore: decorator
@inline
export function exchangeOf(handle: i32): Exchange {
  return changetype<Exchange>(exchanges + usize(handle) * EXCHANGE_BYTES);
}

/** A handle for the exchange that begins with `request`. */
export function begin(request: i32): i32 {
  const handle = openSlot(CONNECTION); // the runtime hands over no more than there is room for: tasks.ts
  const exchange = exchangeOf(handle);
  if (!exchange.set) exchange.set = newSet();
  exchange.request = request;
  exchange.isReturned = exchange.isEnded = false;
  return handle;
}

/** There is no room for one more. */
export function isFull(): bool {
  return !hasRoom();
}

// --- the request's head ---

/** The case of the method; METHOD_OTHER_CASE: its text is found. */
export function readMethod(handle: i32): i32 {
  w.requestMethod(exchangeOf(handle).request, result);
  find(result + 4);
  return load<u8>(result);
}

/** False: it has none. */
export function readTarget(handle: i32): bool {
  w.requestTarget(exchangeOf(handle).request, result);
  find(result + 4);
  return load<u8>(result) != 0;
}

/** The host that is asked for. False: it is not known. */
export function readAuthority(handle: i32): bool {
  w.requestAuthority(exchangeOf(handle).request, result);
  find(result + 4);
  return load<u8>(result) != 0;
}

/** All header fields: a list for findName and findValue of found.ts. */
export function readFields(handle: i32): void {
  const all = w.requestFields(exchangeOf(handle).request);
  w.entriesOf(all, result);
  w.dropFields(all);
  find(result);
}

// --- the request's body ---

/** Whether there is a body: only its stream says. */
export function hasBody(handle: i32): bool {
  const slot = slotOf(handle);
  openInput(handle, slot);
  armRead(handle, slot);
  return !slot.inputEnded || slot.have > 0;
}

function openInput(handle: i32, slot: Slot): void {
  const exchange = exchangeOf(handle);
  const pair = w.newBodyResult(); // the readable end below, the writable one above
  w.consumeBody(exchange.request, i32(pair), result);
  exchange.request = 0;
  exchange.bodyResult = i32(pair >> 32);
  slot.input = load<i32>(result);
  slot.future = load<i32>(result, 4);
}

/** n > 0 | 0 the body's end | AGAIN | -REASON */
export function read(handle: i32, target: usize, size: i32): i32 {
  const slot = slotOf(handle);
  if (slot.have) return readBuffer(handle, slot, target, size);
  if (slot.inputEnded) return outcome(handle, slot);
  if (slot.pending & READ) return AGAIN;
  if (!slot.input) openInput(handle, slot);
  let copied = w.readBody(slot.input, target, size);
  if (copied == BLOCKED) copied = w.cancelBody(slot.input);
  const n = copied >>> 4;
  if ((copied & 15) == DROPPED) {
    slot.inputEnded = true;
    if (!n) return outcome(handle, slot);
  } else if (!n) return AGAIN;
  slot.ready |= READ;
  return n;
}

function readBuffer(handle: i32, slot: Slot, target: usize, size: i32): i32 {
  const n = min(size, slot.have);
  memory.copy(target, buffers + usize(handle) * usize(BUFFER_BYTES) + usize(slot.at), usize(n));
  slot.at += n;
  slot.have -= n;
  slot.ready |= READ;
  return n;
}

/** 0: the body is whole | AGAIN: the runtime has not said yet | -REASON. */
function outcome(handle: i32, slot: Slot): i32 {
  if (slot.outcome == OUTCOME_UNKNOWN) {
    slot.outcome = OUTCOME_ASKED;
    if (w.readBodyEnd(slot.future, outcomeOf(handle)) != BLOCKED) noteOutcome(handle, slot);
    else join(slot.future, exchangeOf(handle).set);
  }
  return slot.outcome == OUTCOME_ASKED ? AGAIN : -i32(slot.outcome - OUTCOME_KNOWN);
}

function outcomeOf(handle: i32): usize {
  return outcomes + usize(handle) * OUTCOME_BYTES;
}

/** The runtime has said how the request's body ended. */
function noteOutcome(handle: i32, slot: Slot): void {
  const at = outcomeOf(handle);
  const code = load<u8>(at, 8); // of an error; else whether there are trailer fields
  if (!load<u8>(at)) {
    if (code) w.dropFields(load<i32>(at, 12));
  } else if (code == w.ERROR_INTERNAL && load<u8>(at, 16)) release(load<usize>(at, 20), load<usize>(at, 24));
  slot.outcome = OUTCOME_KNOWN + u8(load<u8>(at) ? REASON_RESET : 0);
}

// --- the answer ---

/** A header field of the answer. False: the runtime does not allow it. */
export function addField(handle: i32, name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
  const exchange = exchangeOf(handle);
  if (!exchange.fields) exchange.fields = w.newFields();
  w.appendField(exchange.fields, name, nameSize, value, valueSize, result);
  if (!load<u8>(result)) return true;
  if (load<u8>(result, 4) == w.HEADER_ERROR_OTHER && load<u8>(result, 8))
    release(load<usize>(result, 12), load<usize>(result, 16));
  return false;
}

/** Hands the head over; from here on there is a body to write, if it has one. */
export function answer(handle: i32, status: i32, hasBody: bool): bool {
  const exchange = exchangeOf(handle);
  const slot = slotOf(handle);
  const end = w.newOutputEnd();
  const body = hasBody ? w.newOutput() : 0;
  w.newResponse(exchange.fields ? exchange.fields : w.newFields(), i32(hasBody), i32(body), i32(end), result);
  exchange.fields = 0;
  exchange.response = load<i32>(result);
  w.dropOutputResult(load<i32>(result, 4));
  exchange.outputEnd = i32(end >> 32);
  if (status != 200 && w.setStatus(exchange.response, status)) w.setStatus(exchange.response, 500); // 200 by itself
  if (hasBody) slot.output = i32(body >> 32);
  if (handle == current) returnAnswer(exchange);
  return true;
}

/** In the exchange's own task. */
export function returnAnswer(exchange: Exchange): void {
  w.returnFromHandle(0, exchange.response, 0, 0, 0, 0, 0, 0);
  exchange.response = 0;
  exchange.isReturned = true;
}

/** n >= 0 | AGAIN | -REASON */
export function write(handle: i32, source: usize, size: i32): i32 {
  const slot = slotOf(handle);
  if (!slot.output || slot.outputEnded) return -REASON_RESET;
  if (slot.pending & WRITE) return AGAIN;
  if (size > OUTPUT_BYTES) {
    let copied = w.writeOutput(slot.output, source, size);
    if (copied == BLOCKED) copied = w.cancelOutput(slot.output);
    if ((copied & 15) == DROPPED) slot.outputEnded = true;
    if (copied >>> 4) return copied >>> 4;
    if (slot.outputEnded) return -REASON_RESET;
  }
  const exchange = exchangeOf(handle);
  exchange.sending = min(size, OUTPUT_BYTES);
  exchange.sendingAt = 0;
  memory.copy(outputOf(handle), source, usize(exchange.sending));
  const n = exchange.sending;
  send(handle, slot, exchange);
  return slot.outputEnded ? -REASON_RESET : n;
}

function outputOf(handle: i32): usize {
  return outputs + usize(handle) * usize(OUTPUT_BYTES);
}

/** Sends what is in the output buffer, which may take until the client has taken what was sent before. */
function send(handle: i32, slot: Slot, exchange: Exchange): void {
  while (exchange.sending) {
    const copied = w.writeOutput(slot.output, outputOf(handle) + usize(exchange.sendingAt), exchange.sending);
    if (copied == BLOCKED) {
      slot.pending |= WRITE;
      join(slot.output, exchange.set);
      return;
    }
    noteSent(slot, exchange, copied);
  }
}

function noteSent(slot: Slot, exchange: Exchange, copied: i32): void {
  exchange.sending -= copied >>> 4;
  exchange.sendingAt += copied >>> 4;
  if ((copied & 15) != DROPPED) return;
  slot.outputEnded = true;
  exchange.sending = 0;
}

/** Some of what was written has not left. */
export function isSending(handle: i32): bool {
  return exchangeOf(handle).sending != 0;
}

/** The header fields that were added are taken back. */
export function clearFields(handle: i32): void {
  const exchange = exchangeOf(handle);
  if (exchange.fields) w.dropFields(exchange.fields);
  exchange.fields = 0;
}

/**
 * Everything is given back. The answer's body is whole, or is seen to be cut short. The exchange is over when the
 * runtime has read how both bodies ended, which it does whatever the client does.
 */
export function end(handle: i32, isWhole: bool): void {
  const exchange = exchangeOf(handle);
  const slot = slotOf(handle);
  clearFields(handle);
  if (exchange.request) w.dropRequest(exchange.request);
  exchange.request = 0;
  if (slot.input) closeInput(slot);
  if (slot.output) closeOutput(slot, exchange);
  exchange.isEnded = true;
  if (exchange.bodyResult) {
    if (w.writeBodyResult(exchange.bodyResult, inOrder) != BLOCKED) written(exchange, exchange.bodyResult);
    else join(exchange.bodyResult, exchange.set);
  }
  if (exchange.outputEnd) {
    if (w.writeOutputEnd(exchange.outputEnd, isWhole ? inOrder : incomplete()) != BLOCKED)
      written(exchange, exchange.outputEnd);
    else join(exchange.outputEnd, exchange.set);
  }
}

function incomplete(): usize {
  store<u8>(cutShort, 1);
  store<u8>(cutShort, w.ERROR_RESPONSE_INCOMPLETE, 8);
  return cutShort;
}

function closeInput(slot: Slot): void {
  if (slot.pending & READ) {
    join(slot.input, 0);
    w.cancelBody(slot.input);
  }
  w.dropBody(slot.input);
  if (slot.outcome == OUTCOME_ASKED) {
    join(slot.future, 0);
    w.cancelBodyEnd(slot.future);
  }
  w.dropBodyEnd(slot.future);
  slot.input = 0;
}

function closeOutput(slot: Slot, exchange: Exchange): void {
  if (slot.pending & WRITE) {
    join(slot.output, 0);
    w.cancelOutput(slot.output);
  }
  w.dropOutput(slot.output);
  slot.output = 0;
  exchange.sending = 0;
}

/** `future` has been read, or will not be. */
function written(exchange: Exchange, future: i32): void {
  if (future == exchange.bodyResult) {
    w.dropBodyResult(future);
    exchange.bodyResult = 0;
  } else {
    w.dropOutputEnd(future);
    exchange.outputEnd = 0;
  }
}

/** Nothing of it is left but its task. */
export function isOver(exchange: Exchange): bool {
  return exchange.isEnded && exchange.isReturned && !exchange.bodyResult && !exchange.outputEnd;
}

// --- asking the runtime to tell ---

/** Begins to wait for more of the request's body, or there is some. */
export function armRead(handle: i32, slot: Slot): void {
  if (slot.outcome == OUTCOME_ASKED) return;
  if (slot.have || slot.inputEnded) return markReady(handle, READ);
  if (!slot.input) openInput(handle, slot);
  const copied = w.readBody(slot.input, buffers + usize(handle) * usize(BUFFER_BYTES), BUFFER_BYTES);
  if (copied == BLOCKED) {
    slot.pending |= READ;
    join(slot.input, exchangeOf(handle).set);
  } else noteRead(handle, slot, copied);
}

/** A pending read is done. */
export function arrived(handle: i32, copied: i32): void {
  const slot = slotOf(handle);
  slot.pending &= ~READ;
  join(slot.input, 0);
  noteRead(handle, slot, copied);
}

function noteRead(handle: i32, slot: Slot, copied: i32): void {
  slot.at = 0;
  slot.have = copied >>> 4;
  if ((copied & 15) == DROPPED) slot.inputEnded = true;
  markReady(handle, READ);
}

/** The runtime has said how the request's body ended. */
export function bodyEnded(handle: i32): void {
  const slot = slotOf(handle);
  join(slot.future, 0);
  noteOutcome(handle, slot);
  markReady(handle, READ);
}

/** A pending write is done, with all or some of it. */
export function left(handle: i32, copied: i32): void {
  const slot = slotOf(handle);
  const exchange = exchangeOf(handle);
  slot.pending &= ~WRITE;
  join(slot.output, 0);
  noteSent(slot, exchange, copied);
  send(handle, slot, exchange);
  if (!exchange.sending) markReady(handle, WRITE);
}

/** A future that was being written is done. */
export function futureWritten(handle: i32, future: i32): void {
  join(future, 0);
  written(exchangeOf(handle), future);
}
