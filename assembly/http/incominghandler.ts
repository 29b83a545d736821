// What a component of wasi:http 0.2 exports: its incoming-handler, which the runtime calls for each request.
// AssemblyScript cannot name it as the canonical ABI does; `waterspout build` renames it.

import { HTTP1ConnectionParameters } from "./parameters";
import { Exchanges } from "./incoming";
import { Callback, IOLoop } from "../loop/ioloop";
import { EXCHANGE } from "../wasi/http/index";
import * as exchange from "../wasi/http/exchange";
import * as wasi from "../wasi/index";
import { HTTPHandler } from "./request";

export { cabi_realloc } from "../wasi/component/memory";

/** An Exchanges, null: there is no server. The type is its base, so that other targets do not compile that class. */
let exchanges: Callback | null = null;

/** Those of this instance. Null: it has no server, and says so. */
export function ownExchanges(): Exchanges | null {
  if (exchanges) return exchanges as Exchanges;
  const line = String.UTF8.encode(
    "waterspout: the application makes no HTTPServer, so it cannot answer by wasi:http\n",
  );
  wasi.log(changetype<usize>(line), line.byteLength);
  return null;
}

/** Requests are for this handler from now on. */
export function serveIncoming(handler: HTTPHandler, parameters: HTTP1ConnectionParameters): void {
  exchanges = new Exchanges(handler, parameters);
}

/**
 * Handles the request to its end: the runtime may run others in other instances meanwhile, here there is one. `request`
 * and `outparam` are resources. Without a server the runtime answers, with 500.
 */
export function handle(request: i32, outparam: i32): void {
  const all = ownExchanges();
  if (!all) return;
  exchange.begin(request, outparam);
  const connection = all.begin(EXCHANGE);
  const loop = IOLoop.current();
  while (!connection.isOver) all.giveUpIfForgotten(loop.turn(wasi.FOREVER));
}
