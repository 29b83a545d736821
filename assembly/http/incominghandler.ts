// What a component of wasi:http exports: its incoming-handler, which the runtime calls for each request.
// AssemblyScript cannot name it as the canonical ABI does; `waterspout build` renames it.

import { HTTP1ConnectionParameters } from "./parameters";
import { IncomingConnection } from "./incoming";
import * as wasi from "../wasi/index";
import { HTTPConnection, HTTPHandler } from "./request";

export { cabi_realloc } from "../wasi/component/memory";

/** An IncomingConnection; the type is its base, so that other targets do not compile that class. */
let connection: HTTPConnection | null = null;

/** Requests are for this handler from now on. */
export function serveIncoming(handler: HTTPHandler, parameters: HTTP1ConnectionParameters): void {
  connection = new IncomingConnection(handler, parameters);
}

/** `request` and `outparam` are resources. Without a server the runtime answers, with 500. */
export function handle(request: i32, outparam: i32): void {
  if (!connection)
    return complain("waterspout: the application makes no HTTPServer, so it cannot answer by wasi:http\n");
  (connection as IncomingConnection).handle(request, outparam);
}

function complain(text: string): void {
  const line = String.UTF8.encode(text);
  wasi.log(changetype<usize>(line), line.byteLength);
}
