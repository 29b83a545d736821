// The core of a component whose handler is another component: an application that gives requests to the handler and
// sends what it answers. `waterspout build` puts both together (host/cli/build/compose.ts).
//
// Invariants: of a request's body nothing comes to the handler beyond the credit that it gave; a request that is over
// takes no more actions, whatever the handler says. The handler is called in a turn and never waits, so no call of it
// is inside another. Reference: wit/waterspout.wit.

import { Address } from "../core/address";
import { FIELDS_MAX } from "../core/limits";
import { LoggingHTTPHandler } from "../http/log";
import { HTTPServerRequest } from "../http/request";
import { HTTPServer } from "../http/server";
import { Callback, IOLoop, Timeout } from "../loop/ioloop";
import { writeDecimal } from "../protocol/http/writer";
import { prepare } from "../stream/turnend";
import * as actions from "./actions";
import * as calls from "./calls";
import { nextId } from "./ids";
import { clearCopies, lower } from "./latin1";

export { _start, turn } from "../loop/entry";

/** Where the head's texts are: the target, the client's address, and the fields. */
const target: usize = memory.data(8, 8);
const peer: usize = memory.data(8, 8);
const fields: usize = memory.data(1600, 8);
const digits: usize = memory.data(128, 16);
if (FIELDS_MAX * calls.FIELD_BYTES > 1600) ERROR("a head may have more fields than there is room for");

/** The handler was called, so it has an outcome. At first too: an application may have timers before any request. */
let called: bool = true;


@final
class EdgeHandler extends LoggingHTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    const length = request.contentLength;
    const complete = length >= 0 && length <= request.aheadSize;
    request.credit = complete ? i64.MAX_VALUE : 0; // a complete one comes once more, and is dropped
    if (!lowerHead(request)) return request.connection.shed();
    request.tag = nextId(request.slot);
    request.collects = complete;
    calls.request(
      request.tag,
      request.methodText,
      request.methodSize,
      load<usize>(target),
      load<i32>(target, 4),
      fields,
      request.fieldCount,
      load<usize>(peer),
      load<i32>(peer, 4),
      request.ahead,
      complete ? i32(length) : 0,
      complete,
    );
    called = true;
  }

  dataReceived(request: HTTPServerRequest, source: usize, size: i32): void {
    calls.body(request.tag, source, size, false);
    called = true;
  }

  finish(request: HTTPServerRequest): void {
    if (request.collects) return;
    calls.body(request.tag, 0, 0, true);
    called = true;
  }

  onSent(request: HTTPServerRequest): void {
    if (request.tag && !request.waiting) sent(request.tag);
  }

  onEnd(request: HTTPServerRequest): void {
    this.onConnectionClose(request, 0);
  }

  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    if (!request.tag) return; // it never came to the handler
    calls.closed(request.tag);
    called = true;
    loop.addCallback(nextTurn); // connections close behind the turn's Collect, and nothing else may happen for long
  }
}

/** False: there is no memory for it. */
function lowerHead(request: HTTPServerRequest): bool {
  clearCopies();
  lowerAddress(request.address);
  let fits = lower(target, request.target, request.targetSize);
  for (let i = 0; i < request.fieldCount; i++) {
    const at = fields + usize(i * calls.FIELD_BYTES);
    fits = fits && lower(at, request.name(i), request.nameSize(i));
    fits = fits && lower(at + 8, request.value(i), request.valueSize(i));
  }
  return fits;
}

function lowerAddress(address: Address | null): void {
  let at = digits;
  if (address && address.family == 4) {
    for (let i: usize = 0; i < 4; i++) {
      if (i) store<u8>(at++, 0x2e);
      at = writeDecimal(at, load<u8>(address.bytes + i));
    }
  } else if (address) {
    const text = address.host;
    at += String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
  }
  store<usize>(peer, digits);
  store<i32>(peer, i32(at - digits), 4);
}

function sent(id: u32): void {
  calls.sent(id);
  called = true;
}

/** In the turn behind one that has sent pieces: all that has not to wait for its client has left. */
@final
class NextTurn extends Callback {
  run(): void {
    const ids = actions.pieces;
    for (let i = 0; i < ids.length; i++) {
      const connection = actions.findRequest(server, unchecked(ids[i]));
      if (connection && !connection.waiting) sent(unchecked(ids[i]));
    }
    ids.length = 0;
  }
}

const loop = IOLoop.current();
const server = new HTTPServer(new EdgeHandler());
const nextTurn = new NextTurn();
const outcome: usize = memory.data(32, 8);


@final
class Timers extends Timeout {
  run(): void {
    calls.timers();
    called = true;
  }
}

/** At the end of a turn: what has come of the calls. */
@final
class Collect extends Callback {
  private timers: Timers = new Timers();

  run(): void {
    if (!called) return;
    called = false;
    this.collect();
    if (load<u8>(outcome, calls.OUTCOME_UNSETTLED)) {
      calls.settle();
      this.collect();
    }
    if (load<u8>(outcome, calls.OUTCOME_HAS_WAIT)) loop.callLater(load<u32>(outcome, calls.OUTCOME_WAIT), this.timers);
    else loop.removeTimeout(this.timers);
    if (actions.pieces.length) loop.addCallback(nextTurn);
  }

  private collect(): void {
    calls.collect(outcome);
    actions.act(server, load<usize>(outcome), load<i32>(outcome, 4));
  }
}

prepare(); // what the handler sends at the end of a turn leaves in that turn
loop.atTurnEnd(new Collect());
server.listen();
