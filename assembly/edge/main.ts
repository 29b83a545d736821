// The core of a component whose handler is another component: an application that gives requests to the handler and
// sends what it answers. `waterspout build` puts both together (host/cli/build/compose.ts).
//
// Invariants: of a request's body nothing comes to the handler beyond the credit that it gave; a request that is over
// takes no more actions, whatever the handler says. The handler is called in a turn and never waits, so no call of it
// is inside another. Reference: wit/waterspout.wit.

import { takeBlock } from "../bytes/buffer";
import { ANSWER_TIMEOUT_MS, HEAD_BYTES_MAX } from "../core/limits";
import { NS_PER_MS } from "../core/units";
import { HTTP1Connection } from "../http/connection";
import { LoggingHTTPHandler } from "../http/log";
import { HTTPServerRequest } from "../http/request";
import { HTTPServer } from "../http/server";
import { Callback, IOLoop, Timeout } from "../loop/ioloop";
import { prepare } from "../stream/turnend";
import * as wasi from "../wasi/index";
import { answerTimeoutMs, takeAnswerTimeout } from "../wasi/component/settings";
import * as actions from "./actions";
import * as calls from "./calls";
import { markCalled, takeCalled, writeAddress } from "./handler";
import { nextId } from "./ids";
import { nameOf, utf8Of } from "./latin1";
import * as streams from "./streams";
import * as websockets from "./websockets";

export { _start, turn } from "../loop/entry";

/** The texts of the head that is handed over, one behind the other: target, fields, and the client's address. */
const TEXTS_BYTES: i32 = 2 * HEAD_BYTES_MAX + 64;
let texts: usize = 0;
let fields: usize = 0;
let peer: usize = 0;
let textsEnd: usize = 0;


@final
class EdgeHandler extends LoggingHTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    const length = request.contentLength;
    const complete = length >= 0 && length <= request.aheadSize;
    forgetAnswer(request.slot);
    request.credit = complete ? i64.MAX_VALUE : 0; // a complete one comes once more, and is dropped
    if (!lowerHead(request)) return request.connection.shed();
    request.tag = nextId(request.slot);
    request.collects = complete;
    websockets.offer(request);
    if (!complete) expectAnswer(request.slot); // it may never take the body
    calls.request(
      request.tag,
      request.methodText,
      request.methodSize,
      texts,
      i32(fields - texts),
      fields,
      i32(peer - fields),
      peer,
      i32(textsEnd - peer),
      complete && length > 0,
      request.ahead,
      complete ? i32(length) : 0,
      complete,
    );
    markCalled();
  }

  dataReceived(request: HTTPServerRequest, source: usize, size: i32): void {
    expectAnswer(request.slot);
    calls.body(request.tag, source, size, false);
    markCalled();
  }

  finish(request: HTTPServerRequest): void {
    (server.connectionAt(request.slot) as HTTP1Connection).body.due = 0; // the client is waited for no more
    expectAnswer(request.slot);
    if (request.collects) return;
    calls.body(request.tag, 0, 0, true);
    markCalled();
  }

  onSent(request: HTTPServerRequest): void {
    if (request.tag && !request.waiting) sent(request.tag);
  }

  onEnd(request: HTTPServerRequest): void {
    if (!request.tag) return; // it never came to the handler
    calls.ended(request.tag);
    markCalled();
    loop.addCallback(nextTurn);
  }

  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    if (!request.tag) return;
    calls.closed(request.tag);
    markCalled();
    loop.addCallback(nextTurn); // connections close behind the turn's Collect, and nothing else may happen for long
  }
}

/** False: there is no memory for it. */
function lowerHead(request: HTTPServerRequest): bool {
  if (!texts) texts = takeBlock(TEXTS_BYTES);
  if (!texts) return false;
  fields = utf8Of(texts, request.target, request.targetSize);
  peer = fields;
  for (let i = 0; i < request.fieldCount; i++) {
    peer = nameOf(peer, request.name(i), request.nameSize(i));
    peer = utf8Of(peer, request.value(i), request.valueSize(i));
  }
  textsEnd = writeAddress(peer, request.address);
  return true;
}

