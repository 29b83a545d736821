// HTTP1Answering: what handlers do with the answer to the request in flight on one HTTP/1 connection. HTTP1Writer
// frames it; reading, and what follows an answer, is HTTP1Connection's.
//
// Invariant: an answer that cannot be framed as it was announced cuts the connection. Reference: RFC 9112 6.

import { REASON_BAD_RESPONSE } from "../core/errors";
import { Connection } from "../stream/connection";
import { IOStream } from "../stream/iostream";
import { HTTPConnection, HTTPServerRequest } from "./request";
import { BROKEN, HTTP1Writer, SENT } from "./writer";

/** The side of a connection that writes. */
export abstract class HTTP1Answering extends HTTPConnection {
  /** The connection's bytes. */
  stream!: IOStream;
  /** The request in flight; the same object for all of them. */
  request!: HTTPServerRequest;

  /** @internal Frames the answer. */ protected writer!: HTTP1Writer;

  /** The answer is complete. */
  protected abstract answered(): void;

  get socket(): Connection {
    return this.stream.connection;
  }

  /** A request has come and its answer is not complete. */
  get inFlight(): bool {
    return this.writer.inFlight;
  }

  /** The answer has begun and is not complete. */
  get begun(): bool {
    return this.writer.begun;
  }

  get unsent(): i32 {
    return this.stream.unsent;
  }

  get waiting(): i32 {
    return this.stream.waiting;
  }

  startResponse(status: i32, reason: usize, reasonSize: i32, contentLength: i64): void {
    this.settle(this.writer.begin(status, reason, reasonSize, contentLength));
  }

  addField(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
    return this.writer.addField(name, nameSize, value, valueSize);
  }

  /** The head that has begun has a Keep-Alive of the handler's. */
  keepByHandler(): void {
    this.writer.keptByHandler = true;
  }

  /** Ends a chunked body: addField gives trailer fields from then on. False: there can be none. */
  beginTrailers(): bool {
    return this.writer.beginTrailers();
  }

  /** Ends an informational answer, 1xx, whose head was written as any other: the final one is still to come. */
  endInformation(): void {
    this.writer.endInformation();
  }

  writeBody(source: usize, size: i32): bool {
    return this.settle(this.writer.write(source, size));
  }

  finishResponse(): void {
    if (this.settle(this.writer.finish())) this.answered();
  }

  /** Whether it was sent; what cannot be framed cuts the connection. */
  private settle(result: i32): bool {
    if (result == BROKEN) this.abort(REASON_BAD_RESPONSE);
    return result == SENT;
  }

  closeAfterAnswer(): void {
    this.writer.keepAlive = false;
  }
}
