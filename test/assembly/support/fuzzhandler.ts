// What the fuzz test's server does with a request: its target says how and when it is answered.
//
//   /WORD/INDEX/MODE/SIZE/DELAY   the answer is `/WORD/INDEX|BODYBYTES|BODYHASH|xxx…` with SIZE times x
//
// The word belongs to the connection, so an answer that goes astray is seen. A target that cannot be read that way (it
// was mutated) is answered at once with itself.
import { HTTP1Connection } from "../../../assembly/http/connection";
import { HTTPHandler, HTTPServerRequest, Upgraded } from "../../../assembly/http/request";
import { IOLoop, Timeout } from "../../../assembly/loop/ioloop";
import { IOStream } from "../../../assembly/stream/iostream";
import { MS, text, write } from "./sim";

/** When the request is complete. */
export const AT_END: i32 = 0;
/** As soon as its head is there, whatever its body is. */
export const EARLY: i32 = 1;
/** DELAY milliseconds after its end. */
export const LATER: i32 = 2;
/** Chunked, a piece every DELAY milliseconds. */
export const STREAMED: i32 = 3;
/** Takes the body a little at a time, every DELAY milliseconds. */
export const SIPPED: i32 = 4;
/** More bytes than declared: costs the connection. */
export const BROKEN: i32 = 5;
/** Hands the stream over to an echo. */
export const UPGRADED: i32 = 6;

/** Modes whose answer is the usual one: the first so many. */
export const ORDINARY_MODES: i32 = 5;
export const SWITCHING: string = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
/** Pieces of a streamed answer. */
export const PIECES: i32 = 4;
/** How much of a body a sip takes. */
const SIP_BYTES: i32 = 700;
/** How long an echo lives. */
const ECHO_MS: i64 = 100000;

/** FNV-1a. */
export function hash(seed: u32, source: usize, size: i32): u32 {
  for (let i: usize = 0; i < usize(size); i++) seed = (seed ^ load<u8>(source + i)) * 16777619;
  return seed;
}
export const HASH_SEED: u32 = 2166136261;

function number(text: string): i32 {
  return i32(parseInt(text)) & 0xfffffff;
}

/** What the handler knows of a connection's request. */
class Order {
  serial: u32 = 0;
  target: string = "";
  mode: i32 = 0;
  size: i32 = 0;
  delay: i32 = 0;
  bodyBytes: i32 = 0;
  bodyHash: u32 = HASH_SEED;
  complete: bool = false;
  /** Its end is known: the handler has given its whole answer, or has heard that it cannot. */
  over: bool = true;
  piece: i32 = 0;
  request!: HTTPServerRequest;

  read(request: HTTPServerRequest): void {
    this.request = request;
    this.serial = this.request.serial;
    this.target = text(this.request.target, this.request.targetSize);
    this.bodyBytes = this.piece = 0;
    this.bodyHash = HASH_SEED;
    assert(this.over, "the request before was left behind");
    this.complete = this.over = false;
    const parts = this.target.split("/");
    const known = parts.length == 6;
    this.mode = known ? number(parts[3]) % (UPGRADED + 1) : AT_END;
    this.size = known ? number(parts[4]) % 200000 : 0;
    this.delay = known ? 1 + (number(parts[5]) % 100) : 0;
    if (known) this.target = "/" + parts[1] + "/" + parts[2];
  }

  get live(): bool {
    return this.request.serial == this.serial && this.request.inFlight;
  }

  /** The whole body of the answer. */
  get answer(): string {
    const body = this.mode == EARLY ? "-" : this.bodyBytes.toString() + "|" + this.bodyHash.toString();
    return this.target + "|" + body + "|" + "x".repeat(this.size);
  }

  respond(): void {
    this.over = true;
    this.request.respond(200, "text/plain", this.answer);
  }

