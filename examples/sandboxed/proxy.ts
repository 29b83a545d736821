// A reverse proxy in AssemblyScript, for components: it forwards requests to one other server, the upstream.
// `wasmtime run -S inherit-network=y --env UPSTREAM=127.0.0.1:9000 build/proxy.component-async.wasm --port 8889`
//
// Bodies stream both ways, no faster than their receiver takes them. What goes out is framed here, whatever came in:
// fields of one hop end here, but for the upgrade to a websocket, which becomes a tunnel. Connections to the upstream
// are kept and used again. A request is sent a second time only when it has no body, may be repeated, and a kept
// connection was closed before any of an answer came. Where there is no answer: 502, 504 when it is not there in time,
// 503 when there was no connection for the request.
// Reference: RFC 9110 7.6, 7.8, 9.2.2, 10.1.1 and 15.2, RFC 9112 9.3.1, RFC 7239.

import {
  Buffer,
  ClientConnectionOwner,
  ConnectHandler,
  HTTP1ClientConnection,
  HTTP1Connection,
  HTTPConnection,
  HTTPHandler,
  HTTPServer,
  HTTPServerRequest,
  IOLoop,
  IOStream,
  Method,
  OutgoingHead,
  REASON_TIMEOUT,
  ResponseHandler,
  TCPClient,
  Timeout,
  connectReasonText,
  environment,
  handshakeKey,
  isHopByHop,
  offersWebSocket,
  openTunnel,
} from "../../assembly/index";

export { _start, turn, drain, supervised } from "../../assembly/index";

/** Connections to the upstream that are kept although no request needs them. */
const UPSTREAM_IDLE_MAX: i32 = 64;
/** A client that waits for 100 Continue, as the upstream does for its body, gets it after so long in any case. */
const CONTINUE_MS: i64 = 1000;
/** How much of a request's body is taken before the upstream has taken what came before. */
const BODY_WINDOW_BYTES: i64 = 65536;
/** A longer reason phrase is left out. */
const REASON_BYTES_MAX: i32 = 512;

const forwarded = ascii("Forwarded");
const forwardedFor = ascii("X-Forwarded-For");
const forwardedProto = ascii("X-Forwarded-Proto");
const via = ascii("Via");
const host = ascii("Host");
const http = ascii("http");
const viaHere = ascii("1.1 waterspout");
const upgrade = ascii("Upgrade");
const websocket = ascii("websocket");

function ascii(text: string): ArrayBuffer {
  return String.UTF8.encode(text);
}

/** A request has waited long enough, for a connection or for 100 Continue. */
class Patience extends Timeout {
  constructor(private exchange: Exchange) {
    super();
  }
  run(): void {
    this.exchange.waitedEnough();
  }
}

/** One request and its answer, on their way. There is one object for each connection of a client. */
class Exchange implements ResponseHandler {
  private request: HTTPServerRequest | null = null;
  private upstream: HTTP1ClientConnection | null = null;
  readonly head: OutgoingHead = new OutgoingHead();
  private early: Buffer = new Buffer(); // of the body, before there is a connection
  private owed: i64 = 0; // bytes that the client may not replace yet
  private isComplete: bool = false; // the request
  private hasBegun: bool = false; // the answer
  private mayRepeat: bool = false;
  private awaitsContinue: bool = false; // the client sends its body when it has got 100 Continue
  private patience: Patience | null = null;

  constructor(private pool: Pool) {}

  // --- from the client ---

  begin(request: HTTPServerRequest): void {
    this.pool.find();
    this.request = request;
    this.isComplete = this.hasBegun = false;
    this.owed = 0;
    const hasBody = request.contentLength != 0;
    this.awaitsContinue = request.expectsContinue;
    if (hasBody) request.credit = this.awaitsContinue ? 0 : BODY_WINDOW_BYTES;
    this.mayRepeat = !hasBody && isIdempotent(request.method);
    if (!this.writeHead(request)) return this.fail(503, "no memory for the request");
    this.pool.take(this);
  }

