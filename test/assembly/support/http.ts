// An HTTP server for tests over the scripted network. What its handler does with a request stands in the target:
//
//   /hello?n=7            answers `hello 7` when the request is complete      /early?n=7   as soon as its head is there
//   /later?n=7&ms=50      answers that much later                            /never       does not answer; the test may
//   /echo                 answers with the body, collected                   /sum         with its size, in pieces
//   /take?credit=10       takes so much of the body; then the test does      /chunks?n=3  `chunk 0`, … chunked
//   /open                 begins a chunked answer and leaves it open
//   /length?n=5&text=abc  declares n, writes text (&status=304)
//   /big?n=100000         so many bytes at once                            /upgrade      hands the stream over
//   /enough               answers with the first piece of the body         /drain        answers, and stops the server
//   /refuse               answers at once, without credit for the body
//
// The handler notes what it hears: `/echo data(abc) finish[trailer=value]` …, `end` for onEnd, `gone(3)` for
// onConnectionClose.
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { HTTPServer } from "../../../assembly/http/server";
import { Refusal, statusOf } from "../../../assembly/protocol/http/refusal";
import { HTTPConnection, HTTPHandler, HTTPServerRequest, Upgraded } from "../../../assembly/http/request";
import { IOLoop, Timeout } from "../../../assembly/loop/ioloop";
import { IOStream } from "../../../assembly/stream/iostream";
import { Peer, connect } from "../../../assembly/wasi/sim/net";
import { pattern, settle, text } from "./sim";

function number(request: HTTPServerRequest, name: string): i32 {
  const value = request.queryArgument(name);
  return value != null ? i32(parseInt(value)) : 0;
}

function path(request: HTTPServerRequest): string {
  const target = text(request.target, request.targetSize);
  const query = target.indexOf("?");
  return query < 0 ? target : target.substring(0, query);
}

/** `[x-a=1][x-b=2]` */
function trailersOf(request: HTTPServerRequest): string {
  let all = "";
  for (let at = request.nextTrailer(0); at >= 0; at = request.nextTrailer(at)) {
    const name = text(request.trailerName, request.trailerNameSize);
    all += "[" + name + "=" + text(request.trailerValue, request.trailerValueSize) + "]";
  }
  return all;
}

/** An answer that comes later, unless its request is over by then. */
class Later extends Timeout {
  private serial: u32;
  constructor(
    private request: HTTPServerRequest,
    private answer: string,
  ) {
    super();
    this.serial = request.serial;
  }
  run(): void {
    if (this.request.serial == this.serial && this.request.inFlight) {
      this.request.respond(200, "text/plain", this.answer);
    }
  }
}

/** The protocol that a connection is handed over to. */
export class NewProtocol extends Upgraded {
  stream!: IOStream;
  log: string = "";

  private note(event: string): void {
    this.log += (this.log.length ? " " : "") + event;
  }
  take(): string {
    const log = this.log;
    this.log = "";
    return log;
  }
  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    this.note("bytes(" + text(source, size) + ")");
    return size;
  }
  onEnd(stream: IOStream): void {
    this.note("end");
  }
  onClose(stream: IOStream, reason: i32): void {
    this.note("close(" + reason.toString() + ")");
  }
  drain(): void {
    this.note("drain");
  }
}

/** Hands a request's connection over and reads all that comes. */
export function takeOver(request: HTTPServerRequest): NewProtocol {
  const successor = new NewProtocol();
  const stream = server.connectionAt(request.slot)!.detach(successor);
  assert(stream != null, "not handed over");
  successor.stream = stream!;
  stream!.consume();
  return successor;
}


@final
export class TestHandler extends HTTPHandler {
  log: string = "";
  /** The newest request. */
  request: HTTPServerRequest | null = null;
  /** onConnectionClose of a request answers this one. */
  answeredAtClose: HTTPServerRequest | null = null;
  /** onEnd of a request answers it. */
  answersEnd: bool = false;
  /** /upgrade is handed over in headersReceived, to this. */
  takenOver: NewProtocol | null = null;
  /** Statuses of refused requests. */
  refused: string = "";
  /** What /trailer found. */
  trailer: string = "";
  private paths: Array<string> = []; // by slot
  private sums: Array<i64> = [];
  private numbers: Array<i32> = [];

  private note(event: string): void {
    this.log += (this.log.length ? " " : "") + event;
  }

  take(): string {
    const log = this.log;
    this.log = "";
    return log;
  }

  headersReceived(request: HTTPServerRequest): void {
    this.request = request;
    while (this.paths.length <= request.slot) {
      this.paths.push("");
      this.sums.push(0);
      this.numbers.push(0);
    }
    const name = path(request);
    const n = number(request, "n");
    this.note(name);
    this.paths[request.slot] = name;
    this.numbers[request.slot] = n;
    this.sums[request.slot] = 0;
    if (name == "/echo") request.collectBody();
    else if (name == "/take") request.credit = number(request, "credit");
    else if (name == "/early") request.respond(200, "text/plain", "early " + n.toString());
    else if (name == "/refuse") {
      request.credit = 0;
      request.respond(403, "text/plain", "no");
    } else if (name == "/later") {
      IOLoop.current().callLater(number(request, "ms"), new Later(request, "later " + n.toString()));
    } else if (name == "/upgrade") this.takeOver(request);
    else if (name == "/length") this.answerLength(request, n);
    else if (name == "/open") {
      request.startResponse(200);
      request.write("begun");
    }
  }