  /** One of the pieces of a streamed answer; the last one ends it. */
  stream(): void {
    const answer = this.answer;
    const pieceBytes = answer.length / PIECES + 1;
    if (!this.piece) this.request.startResponse(200);
    this.request.write(answer.substr(this.piece * pieceBytes, pieceBytes));
    if (++this.piece < PIECES) return this.again();
    this.over = true;
    this.request.finish();
  }

  again(): void {
    IOLoop.current().callLater(this.delay, new Again(this, this.serial));
  }
}

/** Gives back all that comes, for a while. */
@final
class Echo extends Upgraded {
  stream!: IOStream;

  begin(stream: IOStream): void {
    this.stream = stream;
    write(stream, SWITCHING);
    stream.setDeadline(IOLoop.current().time + ECHO_MS * MS);
    stream.consume();
  }
  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    stream.write(source, size);
    return size;
  }
  onEnd(stream: IOStream): void {
    stream.finish(false);
  }
  onTimeout(stream: IOStream): void {
    stream.close();
  }
  drain(): void {
    this.stream.finish(true);
  }
}

/** The next step of an order. */
class Again extends Timeout {
  constructor(
    private next: Order,
    private serial: u32,
  ) {
    super();
  }
  run(): void {
    const order = this.next;
    if (order.serial != this.serial || !order.live) return;
    if (order.mode == SIPPED && !order.complete) {
      order.request.connection.takeBody(SIP_BYTES);
      if (order.live && order.serial == this.serial) order.again();
    } else if (order.mode == STREAMED) order.stream();
    else order.respond();
  }
}


@final
export class FuzzHandler extends HTTPHandler {
  requests: i32 = 0;
  closed: i32 = 0;
  upgrades: i32 = 0;
  private orders: Array<Order> = []; // by slot

  headersReceived(request: HTTPServerRequest): void {
    while (this.orders.length <= request.slot) this.orders.push(new Order());
    const order = this.orders[request.slot];
    order.read(request);
    this.requests++;
    if (order.mode == EARLY) order.respond();
    else if (order.mode == SIPPED) {
      request.credit = request.expectsContinue ? 0 : SIP_BYTES;
      order.again();
    }
  }

  dataReceived(request: HTTPServerRequest, source: usize, size: i32): void {
    const order = this.orders[request.slot];
    assert(order.live && !order.complete && size > 0, "data without a request");
    order.bodyBytes += size;
    order.bodyHash = hash(order.bodyHash, source, size);
  }

  finish(request: HTTPServerRequest): void {
    const order = this.orders[request.slot];
    assert(order.live && !order.complete, "finish without a request");
    order.complete = true;
    for (let at = request.nextTrailer(0); at >= 0; at = request.nextTrailer(at)) {
      order.bodyHash = hash(order.bodyHash, request.trailerName, request.trailerNameSize);
      order.bodyHash = hash(order.bodyHash, request.trailerValue, request.trailerValueSize);
    }
    if (order.mode == AT_END || order.mode == SIPPED) order.respond();
    else if (order.mode == LATER) order.again();
    else if (order.mode == STREAMED) order.stream();
    else if (order.mode == BROKEN) {
      order.over = true;
      request.startResponse(200, 2);
      request.write("too long");
      request.finish();
    } else if (order.mode == UPGRADED) {
      order.over = true;
      this.upgrades++;
      const echo = new Echo();
      echo.begin((request.connection as HTTP1Connection).detach(echo)!);
    }
  }

  onSent(request: HTTPServerRequest): void {
    assert(this.orders[request.slot].live, "sent without a request");
  }

  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    const order = this.orders[request.slot];
    assert(request.serial == order.serial, "the close of another request");
    assert(!order.live, "closed and still in flight");
    assert(order.mode != UPGRADED || !order.complete, "the close of a request that was handed over");
    order.serial = 0;
    order.over = true;
    this.closed++;
  }

  /** No request was left without an answer and without a word. */
  get isIdle(): bool {
    return this.orders.every((order) => order.over);
  }
}
