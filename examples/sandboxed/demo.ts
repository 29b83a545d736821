// The demo as an AssemblyScript application: `wasmtime run -S preview2=n -S tcplisten=127.0.0.1:8889 build/demo.wasm`
// serves it with no Node at all. It answers what examples/demo.ts answers.

import {
  HTTPHandler,
  HTTPServer,
  HTTPServerRequest,
  IOLoop,
  Method,
  Timeout,
  WebSocketConnection,
  WebSocketHandler,
} from "../../assembly/index";

export { _start, turn, drain, supervised } from "../../assembly/index";

const TEXT = "text/plain";
const PIECE_BYTES: i32 = 32768;
const piece: usize = memory.data(32768, 16);
memory.fill(piece, 0x78, PIECE_BYTES); // "x"

/** A number of a query argument from 0 to `most`, -1: it is not one. */
function numberOf(text: string | null, most: i32): i32 {
  if (!text || text.length == 0 || text.length > 9) return -1;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 0x30 || text.charCodeAt(i) > 0x39) return -1;
  }
  const value = I32.parseInt(text);
  return value <= most ? value : -1;
}

/** Answers GET /slow when its time has come, unless the client has left. */
class Sleep extends Timeout {
  private serial: u32;

  constructor(
    private request: HTTPServerRequest,
    private ms: i32,
  ) {
    super();
    this.serial = request.serial;
  }

  run(): void {
    if (this.request.serial != this.serial || !this.request.inFlight) return;
    this.request.respond(200, TEXT, "slept " + this.ms.toString() + " ms");
  }
}

/** GET /ws: each message comes back as it was. */
class Echo extends WebSocketHandler {
  onMessage(socket: WebSocketConnection, source: usize, size: i32, isText: bool): void {
    socket.sendBytes(source, size, isText);
  }
}

const echo = new Echo();

class Demo extends HTTPHandler {
  /** By slot: how much of GET /big is still to be written. */
  private left: Map<i32, i32> = new Map();

  headersReceived(request: HTTPServerRequest): void {
    if (request.pathIs("/")) {
      if (this.allows(request, "GET, HEAD")) request.respond(200, TEXT, "Hello, world");
    } else if (request.pathIs("/echo")) {
      if (request.method == Method.POST) request.collectBody();
      else this.refuseMethod(request, "POST");
    } else if (request.pathIs("/slow")) {
      if (this.allows(request, "GET, HEAD")) this.slow(request);
    } else if (request.pathIs("/stream")) {
      if (this.allows(request, "GET, HEAD")) this.stream(request);
    } else if (request.pathIs("/big")) {
      if (this.allows(request, "GET, HEAD")) this.big(request);
    } else if (request.pathIs("/ws")) {
      if (request.method == Method.GET) echo.accept(request);
      else this.refuseMethod(request, "GET");
    } else request.respond(404, TEXT, "Not Found");
  }

  /** Only POST /echo is not answered when its head comes. */
  finish(request: HTTPServerRequest): void {
    if (request.collects) request.respondBytes(200, "application/octet-stream", request.body.source, request.body.size);
  }

  onSent(request: HTTPServerRequest): void {
    if (this.left.has(request.slot)) this.pump(request);
  }

  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    this.left.delete(request.slot);
  }

  private allows(request: HTTPServerRequest, methods: string): bool {
    if (request.method == Method.GET || request.method == Method.HEAD) return true;
    this.refuseMethod(request, methods);
    return false;
  }

  private refuseMethod(request: HTTPServerRequest, methods: string): void {
    request.startResponse(405, 18);
    request.setHeader("Allow", methods);
    request.setHeader("Content-Type", TEXT);
    request.write("Method Not Allowed");
    request.finish();
  }

  private slow(request: HTTPServerRequest): void {
    const ms = numberOf(request.queryArgument("ms"), 60000);
    if (ms < 0) request.respond(400, TEXT, "Bad Request");
    else IOLoop.current().callLater(ms, new Sleep(request, ms));
  }

  private stream(request: HTTPServerRequest): void {
    const chunks = numberOf(request.queryArgument("chunks"), 1000);
    if (chunks < 0) return request.respond(400, TEXT, "Bad Request");
    request.startResponse(200);
    request.setHeader("Content-Type", TEXT);
    for (let i = 0; i < chunks; i++) request.write("chunk " + i.toString() + "\n");
    request.finish();
  }

  private big(request: HTTPServerRequest): void {
    const bytes = numberOf(request.queryArgument("bytes"), 16777216);
    if (bytes < 0) return request.respond(400, TEXT, "Bad Request");
    request.startResponse(200, bytes);
    request.setHeader("Content-Type", TEXT);
    this.left.set(request.slot, bytes);
    this.pump(request);
  }

  /** Writes while the client takes it; onSent goes on. */
  private pump(request: HTTPServerRequest): void {
    let left = this.left.get(request.slot);
    while (left > 0 && request.waiting == 0) {
      const size = min(left, PIECE_BYTES);
      if (!request.writeBytes(piece, size)) break;
      left -= size;
    }
    if (left > 0 && request.inFlight) {
      this.left.set(request.slot, left);
      return;
    }
    this.left.delete(request.slot);
    request.finish();
  }
}

const server = new HTTPServer(new Demo());
server.listen();
