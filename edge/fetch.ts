/**
 * `fetch`: requests to other servers through the core, which connects where its runtime grants that. This part is there
 * for applications that name the global `fetch`; others are put on a core that cannot connect.
 *
 * Invariants: of a body no more is ahead of its reader than `BODY_WINDOW_BYTES` (edge/incoming.ts); a request that is
 * over is not in `sendings`, and nothing is said of it. An answer that the handler does not read is given up.
 * Reference: fetch.spec.whatwg.org 4.1 to 4.6 and 5.6; wit/waterspout.wit, `outgoing`.
 */
import type { ReadableStream } from "web-streams-polyfill";
import { pieceOf, type Source } from "./body.js";
import { isRunning } from "./clock.js";
import type { AbortSignal } from "./events.js";
import { Headers, isOfConnection } from "./headers.js";
import { IncomingBody } from "./incoming.js";
import { Request, type RequestInit, Response, WITHOUT_BODY } from "./messages.js";
import { OutgoingBody } from "./outgoing.js";
import { push, touch } from "./queue.js";
import { encode } from "./text.js";
import { timerGlobals } from "./timers.js";
import { URL } from "./url.js";

const REDIRECTS = [301, 302, 303, 307, 308];
const REDIRECTS_MAX = 20;
/** How long a body may wait for its reader. */
const UNREAD_MS = 60_000;
const IDS_MAX = 2 ** 31 - 1;
const HTTP_PORT = 80;
/** Fields of one hop that a request which has come may have, and those that the core or an address gives. */
const NOT_SENT = ["host", "expect", "upgrade", "trailer", "proxy-authenticate", "proxy-authorization"];
/** They do not go to another origin than that which they were meant for. */
const OF_ORIGIN = ["authorization", "cookie"];
const OF_BODY = ["content-encoding", "content-language", "content-location", "content-type"];

type Content = string | Uint8Array | ReadableStream | Source | null;

interface FetchInit extends RequestInit {
  redirect?: "follow" | "manual" | "error";
}

/** What the core calls. */
export interface Outgoing {
  head(id: number, status: number, fields: string): void;
  data(id: number, data: Uint8Array, last: boolean): void;
  sent(id: number): void;
  failed(id: number, why: string): void;
}

/** Those that the core may still call about. */
const sendings = new Map<number, Sending>();
let lastId = 0;

export const outgoing: Outgoing = {
  head: (id, status, fields) => sendings.get(id)?.head(status, fields),
  data: (id, data, last) => sendings.get(id)?.receive(data, last),
  sent: (id) => sendings.get(id)?.sent(),
  failed: (id, why) => sendings.get(id)?.failed(why),
};

/** As in Node. Rejects with TypeError when there is no answer, and with the reason of a signal that is aborted. */
export async function fetch(input: unknown, init: FetchInit = {}): Promise<Response> {
  if (!isRunning()) throw new TypeError("fetch: there is no network while the application is built");
  const { redirect = "follow" } = init;
  const request = new Request(input, init);
  const headers = new Headers(request.headers);
  let { url, method } = request;
  let content = request.take() as Content;
  for (let redirects = 0; ; redirects++) {
    const sending = new Sending(method, new URL(url), headers, request.signal);
    const response = await sending.send(content, redirects > 0);
    const location = REDIRECTS.includes(response.status) ? response.headers.get("location") : null;
    if (location === null || redirect === "manual") return response;
    sending.cancel();
    if (redirect === "error") throw new TypeError(`fetch of ${url}: it is redirected`);
    if (redirects === REDIRECTS_MAX) throw new TypeError(`fetch of ${url}: more than ${REDIRECTS_MAX} redirects`);
    const isGet = response.status === 303 ? !/^(?:GET|HEAD)$/.test(method) : response.status < 303 && method === "POST";
    if (isGet) {
      [method, content] = ["GET", null];
      for (const name of OF_BODY) headers.delete(name);
    } else if (content !== null && typeof content !== "string" && !(content instanceof Uint8Array)) {
      throw new TypeError(`fetch of ${url}: it is redirected, and its body cannot be sent twice`);
    }
    const next = new URL(location, url);
    if (next.origin !== new URL(url).origin) for (const name of OF_ORIGIN) headers.delete(name);
    url = next.href;
  }
}

/** One request and its answer. */
class Sending {
  readonly #id: number;
  readonly #method: string;
  readonly #url: URL;
  readonly #headers: Headers;
  readonly #signal: AbortSignal;
  readonly #outgoing: OutgoingBody;
  readonly #incoming: AnswerBody;
  #answer: { resolve(response: Response): void; reject(error: unknown): void } | null = null;
  #redirected = false;
  readonly #aborted = (): void => this.#end(this.#signal.reason);

