// Large bodies, as an AssemblyScript application: GET /download/1m and /download/1g write so many bytes of "x" as fast
// as they leave, POST /upload counts what comes and answers with the number, GET / is a hello. GET /pieces writes a few
// small pieces, each in a turn of its own. bench/peers/transfers.ts answers the same.

import { Callback, HTTPHandler, HTTPServer, HTTPServerRequest, IOLoop } from "../../assembly/index";

export { _start, turn } from "../../assembly/index";

const TEXT = "text/plain";
const PIECE_BYTES: i32 = 65536;
const UNSENT_MAX: i32 = 4 * PIECE_BYTES;
const piece: usize = memory.data(65536, 16);
memory.fill(piece, 0x78, PIECE_BYTES); // "x"

/** GET /pieces. */
class Pieces extends Callback {
  private left: i32 = 8;
  private serial: u32;

  constructor(private request: HTTPServerRequest) {
    super();
    this.serial = request.serial;
  }

  run(): void {
    const request = this.request;
    if (request.serial != this.serial || !request.inFlight) return;
    if (!this.left--) return request.finish();
    request.writeBytes(piece, 64);
    IOLoop.current().addCallback(this);
  }
}

class Transfers extends HTTPHandler {
  /** By slot: what of a download is still to be written, or what of an upload has come. */
  private left: Map<i32, i64> = new Map();
  private come: Map<i32, i64> = new Map();

  headersReceived(request: HTTPServerRequest): void {
    if (request.pathIs("/")) request.respond(200, TEXT, "Hello, world");
    else if (request.pathIs("/download/1m")) this.download(request, 1 << 20);
    else if (request.pathIs("/download/1g")) this.download(request, 1 << 30);
    else if (request.pathIs("/pieces")) this.pieces(request);
    else if (request.pathIs("/upload")) this.come.set(request.slot, 0);
    else request.respond(404, TEXT, "Not Found");
  }

  dataReceived(request: HTTPServerRequest, source: usize, size: i32): void {
    if (this.come.has(request.slot)) this.come.set(request.slot, this.come.get(request.slot) + size);
  }

  finish(request: HTTPServerRequest): void {
    if (!this.come.has(request.slot)) return;
    request.respond(200, TEXT, this.come.get(request.slot).toString());
    this.come.delete(request.slot);
  }

  onSent(request: HTTPServerRequest): void {
    if (this.left.has(request.slot)) this.pump(request);
  }

  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    this.left.delete(request.slot);
    this.come.delete(request.slot);
  }

  private pieces(request: HTTPServerRequest): void {
    request.startResponse(200);
    request.setHeader("Content-Type", TEXT);
    new Pieces(request).run();
  }

  private download(request: HTTPServerRequest, bytes: i64): void {
    request.startResponse(200, bytes);
    request.setHeader("Content-Type", TEXT);
    this.left.set(request.slot, bytes);
    this.pump(request);
  }

  private pump(request: HTTPServerRequest): void {
    let left = this.left.get(request.slot);
    while (left > 0 && request.unsent < UNSENT_MAX) {
      const size = i32(min<i64>(left, PIECE_BYTES));
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

const server = new HTTPServer(new Transfers());
server.parameters.bodyBytesMax = i64.MAX_VALUE;
server.listen();
