/**
 * A stream as the two other kinds that Node knows: a pair of Web Streams and a Duplex.
 *
 * Invariant: bytes are taken from the stream only when the other side asks, so back-pressure reaches the peer. The
 * peer's end ends what is read; a broken connection is an error there. There is no closing of only our side: the end of
 * what is written closes the stream, and ends what is read.
 */
import { Duplex } from "node:stream";
import { ReadableStream, WritableStream } from "node:stream/web";
import { StreamClosedError } from "../core/errors.js";
import type { BaseIOStream } from "./baseiostream.js";

/** The two sides of a stream as Web Streams. */
export interface WebStreams {
  /** What the peer sends; ends with the peer's end. Cancelling it cuts the connection. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What is sent, text as UTF-8. Closing it closes the stream, aborting it cuts the connection. */
  readonly writable: WritableStream<Uint8Array | string>;
}

/** The next piece; null at the end. */
async function next(stream: BaseIOStream, chunkBytes: number): Promise<Buffer | null> {
  try {
    return await stream.readBytes(chunkBytes, { partial: true });
  } catch (error) {
    if (error instanceof StreamClosedError && (error.reason === "END" || error.reason === "CLOSED")) return null;
    throw error;
  }
}

/** A write whose refusal is a rejection too. It does not wait itself, since it would keep `data` meanwhile. */
async function send(stream: BaseIOStream, data: Uint8Array): Promise<void> {
  return stream.write(data);
}

export function toWeb(stream: BaseIOStream, chunkBytes: number): WebStreams {
  const readable = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await next(stream, chunkBytes);
        if (bytes === null) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: () => stream.abort(),
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Uint8Array | string>({
    write: (data) => stream.write(data),
    close: () => stream.close(),
    abort: () => stream.abort(),
  });
  return { readable, writable };
}

export function toNode(stream: BaseIOStream, chunkBytes: number): Duplex {
  return new Duplex({
    read() {
      next(stream, chunkBytes).then(
        (bytes) => this.push(bytes),
        (error: Error) => this.destroy(error),
      );
    },
    write(data: Buffer, _encoding, done) {
      send(stream, data).then(() => done(), done);
    },
    final(done) {
      stream.close();
      done();
    },
    destroy(error, done) {
      if (!stream.closed) stream.abort();
      done(error);
    },
  });
}