  private writeHead(request: HTTPServerRequest): bool {
    const head = this.head;
    const targetEnd = request.target + usize(request.targetSize); // path and query, of an absolute target as well
    head.begin(request.methodText, request.methodSize, request.path, i32(targetEnd - request.path));
    if (request.hostSize) this.add(host, request.host, request.hostSize);
    else this.add(host, changetype<usize>(this.pool.authority), this.pool.authority.byteLength);
    for (let i = 0; i < request.fieldCount; i++) {
      if (isHopByHop(request.head, request.source, i)) continue;
      if (request.nameIs(i, "host") || request.nameIs(i, "x-forwarded-proto")) continue; // added here
      if (request.nameIs(i, "expect") && !this.awaitsContinue) continue; // the body is on its way
      head.addField(request.name(i), request.nameSize(i), request.value(i), request.valueSize(i));
    }
    const address = request.address;
    if (address) {
      const name = address.host;
      this.addBytes(forwardedFor, ascii(name));
      this.addBytes(forwarded, ascii("for=" + (name.includes(":") ? '"[' + name + ']"' : name) + ";proto=http"));
    }
    this.addBytes(forwardedProto, http);
    this.addBytes(via, viaHere);
    if (handshakeKey(request.head, request.source)) this.addBytes(upgrade, websocket);
    const method = request.method;
    const says = method == Method.POST || method == Method.PUT || method == Method.PATCH;
    return head.end(request.contentLength, says);
  }

  private add(name: ArrayBuffer, value: usize, size: i32): void {
    this.head.addField(changetype<usize>(name), name.byteLength, value, size);
  }

  private addBytes(name: ArrayBuffer, value: ArrayBuffer): void {
    this.add(name, changetype<usize>(value), value.byteLength);
  }

  data(source: usize, size: i32): void {
    const upstream = this.upstream;
    if (!upstream) {
      if (!this.request) return; // it was answered meanwhile
      this.owed += size;
      if (!this.early.append(source, size)) this.fail(503, "no memory for the request");
      return;
    }
    this.owed += size;
    upstream.writeBody(source, size);
    this.requestSent(upstream);
  }

  complete(): void {
    this.isComplete = true;
    if (this.upstream) this.upstream!.finishRequest();
  }

  /** The client takes more of the answer. */
  resume(): void {
    if (this.upstream) this.upstream!.resume();
  }

  /** The client has left. */
  leave(): void {
    const upstream = this.upstream;
    if (upstream) upstream.abort();
    else this.pool.forget(this);
    this.end();
  }

  // --- from the pool ---

  connected(upstream: HTTP1ClientConnection): void {
    this.upstream = upstream;
    if (this.awaitsContinue) this.waitAtMost(CONTINUE_MS);
    else if (this.patience) IOLoop.current().removeTimeout(this.patience!);
    upstream.startRequest(this.head, this);
    if (this.early.size) upstream.writeBody(this.early.source, this.early.size);
    this.early.clear();
    if (this.isComplete) upstream.finishRequest();
    this.requestSent(upstream);
  }

  /** For the pool: there is no connection yet. */
  waitAtMost(timeoutMs: i64): void {
    if (!this.patience) this.patience = new Patience(this);
    IOLoop.current().callLater(timeoutMs, this.patience!);
  }

  waitedEnough(): void {
    if (this.upstream) return this.letBodyCome();
    this.pool.forget(this);
    if (this.pool.isFull) this.fail(503, "no connection to the upstream is free");
    else this.fail(504, "no upstream: timed out");
  }

  /** The client gets 100 Continue. */
  private letBodyCome(): void {
    if (!this.awaitsContinue) return;
    this.awaitsContinue = false;
    this.request!.connection.takeBody(BODY_WINDOW_BYTES);
  }

  fail(status: i32, why: string): void {
    const request = this.request;
    this.end();
    if (request) request.respond(status, "text/plain", why + "\n");
  }

  // --- from the upstream ---

