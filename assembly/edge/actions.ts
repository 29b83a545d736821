// What the handler wants done, out of the outcome that it has given: answers, pieces, credit, log lines.
//
// Invariant: each block of the outcome is given back, also of an action for a request that is over. What a handler may
// not send (a status, a field) cuts its connection, as anywhere else. Reference: wit/waterspout.wit.

import { REASON_BAD_RESPONSE } from "../core/errors";
import { HTTP1Connection } from "../http/connection";
import { HTTPServer } from "../http/server";
import * as wasi from "../wasi/index";
import { release } from "../wasi/component/memory";
import * as calls from "./calls";
import * as fields from "./fields";
import { slotOf } from "./ids";
import { lift } from "./latin1";
import * as outgoing from "./outgoingactions";
import * as streams from "./streams";
import { ACCEPT, OFFER_WEBSOCKETS } from "./websocketcalls";
import * as websockets from "./websockets";

/** The connection whose request in flight has this number, null: it is over. */
export function findRequest(server: HTTPServer, id: u32): HTTP1Connection | null {
  const connection = server.connectionAt(slotOf(id));
  return connection && connection.inFlight && connection.request.tag == id ? connection : null;
}

/** Numbers of requests to which pieces were sent in this turn; the handler is called about them in the next one. */
export let pieces: Array<u32> = [];

/** Carries out the actions of an outcome, and gives their memory back. */
export function act(server: HTTPServer, actions: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const at = actions + usize(i * calls.ACTION_BYTES);
    const value = at + calls.ACTION_VALUE;
    const kind = load<u8>(at);
    if (kind == calls.ANSWER) answer(findRequest(server, load<u32>(value)), value);
    else if (kind == calls.PIECE) piece(findRequest(server, load<u32>(value)), value);
    else if (kind == calls.LOG) log(load<usize>(value), load<i32>(value, 4));
    else if (kind == ACCEPT) websockets.accept(findRequest(server, load<u32>(value)), value);
    else if (kind >= outgoing.SEND_REQUEST) outgoing.act(kind, value);
    else if (kind >= OFFER_WEBSOCKETS) websockets.act(kind, value);
    else if (kind > calls.LOG) streams.act(kind, value);
    else if (kind == calls.CREDIT) credit(server, load<u32>(value), load<u32>(value, calls.CREDIT_BYTES));
    else abort(server, load<u32>(value));
  }
  release(actions, usize(count * calls.ACTION_BYTES));
}

function credit(server: HTTPServer, id: u32, bytes: u32): void {
  const connection = findRequest(server, id);
  if (connection) connection.takeBody(bytes);
  else websockets.credit(id, bytes);
}

function abort(server: HTTPServer, id: u32): void {
  const connection = findRequest(server, id);
  if (connection) connection.abort(REASON_BAD_RESPONSE);
  else websockets.abort(id);
}

function answer(connection: HTTP1Connection | null, value: usize): void {
  const head = load<usize>(value, calls.ANSWER_FIELDS);
  const fieldsSize = load<i32>(value, calls.ANSWER_FIELDS + 4);
  const content = load<usize>(value, calls.ANSWER_CONTENT);
  const size = load<i32>(value, calls.ANSWER_CONTENT + 4);
  if (connection) {
    const last = load<u8>(value, calls.ANSWER_LAST) != 0;
    const status = i32(load<u16>(value, calls.ANSWER_STATUS));
    let length: i64 = -1;
    if (load<u8>(value, calls.ANSWER_HAS_LENGTH)) length = load<i64>(value, calls.ANSWER_LENGTH);
    else if (last && status != 304) length = size; // that of a 304 is that of a 200, which is not known
    if (status < 200 || status > 999) connection.abort(REASON_BAD_RESPONSE);
    else {
      if (last) connection.ignoreRest();
      connection.startResponse(status, 0, 0, length);
      if (addFields(connection, head, fieldsSize)) send(connection, content, size, last);
      else connection.abort(REASON_BAD_RESPONSE);
    }
  }
  release(head, fieldsSize);
  release(content, size);
}

/** False: one of them must not be sent. */
function addFields(connection: HTTP1Connection, source: usize, size: i32): bool {
  const lifted = lift(source, size);
  if (lifted < 0) return false;
  const end = source + usize(lifted);
  for (let at = source; at < end;) {
    at = fields.readField(at, end);
    if (!at || !connection.addField(fields.name, fields.nameSize, fields.value, fields.valueSize)) return false;
  }
  return true;
}

function piece(connection: HTTP1Connection | null, value: usize): void {
  const content = load<usize>(value, calls.PIECE_CONTENT);
  const size = load<i32>(value, calls.PIECE_CONTENT + 4);
  if (connection) {
    if (connection.begun) send(connection, content, size, load<u8>(value, calls.PIECE_LAST) != 0);
    else connection.abort(REASON_BAD_RESPONSE);
  }
  release(content, size);
}

function send(connection: HTTP1Connection, content: usize, size: i32, last: bool): void {
  if (size) connection.writeBody(content, size);
  if (last) connection.finishResponse();
  else pieces.push(connection.request.tag);
}

function log(text: usize, size: i32): void {
  wasi.log(text, size);
  release(text, size);
}
