// The log of an application without a host: a line on fd 2 for each request that was refused before its handler could
// answer. Invariant: at most REFUSALS_PER_SECOND lines a second, and of the client only its address is in them.
// core.wasm does not include this file: its host writes the log (docs/protocol.md, REFUSED).

import { Refusal, statusOf, textOf, textSizeOf } from "../protocol/http/refusal";
import { HTTPConnection, HTTPHandler } from "./request";
import { IOLoop } from "../loop/ioloop";
import { RefusalRate } from "./refusalrate";
import * as wasi from "../wasi/index";

const rate: RefusalRate = new RefusalRate();

/** The HTTPHandler of applications. Override requestRefused to say nothing, or to count. */
export abstract class LoggingHTTPHandler extends HTTPHandler {
  requestRefused(connection: HTTPConnection, code: Refusal): void {
    const skipped = rate.next(IOLoop.current().time);
    if (skipped < 0) return;
    const address = connection.socket.address;
    let line = "waterspout: a request" + (address ? " from " + address.toString() : "") + " was refused with ";
    line += statusOf(code).toString() + ": " + String.UTF8.decodeUnsafe(textOf(code), textSizeOf(code));
    if (skipped) line += "; " + skipped.toString() + " more refused before it and not logged";
    const bytes = String.UTF8.encode(line + "\n");
    wasi.log(changetype<usize>(bytes), bytes.byteLength);
  }
}
