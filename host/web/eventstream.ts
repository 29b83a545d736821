/**
 * Server-sent events: a body that goes on for as long as its client listens.
 *
 * Invariants: an event leaves whole and in its order; for a client that does not read at most `bufferBytesMax` bytes
 * wait, beyond that its stream ends and what waits is dropped; nothing is sent, and no timer runs, once the client has
 * left.
 * Reference: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream.
 */
import { UINT31_MAX, wholeNumber } from "../core/check.js";
import { OptionError, StreamClosedError } from "../core/errors.js";
import { EVENT_STREAM_BYTES_MAX, EVENT_STREAM_HEARTBEAT_MS } from "../core/limits.js";
import { ignore } from "../core/promises.js";
import type { RequestHandler } from "./requesthandler.js";

/** One event. */
export interface ServerSentEvent {
  /** What the page gets as `event.data`: text as it is, anything else as JSON. Without it no event is seen. */
  data?: unknown;
  /** The name that the page listens to. Default: `message`. */
  event?: string;
  /** The id that the client sends as `Last-Event-ID` when it comes again. */
  id?: string;
  /** Milliseconds that the client waits before it comes again. */
  retry?: number;
}

/** What `new EventStream` takes. */
export interface EventStreamOptions {
  /** Milliseconds between comments that keep the connection open when nothing happens. Default 15,000; 0: none. */
  heartbeatMs?: number;
  /** Bytes of events that may wait for a client that does not read. Default 1 MiB. */
  bufferBytesMax?: number;
}

/** An event, encoded, and the promise of the call that waits until it has left. */
interface Piece {
  readonly bytes: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const FIELDS = { "Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no" };
const COMMENT = Buffer.from(":\n\n");
/** What would end a field's line, or be dropped by the client. */
const NOT_A_LINE = /[\r\n\0]/;

/** The events of one client: `send` them, and give `response` as the answer, or call `serve` in a RequestHandler. */
export class EventStream {
  readonly #leaving = new AbortController();
  readonly #bufferBytesMax: number;
  readonly #heartbeatMs: number;
  readonly #body: ReadableStream<Uint8Array>;
  #heartbeat: NodeJS.Timeout | null = null;
  #pieces: Piece[] = [];
  #waiting = 0;
  /** What has been handed over, until more is asked for. */
  #leavingPiece: Piece | null = null;
  /** More is asked for, and there is nothing. */
  #wanted: (() => void) | null = null;

  /** Throws OptionError for numbers out of range. */
  constructor({ heartbeatMs, bufferBytesMax }: EventStreamOptions = {}) {
    this.#heartbeatMs = wholeNumber("heartbeatMs", heartbeatMs ?? EVENT_STREAM_HEARTBEAT_MS, 0, UINT31_MAX);
    this.#bufferBytesMax = wholeNumber("bufferBytesMax", bufferBytesMax ?? EVENT_STREAM_BYTES_MAX, 1, UINT31_MAX);
    this.#body = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.close() },
      { highWaterMark: 0 },
    );
  }

  /** Aborted when the stream has ended: the client has left, does not read, or `close` was called. */
  get signal(): AbortSignal {
    return this.#leaving.signal;
  }

  /**
   * Sends an event. Resolves when the client's connection has taken it; rejects with StreamClosedError when the stream
   * has ended, which may be ignored. Throws OptionError for an `event` or `id` of several lines and for a `retry` that
   * is no whole number.
   */
  send(event: ServerSentEvent): Promise<void> {
    return ignore(this.#push(Buffer.from(textOf(event))));
  }

  /** Ends the stream; its client comes again unless the page closes its `EventSource`. */
  close(): void {
    if (this.signal.aborted) return;
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    const error = new StreamClosedError("CLOSED");
    for (const piece of this.#pieces.splice(0)) piece.reject(error);
    this.#leavingPiece?.reject(error);
    this.#waiting = 0;
    this.#leaving.abort(error);
    this.#wanted?.();
  }

  /** The answer of a function, and of `fetch`. */
  get response(): Response {
    return new Response(this.#body, { headers: FIELDS });
  }

  /** Answers the request of a RequestHandler: return it from `get`. Resolves when the stream has ended. */
  async serve(handler: Pick<RequestHandler, "request" | "setHeader" | "write" | "flush">): Promise<void> {
    for (const [name, value] of Object.entries(FIELDS)) handler.setHeader(name, value);
    const { method, signal } = handler.request;
    if (method === "HEAD") return this.close();
    const leave = () => this.close();
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    try {
      await handler.flush();
      for await (const bytes of this.#body) {
        handler.write(bytes);
        await handler.flush();
      }
    } finally {
      this.close();
    }
  }

  #push(bytes: Buffer): Promise<void> {
    if (this.signal.aborted) return Promise.reject(this.signal.reason);
    if (this.#waiting > 0 && this.#waiting + bytes.length > this.#bufferBytesMax) {
      this.close();
      return Promise.reject(this.signal.reason);
    }
    return new Promise((resolve, reject) => {
      this.#waiting += bytes.length;
      this.#pieces.push({ bytes, resolve, reject });
      this.#wanted?.();
    });
  }

  /** The piece before has left. */
  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#beat();
    this.#waiting -= this.#leavingPiece?.bytes.length ?? 0;
    this.#leavingPiece?.resolve();
    this.#leavingPiece = null;
    if (this.#pieces.length === 0 && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
      this.#wanted = null;
    }
    const piece = this.#pieces.shift();
    if (piece === undefined) return controller.close();
    this.#leavingPiece = piece;
    controller.enqueue(piece.bytes);
  }

  /** From the first time on that the client is ready. */
  #beat(): void {
    if (this.#heartbeat !== null || this.#heartbeatMs === 0 || this.signal.aborted) return;
    this.#heartbeat = setInterval(() => {
      if (this.#waiting === 0) void ignore(this.#push(COMMENT));
    }, this.#heartbeatMs).unref();
  }
}

function textOf({ data, event, id, retry }: ServerSentEvent): string {
  let text = "";
  if (event !== undefined) text += `event: ${line("event", event)}\n`;
  if (id !== undefined) text += `id: ${line("id", id)}\n`;
  if (retry !== undefined) text += `retry: ${wholeNumber("retry", retry, 0, Number.MAX_SAFE_INTEGER)}\n`;
  if (data === undefined) return `${text}\n`;
  const body = typeof data === "string" ? data : JSON.stringify(data);
  return `${text}${body
    .split(/\r\n|\r|\n/)
    .map((each) => `data: ${each}\n`)
    .join("")}\n`;
}

function line(name: string, text: string): string {
  if (NOT_A_LINE.test(text)) throw new OptionError(`the ${name} of an event is one line, not ${JSON.stringify(text)}`);
  return text;
}
