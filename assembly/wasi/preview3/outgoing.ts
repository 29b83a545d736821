// Outgoing connections and names over WASI 0.3: each is one call of the host's, whose end makes its handle ready.
// Invariant: the result of a call that was cancelled is given back, and a socket is dropped after its call has ended.
// Reference: the contract in ../outgoing.ts. In memory: the parameters of connect, the socket i32 @0 and the address
// @4; a result, its case u8 @0 and the list or the error's case @4.

import { Address } from "../../core/address";
import {
  REASON_BAD_ADDRESS,
  REASON_DENIED,
  REASON_LOOKUP_FAILED,
  REASON_REFUSED,
  REASON_UNKNOWN_NAME,
  REASON_UNREACHABLE,
} from "../../core/connectreasons";
import { AGAIN, REASON_BUFFER_FULL, REASON_IO, REASON_RESET, REASON_TIMEOUT } from "../../core/errors";
import { release } from "../component/memory";
import { IP_ADDRESS_BYTES, familyOf, readIPAddress, writeSocketAddress } from "../component/socketaddress";
import { beginConnection, beginTask, endTask, errorCode, outcomeOf, setPeer } from "./connections";
import * as w from "./imports";
import * as o from "./outgoingimports";
import { CONNECTION, TASK, WRITE, closeSlot, hasRoom, openSlot, slotOf } from "./slots";

const result: usize = WASI == 3 ? memory.data(32, 8) : 0;
const parameters: usize = WASI == 3 ? memory.data(40, 8) : 0;

export function connect(address: Address): i32 {
  if (!hasRoom()) return -REASON_BUFFER_FULL;
  w.createSocket(familyOf(address), result);
  if (load<u8>(result)) return -reasonOf(errorCode(result + 4));
  const socket = load<i32>(result, 4);
  const handle = openSlot(TASK);
  slotOf(handle).socket = socket;
  store<i32>(parameters, socket);
  writeSocketAddress(parameters + 4, address);
  setPeer(handle, parameters + 4);
  beginTask(handle, o.connect(parameters, outcomeOf(handle)));
  return handle;
}

export function connected(handle: i32): i32 {
  const slot = slotOf(handle);
  if (slot.pending & WRITE) return AGAIN;
  const outcome = outcomeOf(handle);
  if (load<u8>(outcome)) return -reasonOf(errorCode(outcome + 4));
  slot.kind = CONNECTION;
  slot.ready = 0;
  beginConnection(handle);
  return 0;
}

function reasonOf(code: i32): i32 {
  switch (code) {
    case w.ERROR_ACCESS_DENIED:
      return REASON_DENIED;
    case o.ERROR_INVALID_ARGUMENT:
      return REASON_BAD_ADDRESS;
    case o.ERROR_NOT_SUPPORTED:
    case o.ERROR_REMOTE_UNREACHABLE:
      return REASON_UNREACHABLE;
    case o.ERROR_CONNECTION_REFUSED:
      return REASON_REFUSED;
    case w.ERROR_TIMEOUT:
      return REASON_TIMEOUT;
    case w.ERROR_OUT_OF_MEMORY:
      return REASON_BUFFER_FULL;
    default:
      return code >= w.ERROR_CONNECTION_BROKEN && code <= w.ERROR_CONNECTION_ABORTED ? REASON_RESET : REASON_IO;
  }
}

export function lookup(name: usize, size: i32): i32 {
  if (!hasRoom()) return -REASON_BUFFER_FULL;
  const handle = openSlot(TASK);
  beginTask(handle, o.resolveAddresses(name, size, outcomeOf(handle)));
  return handle;
}

export function nextAddress(handle: i32, address: Address): i32 {
  const slot = slotOf(handle);
  if (slot.pending & WRITE) return AGAIN;
  const outcome = outcomeOf(handle);
  if (load<u8>(outcome)) return -reasonOfLookup(load<u8>(outcome, 4));
  if (slot.at >= load<i32>(outcome, 8)) return 0;
  readIPAddress(load<usize>(outcome, 4) + usize(slot.at++) * IP_ADDRESS_BYTES, address);
  return 1;
}

function reasonOfLookup(code: i32): i32 {
  // What wasmtime answers, too, when it does not grant lookups.
  if (code == o.LOOKUP_ACCESS_DENIED || code == o.LOOKUP_PERMANENT) return REASON_DENIED;
  if (code == o.LOOKUP_INVALID_ARGUMENT) return REASON_BAD_ADDRESS;
  return code == o.LOOKUP_UNRESOLVABLE ? REASON_UNKNOWN_NAME : REASON_LOOKUP_FAILED;
}

export function endLookup(handle: i32): void {
  const slot = slotOf(handle);
  if (!(slot.pending & WRITE) || endTask(slot)) releaseResult(outcomeOf(handle));
  closeSlot(handle);
}

/** Gives back the list, or the text that came with an error. */
function releaseResult(outcome: usize): void {
  if (!load<u8>(outcome)) release(load<usize>(outcome, 4), load<usize>(outcome, 8) * IP_ADDRESS_BYTES);
  else if (load<u8>(outcome, 4) == o.LOOKUP_OTHER && load<u8>(outcome, 8)) {
    release(load<usize>(outcome, 12), load<usize>(outcome, 16));
  }
}