  private takeOver(request: HTTPServerRequest): void {
    this.takenOver = takeOver(request);
  }

  private answerLength(request: HTTPServerRequest, n: i32): void {
    const status = number(request, "status");
    request.startResponse(status ? status : 200, n);
    request.write(request.queryArgument("text")!);
    request.finish();
  }

  dataReceived(request: HTTPServerRequest, source: usize, size: i32): void {
    this.sums[request.slot] += size;
    const name = this.paths[request.slot];
    if (name == "/enough") request.respond(200, "text/plain", "enough");
    else if (name != "/sum") this.note("data(" + text(source, size) + ")");
  }

  finish(request: HTTPServerRequest): void {
    const name = this.paths[request.slot];
    const n = this.numbers[request.slot];
    this.note("finish" + trailersOf(request));
    if (name == "/trailer") this.trailer = request.trailer("x-TWO")!;
    if (name == "/hello") request.respond(200, "text/plain", "hello " + n.toString());
    else if (name == "/echo") request.respondBytes(200, "text/plain", request.body.source, request.body.size);
    else if (name == "/sum") request.respond(200, "text/plain", this.sums[request.slot].toString());
    else if (name == "/big") request.respond(200, "text/plain", pattern(n));
    else if (name == "/drain") {
      request.respond(200, "text/plain", "last but one");
      server.drain(10000);
    } else if (name == "/chunks") {
      request.startResponse(200);
      for (let i = 0; i < n; i++) request.write("chunk " + i.toString() + "\n");
      request.finish();
    }
  }

  requestRefused(connection: HTTPConnection, code: Refusal): void {
    this.refused += statusOf(code).toString() + " ";
  }

  onSent(request: HTTPServerRequest): void {
    this.note("sent");
  }

  onEnd(request: HTTPServerRequest): void {
    this.note("end");
    if (this.answersEnd) request.respond(200, "text/plain", "you have ended");
  }

  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    this.note("gone(" + reason.toString() + ")");
    if (this.answeredAtClose) this.answeredAtClose!.respond(200, "text/plain", "at last");
  }
}

export const handler: TestHandler = new TestHandler();
export const server: HTTPServer = new HTTPServer(handler);

/** Listens and accepts a connection; settles. */
export function client(): Peer {
  if (!listening) server.listen();
  listening = true;
  const peer = connect();
  settle();
  return peer;
}
let listening: bool = false;

/** A request without a body. */
export function get(target: string, fields: string = ""): string {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}

export function post(target: string, body: string, fields: string = ""): string {
  const length = "Content-Length: " + body.length.toString() + "\r\n";
  return "POST " + target + " HTTP/1.1\r\nHost: x\r\n" + length + fields + "\r\n" + body;
}

export function chunked(target: string, body: string, fields: string = ""): string {
  return "POST " + target + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + fields + "\r\n" + body;
}

/** What a peer has received, without the dates; takes it. */
export function received(peer: Peer): string {
  let text = peer.take();
  for (let at = text.indexOf("Date: "); at >= 0; at = text.indexOf("Date: ")) {
    text = text.substring(0, at) + text.substring(text.indexOf("\r\n", at) + 2);
  }
  return text;
}

/** The same after more has been sent. */
export function exchange(peer: Peer, data: string): string {
  peer.send(data);
  settle();
  return received(peer);
}

/** A whole answer of status 200 and text. */
export function ok(body: string, fields: string = ""): string {
  const length = "Content-Length: " + body.length.toString() + "\r\n";
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + fields + length + "\r\n" + body;
}

export const CLOSE: string = "Connection: close\r\n";

/** The connection is still good for a request. */
export function isAlive(peer: Peer): bool {
  return exchange(peer, get("/hello?n=99")) == ok("hello 99");
}

/** That `answer` is one refusal with this status, whole, and that the connection ends in order. */
export function isRefusal(peer: Peer, answer: string, status: i32): void {
  const start = "HTTP/1.1 " + status.toString() + " ";
  assert(answer.startsWith(start), start + " expected: " + answer);
  const end = answer.indexOf("\r\n\r\n");
  assert(end == answer.lastIndexOf("\r\n\r\n"), "one answer: " + answer);
  const body = answer.substring(end + 4);
  assert(answer.includes("\r\nContent-Length: " + body.length.toString() + "\r\n"), "length: " + answer);
  assert(answer.includes("\r\nConnection: close\r\n") && body.endsWith("\n"), "fields: " + answer);
  isOver(peer);
}

/** The connection has sent its last byte; what the peer still sends is dropped until its end. */
export function isOver(peer: Peer): void {
  assert(peer.ended, "not ended");
  assert(!peer.wasReset, "reset");
  if (!peer.closed) peer.send(pattern(1000));
  settle();
  peer.end();
  settle();
  assert(peer.closed && !peer.wasReset, "not closed in order");
  assert(server.connections == 0, "connections");
  assert(bytesInUse() == 0, "memory");
}