  informationReceived(upstream: HTTP1ClientConnection): void {
    const request = this.request!;
    const status = upstream.status;
    if (status == 100) return this.letBodyCome();
    if (status == 101) return this.switchProtocols(upstream);
    if (!request.minor || request.waiting) return; // such a client knows no 1xx, or does not read
    const out = request.connection as HTTP1Connection;
    this.passHead(upstream, out, -1);
    out.endInformation();
  }

  /** The upstream speaks WebSocket from now on, if it is that what the client has asked for. */
  private switchProtocols(upstream: HTTP1ClientConnection): void {
    if (!offersWebSocket(upstream.head, upstream.source)) return; // refused
    const out = this.request!.connection as HTTP1Connection;
    this.passHead(upstream, out, -1);
    out.addField(changetype<usize>(upgrade), upgrade.byteLength, changetype<usize>(websocket), websocket.byteLength);
    out.endInformation();
    this.end();
    if (!openTunnel(out, upstream, this.pool.tunnelTimeoutMs)) upstream.abort();
  }

  headersReceived(upstream: HTTP1ClientConnection): void {
    this.hasBegun = true;
    this.awaitsContinue = false;
    this.passHead(upstream, this.request!.connection, upstream.contentLength);
  }

  private passHead(upstream: HTTP1ClientConnection, out: HTTPConnection, contentLength: i64): void {
    const reasonSize = upstream.reasonSize <= REASON_BYTES_MAX ? upstream.reasonSize : 0;
    out.startResponse(upstream.status, upstream.reason, reasonSize, contentLength);
    for (let i = 0; i < upstream.fieldCount; i++) {
      if (isHopByHop(upstream.head, upstream.source, i)) continue;
      out.addField(upstream.name(i), upstream.nameSize(i), upstream.value(i), upstream.valueSize(i));
    }
  }

  dataReceived(upstream: HTTP1ClientConnection, source: usize, size: i32): i32 {
    const request = this.request!;
    if (request.waiting) return 0; // resume() follows
    request.writeBytes(source, size);
    return size;
  }

  responseComplete(upstream: HTTP1ClientConnection): void {
    const request = this.request!;
    this.end();
    request.finish();
  }

  requestSent(upstream: HTTP1ClientConnection): void {
    if (!this.owed || upstream.waiting || !this.request) return;
    const bytes = this.owed;
    this.owed = 0;
    this.request!.connection.takeBody(bytes);
  }

  connectionLost(upstream: HTTP1ClientConnection, reason: i32): void {
    this.upstream = null;
    if (this.hasBegun) {
      const request = this.request!;
      this.end();
      request.connection.abort(reason);
    } else if (this.mayRepeat && upstream.answers && !upstream.answered && reason != REASON_TIMEOUT) {
      this.pool.take(this);
    } else if (reason == REASON_TIMEOUT) this.fail(504, "the upstream does not answer in time");
    else this.fail(502, "the upstream has given no answer");
  }

  private end(): void {
    if (this.patience) IOLoop.current().removeTimeout(this.patience!);
    this.request = null;
    this.upstream = null;
    this.head.clear();
    this.early.clear();
  }
}

function setting(name: string, otherwise: i32): i32 {
  const text = environment(name);
  return text ? I32.parseInt(text) : otherwise;
}

/** RFC 9110 9.2.2. */
function isIdempotent(method: i32): bool {
  return (
    method == Method.GET ||
    method == Method.HEAD ||
    method == Method.OPTIONS ||
    method == Method.PUT ||
    method == Method.DELETE
  );
}

/** The connections to the upstream, and the requests that wait for one. */
class Pool extends ConnectHandler implements ClientConnectionOwner {
  authority: ArrayBuffer = ascii("");
  tunnelTimeoutMs: i32 = 0; // without a byte, either way
  private name: string = "";
  private port: i32 = 0;
  private client: TCPClient = new TCPClient();
  private timeoutMs: i32 = 0; // for a connection, and for an answer
  private connectionsMax: i32 = 0; // tunnels are not among them
  private waitingMax: i32 = 0; // requests
  private open: i32 = 0;
  private connecting: i32 = 0;
  private idle: Array<HTTP1ClientConnection> = [];
  private spare: Array<HTTP1ClientConnection> = []; // objects without a stream
  private waiting: Array<Exchange> = [];