  constructor(method: string, url: URL, headers: Headers, signal: AbortSignal) {
    signal.throwIfAborted();
    if (url.protocol !== "http:") {
      const why = url.protocol === "https:" ? "a component has no TLS; a proxy can speak it" : "only http: can be had";
      throw new TypeError(`fetch of ${url.href}: ${why}`);
    }
    if (url.username !== "" || url.password !== "") throw new TypeError("fetch: an address must not have a password");
    this.#id = nextId();
    [this.#method, this.#url, this.#headers, this.#signal] = [method, url, headers, signal];
    this.#outgoing = new OutgoingBody(this.#id, "request-piece");
    this.#incoming = new AnswerBody(this.#id, (error) => this.#end(error));
  }

  send(content: Content, redirected: boolean): Promise<Response> {
    this.#redirected = redirected;
    const isThere = content === null || typeof content === "string" || content instanceof Uint8Array;
    const body = typeof content === "string" ? encode(content) : isThere && content !== null ? content : NOTHING;
    const { hostname, port, pathname, search } = this.#url;
    push({
      tag: "send-request",
      val: {
        id: this.#id,
        host: hostname.replace(/^\[(.*)\]$/, "$1"),
        port: port === "" ? HTTP_PORT : Number(port),
        last: isThere,
        method: this.#method,
        target: `${pathname}${search}`,
        fields: this.#fields(),
        body: body as Uint8Array,
      },
    });
    sendings.set(this.#id, this);
    this.#signal.addEventListener("abort", this.#aborted);
    if (!isThere) void this.#sendBody(content as ReadableStream | Source);
    return new Promise((resolve, reject) => (this.#answer = { resolve, reject }));
  }

  #fields(): string {
    const { host } = this.#url;
    const headers = new Headers(this.#headers);
    for (const name of [...headers.keys()]) {
      if (isOfConnection(name) || NOT_SENT.includes(name)) headers.delete(name);
    }
    if (!headers.has("accept")) headers.append("accept", "*/*");
    if (!headers.has("user-agent")) headers.append("user-agent", "Waterspout");
    return `\nhost:${host}${headers.fields}`;
  }

  async #sendBody(content: ReadableStream | Source): Promise<void> {
    const source = "getReader" in content ? sourceOf(content) : content;
    try {
      for (let piece = await source.read(); piece !== null; piece = await source.read()) {
        this.#outgoing.write(piece);
        await this.#outgoing.taken();
        if (this.#outgoing.isGone) return source.cancel(new TypeError("the request is over"));
      }
      this.#outgoing.finish();
    } catch (error) {
      this.#end(error);
    }
  }

  head(status: number, fields: string): void {
    touch();
    const hasBody = this.#method !== "HEAD" && !WITHOUT_BODY.includes(status);
    const { href } = this.#url;
    const parts = { status, headers: Headers.of(fields, true), url: href, redirected: this.#redirected };
    this.#answer?.resolve(new Response(null, undefined, parts, hasBody ? this.#incoming : null));
    this.#answer = null;
    this.#incoming.await();
  }

  receive(data: Uint8Array, last: boolean): void {
    touch();
    this.#incoming.receive(data, last);
    if (last) this.#over();
  }

  sent(): void {
    touch();
    this.#outgoing.sent();
  }

  failed(why: string): void {
    touch();
    this.#lost(new TypeError(`fetch of ${this.#url.href}: ${why}`));
  }

  /** The answer is not wanted any more. */
  cancel(): void {
    this.#end(new TypeError("the answer was given up"));
  }

  #end(error: unknown): void {
    if (!sendings.has(this.#id)) return;
    push({ tag: "abort-request", val: this.#id });
    this.#lost(error);
  }

  #lost(error: unknown): void {
    this.#over();
    this.#answer?.reject(error);
    this.#answer = null;
    this.#incoming.closed(error);
  }

  #over(): void {
    sendings.delete(this.#id);
    this.#signal.removeEventListener("abort", this.#aborted);
    this.#incoming.isOver();
    this.#outgoing.closed(null);
  }
}

const NOTHING = new Uint8Array(0);

/** The body of an answer; who does not read it in time gets no more of it. */
class AnswerBody extends IncomingBody {
  readonly #giveUp: (error: unknown) => void;
  #timer: object | null = null;

  constructor(id: number, giveUp: (error: unknown) => void) {
    super(id, "answer-credit");
    this.#giveUp = giveUp;
  }

  /** It waits for its reader from now on. */
  await(): void {
    this.isOver();
    const late = (): void => this.#giveUp(new DOMException("the body was not read in time", "TimeoutError"));
    this.#timer = timerGlobals.setTimeout(late, UNREAD_MS) as object;
  }

  isOver(): void {
    if (this.#timer !== null) timerGlobals.clearTimeout(this.#timer as never);
    this.#timer = null;
  }

  override async read(): Promise<Uint8Array | null> {
    const isOpen = this.#timer !== null;
    this.isOver(); // the core has a time for the other server
    const piece = await super.read();
    if (isOpen && piece !== null) this.await();
    return piece;
  }

  override cancel(): void {
    super.cancel();
    this.#giveUp(new TypeError("the body was cancelled"));
  }
}

function sourceOf(stream: ReadableStream): Source {
  const reader = stream.getReader();
  return {
    async read() {
      const next = await reader.read();
      return next.done ? null : pieceOf(next.value);
    },
    cancel: (reason) => void reader.cancel(reason).catch(() => {}),
  };
}

function nextId(): number {
  do lastId = lastId === IDS_MAX ? 1 : lastId + 1;
  while (sendings.has(lastId));
  return lastId;
}

Object.assign(globalThis, { fetch }); // for who looks it up by its name
