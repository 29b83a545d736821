/**
 * One request and its answer.
 *
 * Invariants: of the body no more comes than `BODY_WINDOW_BYTES` ahead of its reader, and of an answer's stream no more
 * goes to the core than `WRITE_WINDOW_BYTES` ahead of its client. Nothing is said of a request that is over.
 */
import { ReadableStream, type ReadableStreamDefaultReader } from "web-streams-polyfill";
import { pieceOf, type Source } from "./body.js";
import { AbortController, type AbortSignal } from "./events.js";
import { Headers } from "./headers.js";
import { inspect } from "./inspect.js";
import { Request, type Response } from "./messages.js";
import { type Content, type Field, log, NOTHING, push } from "./queue.js";

const BODY_WINDOW_BYTES = 256 * 1024;
const WRITE_WINDOW_BYTES = 256 * 1024;

type Reader = ReadableStreamDefaultReader<unknown>;

export interface Head {
  id: number;
  method: string;
  target: string;
  fields: Field[];
  peer: string;
  body: Uint8Array;
  complete: boolean;
}

/** Those that are not over. */
export const exchanges = new Map<number, Exchange>();

/** Fields that are about one connection, and those that frame the message. */
const OF_CONNECTION = /^(?:connection|keep-alive|proxy-connection|te|transfer-encoding|upgrade|content-length)$/;

export class Exchange implements Source {
  readonly request: Request;
  readonly #id: number;
  readonly #isHead: boolean;
  #abort: AbortController | null = null;
  #closed: DOMException | null = null;
  // The body as it comes.
  #pieces: Uint8Array[] = [];
  #ended: boolean;
  #credit = 0;
  #wake: (() => void) | null = null;
  // The answer as it goes.
  #answered = false;
  #ahead = 0;
  #drained: (() => void) | null = null;
  #reader: Reader | null = null;

  constructor(head: Head) {
    this.#id = head.id;
    this.#isHead = head.method === "HEAD";
    this.#ended = head.complete;
    exchanges.set(head.id, this);
    const { method, target, fields } = head;
    const hasBody = !head.complete || head.body.length > 0;
    this.request = new Request("", undefined, {
      method,
      url: () => addressOf(target, fields),
      headers: Headers.of(fields),
      body: hasBody ? (head.complete ? head.body : this) : null,
      signal: () => this.#signal,
      ip: head.peer === "" ? undefined : head.peer,
    });
  }

  get #signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#closed !== null) this.#abort.abort(this.#closed);
    return this.#abort.signal;
  }

  // --- the body ---

  async read(): Promise<Uint8Array | null> {
    while (this.#pieces.length === 0) {
      if (this.#closed !== null) throw this.#closed;
      if (this.#ended) return null;
      this.#grant();
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#pieces.shift() as Uint8Array;
  }

  cancel(): void {
    this.#pieces = [];
    this.#ended = true;
  }

  #grant(): void {
    if (this.#credit > BODY_WINDOW_BYTES / 2) return;
    const bytes = BODY_WINDOW_BYTES - this.#credit;
    this.#credit += bytes;
    push({ tag: "credit", val: { id: this.#id, bytes } });
  }

  receive(data: Uint8Array, last: boolean): void {
    this.#credit -= data.length;
    if (data.length > 0 && !this.#ended) this.#pieces.push(data);
    if (last) this.#ended = true;
    this.#wakeReader();
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = null;
  }

  // --- the answer ---

  respond(response: Response): void {
    const content = response.take();
    const { status } = response;
    const fields = response.headers.fields.filter(([name]) => !OF_CONNECTION.test(name));
    const declared = lengthOf(response.headers.get("content-length"));
    const isStream = content instanceof ReadableStream;
    const whole: Content =
      isStream || content === null
        ? NOTHING
        : typeof content === "string"
          ? { tag: "text", val: content.toWellFormed() }
          : { tag: "bytes", val: content as Uint8Array };
    const length = isStream || (this.#isHead && content === null) ? declared : null;
    const last = !isStream || this.#isHead;
    this.#answered = true;
    push({ tag: "answer", val: { id: this.#id, status, fields, length, content: whole, last } });
    if (last) this.#over();
    if (!isStream) return;
    this.#reader = content.getReader();
    if (last) void this.#reader.cancel(undefined).catch(() => {});
    else void this.#pump(this.#reader);
  }

  async #pump(reader: Reader): Promise<void> {
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        if (this.#closed !== null) return;
        const piece = pieceOf(next.value);
        if (piece.length === 0) continue;
        push({ tag: "piece", val: { id: this.#id, content: { tag: "bytes", val: piece }, last: false } });
        this.#ahead += piece.length;
        while (this.#ahead >= WRITE_WINDOW_BYTES && this.#closed === null) {
          await new Promise<void>((resolve) => (this.#drained = resolve));
        }
      }
      if (this.#closed === null) push({ tag: "piece", val: { id: this.#id, content: NOTHING, last: true } });
    } catch (error) {
      if (this.#closed === null) {
        log(`the body of an answer broke off: ${inspect(error)}`);
        push({ tag: "abort", val: this.#id });
      }
    }
    this.#over();
  }

  /** All that was given has left. */
  sent(): void {
    this.#ahead = 0;
    this.#drained?.();
    this.#drained = null;
  }

  /** The handler has failed: 500, or the connection is cut when the answer has begun. */
  fail(error: unknown): void {
    log(`the handler of ${this.request.method} ${this.request.url} failed: ${inspect(error)}`);
    if (this.#answered) return;
    const content: Content = { tag: "text", val: "Internal Server Error" };
    const fields: Field[] = [["content-type", "text/plain"]];
    push({ tag: "answer", val: { id: this.#id, status: 500, fields, length: null, content, last: true } });
    this.#over();
  }

  /** The client has left, or has ended its side, which looks the same. */
  closed(): void {
    if (this.#closed !== null) return;
    this.#closed = new DOMException("the client has left", "AbortError");
    this.#abort?.abort(this.#closed);
    this.#wakeReader();
    this.sent();
    if (this.#reader === null) return;
    void this.#reader.cancel(this.#closed).catch(() => {});
    push({ tag: "abort", val: this.#id });
    this.#over();
  }

  #over(): void {
    exchanges.delete(this.#id);
  }
}

function lengthOf(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function addressOf(target: string, fields: readonly Field[]): string {
  if (!target.startsWith("/")) return new (globalThis as unknown as URLs).URL(target).href;
  const host = fields.find(([name]) => name.length === 4 && name.toLowerCase() === "host")?.[1] ?? "";
  const address = `http://${host === "" ? "localhost" : host}${target}`;
  // What the parser of addresses would leave as it is.
  if (/^[\w.\-:[\]]*$/.test(host) && PLAIN_TARGET.test(target) && !DOTTED.test(target) && !host.endsWith(":80"))
    return host === host.toLowerCase() ? address : address.replace(host, host.toLowerCase());
  return new (globalThis as unknown as URLs).URL(address).href;
}

interface URLs {
  URL: new (url: string) => { href: string };
}

const PLAIN_TARGET = /^\/[\w\-.~!$&()*+,;=:@%/]*(?:\?[\w\-.~!$&()*+,;=:@%/?]*)?$/;
const DOTTED = /\/(?:\.|%2e)/i;
