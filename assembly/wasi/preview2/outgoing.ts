// Outgoing connections and names over WASI 0.2: descriptors whose pollable tells when the host is done.
// Invariant: a pollable is dropped before what it is of.
// Reference: the contract in ../outgoing.ts. In memory: a result's case u8 @0; the streams of finish-connect @4; of
// resolve-next-address whether there is one u8 @2, and the address @4.

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
import { ORDINARY, hasRoom } from "../backoff";
import { familyOf, numberAt, readIPAddress } from "../component/socketaddress";
import * as poller from "../poller";
import { CONNECTING, CONNECTION, descriptorAt, hasRoom as hasDescriptor, open, release } from "./descriptors";
import * as w from "./imports";
import * as o from "./outgoingimports";

const result: usize = WASI == 2 ? memory.data(32, 8) : 0;
let network: i32 = 0;

function theNetwork(): i32 {
  if (!network) network = w.instanceNetwork();
  return network;
}

export function connect(address: Address): i32 {
  if (!hasRoom() || !hasDescriptor()) return -REASON_BUFFER_FULL;
  w.createSocket(familyOf(address), result);
  if (load<u8>(result)) return -reasonOf(load<u8>(result, 4));
  const socket = load<i32>(result, 4);
  startConnect(socket, address);
  if (load<u8>(result)) {
    w.dropSocket(socket);
    return -reasonOf(load<u8>(result, 1));
  }
  return poller.open(open(CONNECTING, socket, 0, 0), ORDINARY);
}

function startConnect(socket: i32, address: Address): void {
  o.startConnect(
    socket,
    theNetwork(),
    familyOf(address),
    numberAt(address, 0),
    numberAt(address, 1),
    numberAt(address, 2),
    numberAt(address, 3),
    numberAt(address, 4),
    numberAt(address, 5),
    numberAt(address, 6),
    numberAt(address, 7),
    numberAt(address, 8),
    numberAt(address, 9),
    numberAt(address, 10),
    result,
  );
}

export function connected(handle: i32): i32 {
  const descriptor = descriptorAt(poller.descriptor(handle));
  o.finishConnect(descriptor.socket, result);
  if (load<u8>(result)) {
    const code = load<u8>(result, 4);
    return code == w.ERROR_WOULD_BLOCK ? AGAIN : -reasonOf(code);
  }
  if (descriptor.writable) w.dropPollable(descriptor.writable);
  descriptor.writable = 0;
  descriptor.kind = CONNECTION;
  descriptor.input = load<i32>(result, 4);
  descriptor.output = load<i32>(result, 8);
  return 0;
}

function reasonOf(code: i32): i32 {
  switch (code) {
    case w.ERROR_ACCESS_DENIED:
    case o.ERROR_PERMANENT_RESOLVER_FAILURE: // what wasmtime answers when it does not grant lookups
      return REASON_DENIED;
    case o.ERROR_INVALID_ARGUMENT:
      return REASON_BAD_ADDRESS;
    case o.ERROR_NOT_SUPPORTED:
    case o.ERROR_REMOTE_UNREACHABLE:
      return REASON_UNREACHABLE;
    case o.ERROR_CONNECTION_REFUSED:
      return REASON_REFUSED;
    case o.ERROR_TIMEOUT:
      return REASON_TIMEOUT;
    case o.ERROR_OUT_OF_MEMORY:
    case o.ERROR_NEW_SOCKET_LIMIT:
      return REASON_BUFFER_FULL;
    case w.ERROR_CONNECTION_RESET:
    case w.ERROR_CONNECTION_ABORTED:
      return REASON_RESET;
    case o.ERROR_NAME_UNRESOLVABLE:
      return REASON_UNKNOWN_NAME;
    case o.ERROR_TEMPORARY_RESOLVER_FAILURE:
      return REASON_LOOKUP_FAILED;
    default:
      return REASON_IO;
  }
}

export function lookup(name: usize, size: i32): i32 {
  if (!hasRoom() || !hasDescriptor()) return -REASON_BUFFER_FULL;
  o.resolveAddresses(theNetwork(), name, size, result);
  if (load<u8>(result)) return -reasonOf(load<u8>(result, 4));
  const stream = load<i32>(result, 4);
  const fd = open(CONNECTING, stream, 0, 0);
  descriptorAt(fd).writable = o.subscribeLookup(stream);
  return poller.open(fd, ORDINARY);
}

export function nextAddress(handle: i32, address: Address): i32 {
  o.resolveNextAddress(descriptorAt(poller.descriptor(handle)).socket, result);
  if (load<u8>(result)) {
    const code = load<u8>(result, 2);
    return code == w.ERROR_WOULD_BLOCK ? AGAIN : -reasonOf(code);
  }
  if (!load<u8>(result, 2)) return 0;
  readIPAddress(result + 4, address);
  return 1;
}

export function endLookup(handle: i32): void {
  const fd = poller.descriptor(handle);
  const descriptor = descriptorAt(fd);
  w.dropPollable(descriptor.writable);
  o.dropLookup(descriptor.socket);
  release(fd);
  poller.release(handle);
}
