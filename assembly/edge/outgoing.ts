// Requests of the handler's component to other servers, each over a connection of its own.
//
// Invariants: of an answer's body nothing comes to the handler beyond the credit that it gave; of each request it hears
// either the end of the answer or a failure, once, and nothing behind that; at most OUTGOING_MAX are under way.
// Only the core of handlers that make such requests has this file (mainoutgoing.ts): it brings the imports to connect
// with. Reference: wit/waterspout.wit, `outgoing`; TCPClient and HTTP1ClientConnection do the work.

import { Buffer, takeBlock } from "../bytes/buffer";
import { ConnectHandler, PendingConnect, TCPClient } from "../client/tcpclient";
import { connectReasonText } from "../core/connectreasons";
import { REASON_BAD_RESPONSE, REASON_TIMEOUT } from "../core/errors";
import { HEAD_BYTES_MAX, OUTGOING_MAX } from "../core/limits";
import { ClientConnectionOwner, HTTP1ClientConnection, ResponseHandler } from "../http/clientconnection";
import { OutgoingHead } from "../http/outgoinghead";
import { Callback, IOLoop } from "../loop/ioloop";
import { isHopByHop } from "../protocol/http/hopbyhop";
import { IOStream } from "../stream/iostream";
import * as actions from "./outgoingactions";
import * as calls from "./outgoingcalls";
import { CREDIT_BYTES, PIECE_CONTENT, PIECE_LAST } from "./calls";
import * as fields from "./fields";
import { markCalled } from "./handler";
import { lift, nameOf, utf8Of } from "./latin1";

/** The head of an answer as one text. */
const TEXT_BYTES: i32 = 2 * HEAD_BYTES_MAX;
let text: usize = 0;

const NO_HEAD: string = "its method, its address or one of its header fields cannot be sent";
const NO_MEMORY: string = "there is no memory for it";
const SILENT: string = "the server does not answer in time";
const NO_ANSWER: string = "the server's answer breaks the rules of HTTP";
const BROKEN: string = "the connection was closed before the answer was complete";
const TOO_MANY: string = "too many requests are under way";

const client = new TCPClient();
/** Those that are under way, by number. */
const requests = new Map<u32, OutgoingRequest>();
const spare: Array<OutgoingRequest> = [];
let written: Array<OutgoingRequest> = [];

function tellFailed(id: u32, why: string): void {
  const bytes = String.UTF8.encode(why);
  calls.failed(id, changetype<usize>(bytes), bytes.byteLength);
}

/** The first letter of POST, PUT and PATCH, whose requests say that they have no body. */
const LETTER_P: u8 = 0x50;

/** A request and its answer. Objects are used again: a connection keeps memory for a head. */
@final
class OutgoingRequest extends ConnectHandler implements ResponseHandler, ClientConnectionOwner {
  id: u32 = 0; // 0: it is over
  private head: OutgoingHead = new OutgoingHead();
  private early: Buffer = new Buffer(); // of the body, until there is a connection
  private pending: PendingConnect | null = null;
  private connection!: HTTP1ClientConnection;
  private connected: bool = false;
  private complete: bool = false; // the request
  private credit: i64 = 0;
  private listed: bool = false; // among those of which is said what has left

  constructor() {
    super();
    this.connection = new HTTP1ClientConnection(this);
  }

  begin(id: u32, value: usize): void {
    this.id = id;
    this.credit = 0;
    this.connected = false;
    const method = load<usize>(value, actions.METHOD);
    const methodSize = load<i32>(value, actions.METHOD + 4);
    const size = load<i32>(value, actions.BODY + 4);
    const last = load<u8>(value, actions.LAST) != 0;
    const head = this.head;
    this.complete = last;
    head.begin(method, methodSize, load<usize>(value, actions.TARGET), load<i32>(value, actions.TARGET + 4));
    const says = methodSize > 0 && load<u8>(method) == LETTER_P;
    const isHead = this.addFields(load<usize>(value, actions.FIELDS), load<i32>(value, actions.FIELDS + 4));
    if (!isHead || !head.end(last ? i64(size) : -1, says)) return this.fail(NO_HEAD);
    if (size && !this.early.append(load<usize>(value, actions.BODY), size)) return this.fail(NO_MEMORY);
    const host = String.UTF8.decodeUnsafe(load<usize>(value, actions.HOST), load<i32>(value, actions.HOST + 4));
    this.pending = client.connect(host, i32(load<u16>(value, actions.PORT)), this);
  }

  /** False: one of them must not be sent. */
  private addFields(source: usize, size: i32): bool {
    const lifted = lift(source, size);
    if (lifted < 0) return false;
    const end = source + usize(lifted);
    for (let at = source; at < end;) {
      at = fields.readField(at, end);
      if (!at || !this.head.addField(fields.name, fields.nameSize, fields.value, fields.valueSize)) return false;
    }
    return true;
  }

  // --- what the handler wants done ---

  write(source: usize, size: i32, last: bool): void {
    if (this.complete) return;
    this.complete = last;
    if (!this.connected) {
      if (size && !this.early.append(source, size)) this.fail(NO_MEMORY);
      return;
    }
    if (size) this.connection.writeBody(source, size);
    if (last) this.connection.finishRequest();
    else this.list();
  }

