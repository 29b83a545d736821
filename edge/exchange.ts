/**
 * One request and its answer. What is not asked for is not made: most requests cost an object or two.
 *
 * Invariants: only a request that something may still happen to is in `exchanges`. Nothing is said of a request that is
 * over.
 */
import { ReadableStream } from "web-streams-polyfill";
import { AbortController, type AbortSignal } from "./events.js";
import { firstValueOf, Headers } from "./headers.js";
import { IncomingBody } from "./incoming.js";
import { inspect } from "./inspect.js";
import { Request, type RequestParts, type Response } from "./messages.js";
import { OutgoingBody } from "./outgoing.js";
import { type Content, log, NOTHING, push } from "./queue.js";
import { AddressError, addressOf } from "./url.js";

/** Those that the core may still call about. */
export const exchanges = new Map<number, Exchange>();

export class Exchange implements RequestParts {
  #url: string | null = null;
  #headers: Headers | null = null;
  #abort: AbortController | null = null;
  #gone: DOMException | null = null;
  #incoming: IncomingBody | null = null;
  #outgoing: OutgoingBody | null = null;
  #answered = false;

  constructor(
    readonly id: number,
    readonly method: string,
    readonly target: string,
    readonly fields: string,
    readonly peer: string,
    readonly body: Uint8Array | null,
    readonly complete: boolean,
  ) {}

  get request(): Request {
    return new Request("", undefined, this, this.complete ? this.body : this.incoming);
  }

  get url(): string {
    this.#url ??= addressOf(this.target, firstValueOf(this.fields, "host") ?? "");
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= Headers.of(this.fields, true);
    return this.#headers;
  }

  get ip(): string | undefined {
    return this.peer === "" ? undefined : this.peer;
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#gone !== null) this.#abort.abort(this.#gone);
      else if (!this.#answered) this.watch();
    }
    return this.#abort.signal;
  }

  /** The core's calls about it come here from now on, until it is over. */
  watch(): void {
    exchanges.set(this.id, this);
  }

  get incoming(): IncomingBody {
    if (this.#incoming === null) {
      this.#incoming = new IncomingBody(this.id);
      this.watch();
    }
    return this.#incoming;
  }

  respond(response: Response): void {
    const content = response.take();
    const { status, headers } = response;
    const { fields } = headers;
    if (!(content instanceof ReadableStream)) {
      const length = content === null && this.method === "HEAD" ? lengthOf(headers) : null;
      return this.answer(status, fields, content as string | Uint8Array | null, length);
    }
    const { id } = this;
    const last = this.method === "HEAD";
    const outgoing = new OutgoingBody(id, content);
    this.#answered = true;
    push({ tag: "answer", val: { id, status, fields, length: lengthOf(headers), content: NOTHING, last } });
    if (last) {
      outgoing.cancel();
      this.#over();
    } else {
      this.#outgoing = outgoing;
      this.watch();
      void outgoing.send().then(() => this.#over());
    }
  }

  /** The whole answer. `length`: of a body that is not here. */
  answer(status: number, fields: string, body: string | Uint8Array | null, length: number | null = null): void {
    const content: Content =
      typeof body === "string"
        ? { tag: "text", val: body.toWellFormed() }
        : body === null
          ? NOTHING
          : { tag: "bytes", val: body };
    this.#answered = true;
    push({ tag: "answer", val: { id: this.id, status, fields, length, content, last: true } });
    this.#over();
  }

  receive(data: Uint8Array, last: boolean): void {
    this.#incoming?.receive(data, last);
  }

  sent(): void {
    this.#outgoing?.sent();
  }

  /** The handler has failed: 500, or the connection is cut when the answer has begun. */
  fail(error: unknown): void {
    log(`the handler of ${this.method} ${this.target} failed: ${inspect(error)}`);
    if (this.#answered) return;
    if (error instanceof AddressError) this.answer(400, "\ncontent-type:text/plain", "Bad Request");
    else this.answer(500, "\ncontent-type:text/plain", "Internal Server Error");
  }

  /** The client has left, or has ended its side, which looks the same. */
  closed(): void {
    if (this.#gone !== null) return;
    const gone = new DOMException("the client has left", "AbortError");
    this.#gone = gone;
    this.#abort?.abort(gone);
    this.#incoming?.closed(gone);
    if (this.#outgoing === null) return;
    this.#outgoing.cancel(gone);
    push({ tag: "abort", val: this.id });
    this.#over();
  }

  #over(): void {
    exchanges.delete(this.id);
  }
}

function lengthOf(headers: Headers): number | null {
  const text = headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
