// Why an outgoing connection was not made, beside those of reasons.ts. They stand in no frame: the bridge makes no
// outgoing connections.

import { REASON_BUFFER_FULL, REASON_RESET, REASON_TIMEOUT } from "./reasons";

/** Nothing listens there. */
export const REASON_REFUSED: i32 = 64;
/** No way leads there, or this machine has no address of that family. */
export const REASON_UNREACHABLE: i32 = 65;
/** The runtime does not grant it. */
export const REASON_DENIED: i32 = 66;
/** The name has no address. */
export const REASON_UNKNOWN_NAME: i32 = 67;
/** The resolver did not answer; later it may. */
export const REASON_LOOKUP_FAILED: i32 = 68;
/** It is no address, no name, or no port. */
export const REASON_BAD_ADDRESS: i32 = 69;
/** This platform makes no outgoing connections: WASI preview1, and wasi:http. */
export const REASON_UNSUPPORTED: i32 = 70;

/** The reason that TCPClient has failed for, as a sentence without its end. */
export function connectReasonText(reason: i32): string {
  switch (reason) {
    case REASON_REFUSED:
      return "connection refused";
    case REASON_UNREACHABLE:
      return "the address cannot be reached";
    case REASON_DENIED:
      return "access denied; wasmtime grants the network with -S inherit-network, names with -S allow-ip-name-lookup";
    case REASON_UNKNOWN_NAME:
      return "the name has no address";
    case REASON_LOOKUP_FAILED:
      return "the resolver does not answer";
    case REASON_BAD_ADDRESS:
      return "no such name, address or port can be";
    case REASON_UNSUPPORTED:
      return "only components of WASI 0.2 and 0.3 make outgoing connections";
    case REASON_TIMEOUT:
      return "timed out";
    case REASON_RESET:
      return "the connection was reset";
    case REASON_BUFFER_FULL:
      return "out of descriptors";
    default:
      return "the system refuses";
  }
}
