// One request of wasi:http and its answer: their resources, and the runtime's functions for them. The runtime calls a
// component with one request at a time, so there is one exchange.
//
// The answer's head leaves in one call: a call of the runtime costs more than all that is done here for a request.
// Invariant: resources are dropped before those that they came from, and each once: the runtime ends a component that
// does otherwise.
// Reference: wasi:http 0.2.0, types.wit.

import { AGAIN, REASON_RESET } from "../../core/errors";
import { land } from "../component/memory";
import * as w2 from "../preview2/imports";
import { find } from "./found";
import * as w from "./imports";

const result: usize = WASI == 4 ? memory.data(64, 8) : 0;
const AHEAD_BYTES: i32 = 4096;
const ahead: usize = WASI == 4 ? memory.data(AHEAD_BYTES) : 0;
/** Header fields of the answer, as many as there is room for, and their texts. Each further one takes a call. */
const FIELDS_AHEAD: i32 = 32;
const FIELD_BYTES: usize = 16; // a name and a value, each its place and size
const TEXT_BYTES: i32 = 4096;
const list: usize = WASI == 4 ? memory.data(16 * 32, 4) : 0;
const texts: usize = WASI == 4 ? memory.data(TEXT_BYTES) : 0;
let listed: i32 = 0;
let textSize: i32 = 0;
let aheadAt: i32 = 0;
let aheadSize: i32 = 0;

// Resources of the exchange, 0: there is none (now).
let request: i32 = 0;
let outparam: i32 = 0;
let fields: i32 = 0;
let incoming: i32 = 0;
let input: i32 = 0;
let outgoing: i32 = 0;
let output: i32 = 0;
let readable: i32 = 0; // pollables
let writable: i32 = 0;

/** The runtime hands over a request, and the place for its answer. */
export function begin(incomingRequest: i32, responseOutparam: i32): void {
  request = incomingRequest;
  outparam = responseOutparam;
}

// --- the request's head ---

/** The case of the method; METHOD_OTHER_CASE: its text is found. */
export function readMethod(): i32 {
  w.requestMethod(request, result);
  find(result + 4);
  return load<u8>(result);
}

/** False: it has none. */
export function readTarget(): bool {
  w.requestTarget(request, result);
  find(result + 4);
  return load<u8>(result) != 0;
}

/** The host that is asked for. False: it is not known. */
export function readAuthority(): bool {
  w.requestAuthority(request, result);
  find(result + 4);
  return load<u8>(result) != 0;
}

/** All header fields: a list for findName and findValue of found.ts. */
export function readFields(): void {
  const all = w.requestFields(request);
  w.entriesOf(all, result);
  w.dropFields(all);
  find(result);
}

// --- the request's body ---

/** Whether there is a body: only its stream says. What has come of it by then is read first. */
export function hasBody(): bool {
  const n = readStream(ahead, AHEAD_BYTES);
  aheadAt = 0;
  aheadSize = max(n, 0);
  return n != 0;
}

/** n > 0 | 0 the body's end | AGAIN | -REASON */
export function read(target: usize, bytes: i32): i32 {
  if (!aheadSize) return readStream(target, bytes);
  const n = min(bytes, aheadSize);
  memory.copy(target, ahead + usize(aheadAt), usize(n));
  aheadAt += n;
  aheadSize -= n;
  return n;
}

function readStream(target: usize, bytes: i32): i32 {
  if (!input && !openInput()) return -REASON_RESET;
  land(target, usize(bytes));
  w2.readInput(input, bytes, result);
  land(0, 0);
  if (!load<u8>(result)) return load<i32>(result, 8) ? load<i32>(result, 8) : AGAIN;
  if (load<u8>(result, 4)) return 0;
  w2.dropError(load<i32>(result, 8));
  return -REASON_RESET;
}

function openInput(): bool {
  w.consumeRequest(request, result);
  if (load<u8>(result)) return false;
  incoming = load<i32>(result, 4);
  w.inputOf(incoming, result);
  if (load<u8>(result)) return false;
  input = load<i32>(result, 4);
  return true;
}

// --- the answer ---

