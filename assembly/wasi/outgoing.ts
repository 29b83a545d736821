// The platform, for applications that connect: what index.ts has not. It is a file of its own, so that those which do
// not connect have none of its imports: the list of imports is the list of rights.
//
//   connect(address)              a handle, to be watched for WRITE until connected() says what came of it | -REASON
//   connected(handle)             0: it is a connection as accept() gives them | AGAIN | -REASON: it is to be closed
//   lookup(name, size)            a handle, to be watched for WRITE until nextAddress() knows | -REASON
//   nextAddress(handle, address)  1: filled in, its port is left alone | 0: there are no more | AGAIN | -REASON
//   endLookup(handle)             in the place of close(), at any time
//
// -REASON: one of core/errors.ts or core/connectreasons.ts. close() ends an attempt at any time.
// Reference: wasi:sockets/tcp and ip-name-lookup 0.2.0; wasi:sockets/types and ip-name-lookup 0.3.0.

import { Address } from "../core/address";
import { REASON_UNSUPPORTED } from "../core/connectreasons";
import * as preview2 from "./preview2/outgoing";
import * as preview3 from "./preview3/outgoing";
import * as sim from "./sim/outgoing";

// @ts-ignore: decorator
@inline export function connect(address: Address): i32 {
  if (WASI == 2) return preview2.connect(address);
  if (WASI == 3) return preview3.connect(address);
  return WASI == 0 ? sim.connect(address) : -REASON_UNSUPPORTED;
}
// @ts-ignore: decorator
@inline export function connected(handle: i32): i32 {
  if (WASI == 2) return preview2.connected(handle);
  if (WASI == 3) return preview3.connected(handle);
  return WASI == 0 ? sim.connected(handle) : -REASON_UNSUPPORTED;
}
// @ts-ignore: decorator
@inline export function lookup(name: usize, size: i32): i32 {
  if (WASI == 2) return preview2.lookup(name, size);
  if (WASI == 3) return preview3.lookup(name, size);
  return WASI == 0 ? sim.lookup(name, size) : -REASON_UNSUPPORTED;
}
// @ts-ignore: decorator
@inline export function nextAddress(handle: i32, address: Address): i32 {
  if (WASI == 2) return preview2.nextAddress(handle, address);
  if (WASI == 3) return preview3.nextAddress(handle, address);
  return WASI == 0 ? sim.nextAddress(handle, address) : -REASON_UNSUPPORTED;
}
// @ts-ignore: decorator
@inline export function endLookup(handle: i32): void {
  if (WASI == 2) preview2.endLookup(handle);
  else if (WASI == 3) preview3.endLookup(handle);
  else if (WASI == 0) sim.endLookup(handle);
}
