/**
 * One request and its answer. What is not asked for is not made: most requests cost an object or two.
 *
 * Invariants: only a request that something may still happen to is in `exchanges`. Nothing is said of a request that is
 * over.
 */
import { ReadableStream } from "web-streams-polyfill";
import { HTTPInputError, HTTPOutputError } from "../host/core/errors.js";
import { PHRASES } from "../host/http/phrases.js";
import type { Bytes } from "./body.js";
import { AbortController, type AbortSignal } from "./events.js";
import { firstValueOf, Headers } from "./headers.js";
import { IncomingBody } from "./incoming.js";
import { inspect } from "./inspect.js";
import { currentUpgrading, isOffered, type Upgrade } from "./link.js";
import { Request, type RequestParts, type Response } from "./messages.js";
import { OutgoingBody } from "./outgoing.js";
import { contentOf, NOTHING, push } from "./queue.js";
import { report } from "./report.js";
import { AddressError, addressOf } from "./url.js";

/** Those that the core may still call about. */
export const exchanges = new Map<number, Exchange>();

export class Exchange implements RequestParts {
  #url: string | null = null;
  #headers: Headers | null = null;
  #abort: AbortController | null = null;
  #gone: unknown = null;
  #closed = false;
  #incoming: IncomingBody | null = null;
  #outgoing: OutgoingBody | null = null;
  #answered = false;
  /** It is an opening handshake, which may be accepted. */
  readonly isWebSocket: boolean;
  /** Makes the reason of `signal`, and the error of a body that is read, when the client has left. */
  errorOfLeaving = errorOfLeaving;

  constructor(
    readonly id: number,
    readonly method: string,
    readonly target: string,
    readonly fields: string,
    readonly peer: string,
    readonly body: Uint8Array | null,
    readonly complete: boolean,
  ) {
    this.isWebSocket = isOffered(id);
    if (complete) return;
    this.#incoming = new IncomingBody(id);
    this.watch();
  }

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

  /** The error of the client's leaving, also when it has only ended its side; null: it has not. */
  get gone(): unknown {
    return this.#gone;
  }

  /** The core's calls about it come here from now on, until it is over. */
  watch(): void {
    exchanges.set(this.id, this);
  }

  /** The body when it has not come with the head; null: it has. */
  get incoming(): IncomingBody | null {
    return this.#incoming;
  }

  get answered(): boolean {
    return this.#answered;
  }

  respond(response: Response, fields: string = response.headers.fields): void {
    const { status, headers } = response;
    if (response.url !== "") void response.body; // that of another server comes as a stream
    const content = response.take();
    const isStream = content instanceof ReadableStream;
    const length = isStream || (content === null && this.isHead) ? lengthOf(headers) : null;
    if (!isStream) return this.answer(status, fields, content as Bytes | null, length);
    if (this.isHead) {
      void content.cancel().catch(() => {});
      return this.answer(status, fields, null, length);
    }
    void this.begin(status, fields, length)
      .send(content)
      .then(() => this.over());
  }

  get isHead(): boolean {
    return this.method === "HEAD";
  }

  /** There is one answer, whatever the handler does. */
  #begin(): void {
    if (this.#answered) throw new HTTPOutputError("the request has been answered");
    this.#answered = true;
  }

  /** The whole answer. `length`: of a body that is not here. */
  answer(status: number, fields: string, body: Bytes | null, length: number | null = null): void {
    this.#begin();
    push({ tag: "answer", val: { id: this.id, status, fields, length, content: contentOf(body), last: true } });
    this.over();
  }

  /** The beginning of an answer. Its body is over when `over` is called. */
  begin(status: number, fields: string, length: number | null): OutgoingBody {
    this.#begin();
    push({ tag: "answer", val: { id: this.id, status, fields, length, content: NOTHING, last: false } });
    this.#outgoing = new OutgoingBody(this.id);
    if (this.#closed) this.#cut(this.#outgoing);
    else this.watch();
    return this.#outgoing;
  }

  /** It goes on as what `make` makes, in place of an answer. False: the client has left. */
  upgrade(make: Upgrade): boolean {
    const upgrading = currentUpgrading();
    if (this.#gone !== null || upgrading === null) return false;
    this.#begin();
    this.over();
    upgrading(this.id, this.peer, make);
    return true;
  }

  receive(data: Uint8Array, last: boolean): void {
    this.#incoming?.receive(data, last);
  }

  sent(): void {
    this.#outgoing?.sent();
  }

  /** The handler has failed: 500, or the connection is cut when the answer has begun and is not complete. */
  fail(error: unknown): void {
    report(`the handler of ${this.method} ${this.target} failed: ${inspect(error)}`);
    if (this.#answered) return this.abort();
    const status = error instanceof AddressError ? 400 : error instanceof HTTPInputError ? error.status : 500;
    this.answer(status, "\ncontent-type:text/plain", PHRASES.get(status) ?? "Bad Request");
  }

  /** Cuts the connection, unless the answer is complete. */
  abort(): void {
    if (this.#answered && !exchanges.has(this.id)) return;
    this.#answered = true;
    push({ tag: "abort", val: this.id });
    this.over();
  }

  /** The client has ended its side: it has left, or it waits for what is given all the same. */
  ended(): void {
    this.#gone ??= this.errorOfLeaving();
    this.#abort?.abort(this.#gone);
  }

  /** Nothing reaches the client any more. */
  closed(): void {
    this.ended();
    this.#closed = true;
    this.#incoming?.closed(this.#gone);
    if (this.#outgoing !== null) this.#cut(this.#outgoing);
    this.over();
  }

  #cut(outgoing: OutgoingBody): void {
    outgoing.closed(this.#gone);
    push({ tag: "abort", val: this.id });
  }

  over(): void {
    exchanges.delete(this.id);
  }
}

function errorOfLeaving(): unknown {
  return new DOMException("the client has left", "AbortError");
}

function lengthOf(headers: Headers): number | null {
  const text = headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