  take(bytes: u32): void {
    this.credit += bytes;
    if (this.connected) this.connection.resume();
  }

  /** The handler hears of it no more. */
  abort(): void {
    requests.delete(this.id);
    this.id = 0;
    const pending = this.pending;
    this.pending = null;
    if (pending) pending.cancel();
    if (this.connected)
      this.connection.abort(); // connectionClosed follows
    else this.end();
  }

  // --- what becomes of it ---

  onConnect(stream: IOStream): void {
    this.pending = null;
    this.connected = true;
    this.connection.start(stream);
    this.connection.startRequest(this.head, this);
    if (this.early.size) this.connection.writeBody(this.early.source, this.early.size);
    this.early.clear();
    if (this.complete) this.connection.finishRequest();
    else this.list();
  }

  onConnectFailed(reason: i32): void {
    this.pending = null;
    this.fail(connectReasonText(reason));
  }

  informationReceived(connection: HTTP1ClientConnection): void {}

  headersReceived(connection: HTTP1ClientConnection): void {
    if (!text) text = takeBlock(TEXT_BYTES);
    if (!text) return this.fail(NO_MEMORY);
    let end = text;
    for (let i = 0; i < connection.fieldCount; i++) {
      if (isHopByHop(connection.head, connection.source, i)) continue;
      end = nameOf(end, connection.name(i), connection.nameSize(i));
      end = utf8Of(end, connection.value(i), connection.valueSize(i));
    }
    calls.head(this.id, connection.status, text, i32(end - text));
    this.called();
  }

  dataReceived(connection: HTTP1ClientConnection, source: usize, size: i32): i32 {
    const taken = i32(min(i64(size), this.credit));
    if (!taken) return 0;
    this.credit -= taken;
    calls.data(this.id, source, taken, false);
    this.called();
    return taken;
  }

  responseComplete(connection: HTTP1ClientConnection): void {
    const id = this.id;
    this.id = 0;
    requests.delete(id);
    calls.data(id, 0, 0, true);
    this.called();
  }

  requestSent(connection: HTTP1ClientConnection): void {
    this.list();
  }

  /** connectionClosed follows. */
  connectionLost(connection: HTTP1ClientConnection, reason: i32): void {
    this.tell(reason == REASON_TIMEOUT ? SILENT : reason == REASON_BAD_RESPONSE ? NO_ANSWER : BROKEN);
  }

  /** One request a connection. */
  connectionIdle(connection: HTTP1ClientConnection): void {
    connection.close();
  }

  connectionClosed(connection: HTTP1ClientConnection): void {
    this.connected = false;
    this.end();
  }

  private fail(why: string): void {
    this.tell(why);
    this.abort();
  }

  private tell(why: string): void {
    tellFailed(this.id, why);
    requests.delete(this.id);
    this.id = 0;
    this.called();
  }

  /** The turn's actions may have been collected, and nothing else may happen for long. */
  private called(): void {
    markCalled();
    IOLoop.current().addCallback(nextTurn);
  }

  private list(): void {
    if (this.listed) return;
    this.listed = true;
    written.push(this);
    IOLoop.current().addCallback(nextTurn);
  }

  /** In the turn behind one in which a piece was sent: says that it has left, unless some of it has not. */
  report(): void {
    this.listed = false;
    if (!this.id || !this.connected || this.connection.waiting) return;
    calls.sent(this.id);
    markCalled();
  }

  /** The object is free. */
  private end(): void {
    this.head.clear();
    this.early.clear();
    spare.push(this);
  }
}

/** In the turn behind one in which something was sent or called. */
@final
class NextTurn extends Callback {
  private reported: Array<OutgoingRequest> = [];

  run(): void {
    const all = written;
    written = this.reported;
    this.reported = all;
    for (let i = 0; i < all.length; i++) unchecked(all[i]).report();
    all.length = 0;
  }
}

const nextTurn = new NextTurn();

/** What the module asks of its requests. */
@final
class Actor extends actions.OutgoingActor {
  act(kind: u8, value: usize): void {
    const id = load<u32>(value);
    if (kind == actions.SEND_REQUEST) return this.send(id, value);
    if (!requests.has(id)) return;
    const request = requests.get(id);
    if (kind == actions.ANSWER_CREDIT) request.take(load<u32>(value, CREDIT_BYTES));
    else if (kind == actions.ABORT_REQUEST) request.abort();
    else {
      const size = load<i32>(value, PIECE_CONTENT + 4);
      request.write(load<usize>(value, PIECE_CONTENT), size, load<u8>(value, PIECE_LAST) != 0);
    }
  }

  private send(id: u32, value: usize): void {
    if (!id || requests.has(id)) return;
    if (requests.size >= OUTGOING_MAX) {
      tellFailed(id, TOO_MANY);
      return markCalled();
    }
    const request = spare.length ? spare.pop() : new OutgoingRequest();
    requests.set(id, request);
    request.begin(id, value);
  }
}

actions.setActor(new Actor());