  /** What the environment says: where the upstream is, and how long it may take. */
  find(): void {
    if (this.port) return;
    const upstream = environment("UPSTREAM");
    const text = upstream ? upstream : "127.0.0.1:9000";
    const colon = text.lastIndexOf(":");
    this.name = text.substring(0, colon).replaceAll("[", "").replaceAll("]", "");
    this.port = I32.parseInt(text.substring(colon + 1));
    this.authority = ascii(text);
    this.timeoutMs = this.client.timeoutMs = setting("UPSTREAM_TIMEOUT_MS", 60000);
    this.connectionsMax = setting("UPSTREAM_CONNECTIONS_MAX", 256);
    this.waitingMax = setting("UPSTREAM_WAITING_MAX", 1024);
    this.tunnelTimeoutMs = setting("TUNNEL_TIMEOUT_MS", 3600000);
  }

  /** A connection for this request, at once or when there is one. */
  take(exchange: Exchange): void {
    while (this.idle.length) {
      const connection = this.idle.pop();
      if (connection.isIdle) return exchange.connected(connection); // else it is about to be closed
    }
    if (this.waiting.length >= this.waitingMax) return exchange.fail(503, "too many requests wait for the upstream");
    exchange.waitAtMost(this.timeoutMs);
    this.waiting.push(exchange);
    this.connect();
  }

  /** No further connection is opened. */
  get isFull(): bool {
    return this.open >= this.connectionsMax;
  }

  /** The request no longer needs one. */
  forget(exchange: Exchange): void {
    const at = this.waiting.indexOf(exchange);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  private connect(): void {
    if (this.connecting >= this.waiting.length || this.open + this.connecting >= this.connectionsMax) return;
    this.connecting++;
    this.client.connect(this.name, this.port, this);
  }

  onConnect(stream: IOStream): void {
    this.connecting--;
    this.open++;
    const connection = this.spare.length ? this.spare.pop() : new HTTP1ClientConnection(this);
    connection.responseTimeoutMs = this.timeoutMs;
    connection.start(stream);
    this.connectionIdle(connection);
  }

  onConnectFailed(reason: i32): void {
    this.connecting--;
    const status = reason == REASON_TIMEOUT ? 504 : 502;
    if (this.waiting.length) this.waiting.shift().fail(status, "no upstream: " + connectReasonText(reason));
    this.connect();
  }

  connectionIdle(connection: HTTP1ClientConnection): void {
    if (this.waiting.length) this.waiting.shift().connected(connection);
    else if (this.idle.length < UPSTREAM_IDLE_MAX) this.idle.push(connection);
    else connection.close();
  }

  connectionClosed(connection: HTTP1ClientConnection): void {
    this.open--;
    const at = this.idle.indexOf(connection);
    if (at >= 0) this.idle.splice(at, 1);
    this.spare.push(connection);
    this.connect();
  }
}

class Proxy extends HTTPHandler {
  private pool: Pool = new Pool();
  private exchanges: Array<Exchange> = []; // by slot

  headersReceived(request: HTTPServerRequest): void {
    while (this.exchanges.length <= request.slot) this.exchanges.push(new Exchange(this.pool));
    this.exchanges[request.slot].begin(request);
  }

  dataReceived(request: HTTPServerRequest, source: usize, size: i32): void {
    this.exchanges[request.slot].data(source, size);
  }

  finish(request: HTTPServerRequest): void {
    this.exchanges[request.slot].complete();
  }

  onSent(request: HTTPServerRequest): void {
    this.exchanges[request.slot].resume();
  }

  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    this.exchanges[request.slot].leave();
  }
}

const server = new HTTPServer(new Proxy());
server.parameters.bodyBytesMax = i64.MAX_VALUE;
server.listen();
