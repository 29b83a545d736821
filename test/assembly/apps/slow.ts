// The application of test/e2e/apps/slow.ts in AssemblyScript, for wasmtime alone. It is compiled by
// test/e2e/slow.test.ts.

import { HTTPHandler, HTTPServer, HTTPServerRequest } from "../../../assembly/index";

export { _start, turn } from "../../../assembly/index";

const PIECE_BYTES: i32 = 32768;
const BIG_BYTES: i32 = 8 << 20;
const piece: usize = memory.data(32768, 16);

class Slow extends HTTPHandler {
  private cut: i32 = 0;
  /** By slot: how much of GET /big is still to be written. */
  private left: Map<i32, i32> = new Map();

  headersReceived(request: HTTPServerRequest): void {
    if (request.pathIs("/cut")) request.respond(200, "text/plain", this.cut.toString());
    else if (request.pathIs("/big")) {
      request.startResponse(200);
      this.left.set(request.slot, BIG_BYTES);
      this.pump(request);
    } else request.collectBody();
  }

  finish(request: HTTPServerRequest): void {
    if (request.collects) request.respondBytes(200, "text/plain", request.body.source, request.body.size);
  }

  onSent(request: HTTPServerRequest): void {
    if (this.left.has(request.slot)) this.pump(request);
  }

  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    if (this.left.delete(request.slot)) this.cut++;
  }

  private pump(request: HTTPServerRequest): void {
    let left = this.left.get(request.slot);
    for (; left > 0 && request.waiting == 0; left -= PIECE_BYTES) request.writeBytes(piece, PIECE_BYTES);
    this.left.set(request.slot, left);
    if (left) return;
    this.left.delete(request.slot);
    request.finish();
  }
}

const server = new HTTPServer(new Slow());
server.parameters.headerTimeoutMs = server.parameters.bodyTimeoutMs = server.parameters.writeTimeoutMs = 2000;
server.parameters.bodyRateBytesMin = 500;
server.parameters.writeRateBytesMin = 500_000;
server.listen();