/**
 * A header field of the answer. False: the runtime does not allow it. One of those that leave together is not tried: if
 * the runtime does not allow it, it is left out.
 */
export function addField(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
  if (fields || listed == FIELDS_AHEAD || textSize + nameSize + valueSize > TEXT_BYTES) {
    makeFields();
    return append(name, nameSize, value, valueSize);
  }
  const at = list + usize(listed++) * FIELD_BYTES;
  store<usize>(at, keep(name, nameSize));
  store<i32>(at, nameSize, 4);
  store<usize>(at, keep(value, valueSize), 8);
  store<i32>(at, valueSize, 12);
  return true;
}

/** Where the text is that was copied from `source`. */
function keep(source: usize, size: i32): usize {
  const at = texts + usize(textSize);
  memory.copy(at, source, usize(size));
  textSize += size;
  return at;
}

function append(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
  w.appendField(fields, name, nameSize, value, valueSize, result);
  return load<u8>(result) == 0;
}

/** Those that were listed are the runtime's. */
function makeFields(): void {
  if (fields) return;
  w.fieldsOf(list, listed, result);
  const isMade = load<u8>(result) == 0;
  fields = isMade ? load<i32>(result, 4) : w.newFields();
  for (let i = 0; i < listed && !isMade; i++) {
    const at = list + usize(i) * FIELD_BYTES;
    append(load<usize>(at), load<i32>(at, 4), load<usize>(at, 8), load<i32>(at, 12));
  }
  listed = textSize = 0;
}

/** Hands the head over; from here on there is a body to write. False: the runtime does not allow it. */
export function answer(status: i32): bool {
  makeFields();
  const response = w.newResponse(fields);
  fields = 0;
  if (status != 200 && w.setStatus(response, status)) w.setStatus(response, 500); // 200 it is by itself
  w.outgoingBodyOf(response, result);
  if (load<u8>(result)) return false;
  outgoing = load<i32>(result, 4);
  w.setResponse(outparam, 0, response, 0, 0, 0, 0, 0, 0);
  outparam = 0;
  w.outputOf(outgoing, result);
  if (load<u8>(result)) return false;
  output = load<i32>(result, 4);
  return true;
}

/** n >= 0 | AGAIN | -REASON */
export function write(source: usize, bytes: i32): i32 {
  if (!output) return -REASON_RESET;
  w2.checkWrite(output, result);
  if (load<u8>(result)) return failed(8);
  const room = load<u64>(result, 8);
  if (!room) return AGAIN;
  const n = i32(min<u64>(room, bytes));
  w2.writeOutput(output, source, n, result);
  return load<u8>(result) ? failed(4) : n;
}

/** A stream-error at `place` of the result: last-operation-failed, which has an error, or closed. */
function failed(place: usize): i32 {
  if (!load<u8>(result + place)) w2.dropError(load<i32>(result + place, 4));
  return -REASON_RESET;
}

/** The header fields that were added are taken back. */
export function clearFields(): void {
  if (fields) w.dropFields(fields);
  fields = listed = textSize = 0;
}

/** Everything is given back. The answer's body is whole, or is seen to be cut short. */
export function end(isWhole: bool): void {
  clearFields();
  if (readable) w2.dropPollable(readable);
  if (writable) w2.dropPollable(writable);
  if (input) w2.dropInput(input);
  if (incoming) w.dropIncomingBody(incoming);
  w.dropRequest(request);
  if (output) w2.dropOutput(output);
  if (outgoing) {
    if (isWhole) w.finishBody(outgoing, 0, 0, result);
    else w.dropOutgoingBody(outgoing);
  }
  aheadSize = 0;
  readable = writable = input = incoming = request = output = outgoing = 0;
}

// --- readiness ---

/** Tells of more of the request's body, 0: nothing can. */
export function readablePollable(): i32 {
  if (!readable && input) readable = w2.subscribeInput(input);
  return readable;
}

/** Tells of room for more of the answer's body, 0: nothing can. */
export function writablePollable(): i32 {
  if (!writable && output) writable = w2.subscribeOutput(output);
  return writable;
}