function sent(id: u32): void {
  calls.sent(id);
  markCalled();
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
    markCalled();
  }
}

// --- answers that do not come ---

/** When the answer of a slot's request has to begin, in monotonic nanoseconds; 0: nothing is awaited. */
let answersDue: StaticArray<i64> = new StaticArray<i64>(64);

/**
 * The request or a part of it has come: from now on the handler has so long to begin its answer, or to take more of the
 * body. While the client is waited for, its own time runs.
 */
function expectAnswer(slot: i32): void {
  if (!answerTimeoutMs) return;
  if (slot >= answersDue.length) {
    const more = new StaticArray<i64>(max(slot + 1, answersDue.length * 2));
    memory.copy(changetype<usize>(more), changetype<usize>(answersDue), usize(answersDue.length) << 3);
    answersDue = more;
  }
  const due = loop.time + i64(answerTimeoutMs) * NS_PER_MS;
  unchecked((answersDue[slot] = due));
  if (!overdue.awaits) overdue.await(due);
}

function forgetAnswer(slot: i32): void {
  if (slot < answersDue.length) unchecked((answersDue[slot] = 0));
}

/** Answers 503 in place of a handler that takes too long. It looks at all requests when the first may be due. */
@final
class Overdue extends Timeout {
  awaits: bool = false;

  await(due: i64): void {
    this.awaits = true;
    loop.callAt(due, this);
  }

  run(): void {
    this.awaits = false;
    let next: i64 = i64.MAX_VALUE;
    for (let slot = 0; slot < answersDue.length; slot++) {
      const due = unchecked(answersDue[slot]);
      const connection = due ? server.connectionAt(slot) : null;
      if (!connection || !connection.inFlight || connection.begun) unchecked((answersDue[slot] = 0));
      else if (due > loop.time) next = min(next, due);
      else if (connection.body.due) next = min(next, this.renew(slot));
      else this.refuse(connection.request);
    }
    if (next != i64.MAX_VALUE) this.await(next);
  }

  private renew(slot: i32): i64 {
    return unchecked((answersDue[slot] = loop.time + i64(answerTimeoutMs) * NS_PER_MS));
  }

  private refuse(request: HTTPServerRequest): void {
    const tag = request.tag;
    const bytes = String.UTF8.encode("waterspout: a handler has not answered in time, so its client gets 503\n");
    wasi.log(changetype<usize>(bytes), bytes.byteLength);
    request.respond(503, "text/plain", "Service Unavailable");
    calls.closed(tag);
    markCalled();
  }
}

const overdue = new Overdue();

/**
 * What comes of the calls of one turn may be an answer to the handler, which asks for more, as a stream's reads do. So
 * many times that is done at once, then connections have their turn.
 */
const ROUNDS_MAX: i32 = 32;

/** At the end of a turn: what has come of the calls. Behind the first outcome the component listens. */
@final
class Collect extends Callback {
  private timers: Timers = new Timers();
  private listening: bool = false;

  run(): void {
    let rounds = 0;
    while (rounds < ROUNDS_MAX && takeCalled()) {
      rounds++;
      this.collect();
      if (!load<u8>(outcome, calls.OUTCOME_UNSETTLED)) continue;
      calls.settle();
      this.collect();
    }
    if (!rounds) return;
    if (load<u8>(outcome, calls.OUTCOME_HAS_WAIT)) loop.callLater(load<u32>(outcome, calls.OUTCOME_WAIT), this.timers);
    else loop.removeTimeout(this.timers);
    if (actions.pieces.length || rounds == ROUNDS_MAX) loop.addCallback(nextTurn);
    if (!this.listening) this.listen();
  }

  private collect(): void {
    calls.collect(outcome);
    actions.act(server, load<usize>(outcome), load<i32>(outcome, 4));
  }

  private listen(): void {
    this.listening = true;
    if (streams.servesStreams()) streams.listen();
    else server.listen();
  }
}

takeAnswerTimeout(ANSWER_TIMEOUT_MS);
prepare(); // what the handler sends at the end of a turn leaves in that turn
loop.atTurnEnd(new Collect());
loop.addCallback(nextTurn); // the first outcome is asked for at once
