// What a component of wasi:http 0.3 exports: its handler, which the runtime calls for each request, and calls back for
// each event of that request until all of it is done. Other requests come meanwhile.
// AssemblyScript cannot name them as the canonical ABI does; `waterspout build` renames them.

import { IOLoop } from "../loop/ioloop";
import * as tasks from "../wasi/httpasync/tasks";
import { Exchanges } from "./incoming";
import { ownExchanges } from "./incominghandler";

export { cabi_realloc } from "../wasi/component/memory";

/** `request` is a resource. Without a server the runtime answers, with 500. */
export function handle(request: i32): i32 {
  const exchanges = ownExchanges();
  if (!exchanges) return tasks.refuse(request);
  const handle = tasks.enter(request);
  exchanges.begin(handle);
  return proceed(exchanges, handle);
}

export function callback(kind: i32, waitable: i32, result: i32): i32 {
  const handle = tasks.enterAgain(kind, waitable, result);
  return proceed(ownExchanges() as Exchanges, handle);
}

function proceed(exchanges: Exchanges, handle: i32): i32 {
  const loop = IOLoop.current();
  let rest = loop.turn(0);
  if (exchanges.giveUpIfForgotten(rest)) rest = loop.turn(0);
  return tasks.leave(handle, rest);
}
