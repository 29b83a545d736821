/**
 * Requests without a network, for tests: `await inject(server, "/users/1")`, or `application.inject(…)`.
 *
 * Invariant: the server's own code answers, all of it from the REQUEST frame on, with the same windows; only the
 * sandbox's part (parsing, connections, time limits) is left out.
 */

import { Bridge, type Channel, type Peer } from "../bridge/bridge.js";
import {
  FRAME_ABORT,
  FRAME_BODY,
  FRAME_BODY_CREDIT,
  FRAME_BODY_END,
  FRAME_CANCEL,
  FRAME_HEADER_BYTES,
  FRAME_READY,
  FRAME_REQUEST,
  FRAME_RESPONSE,
  FRAME_RESPONSE_BODY,
  FRAME_RESPONSE_END,
  FRAME_SENT,
  PROTOCOL_VERSION,
  REQUEST_BYTES,
  REQUEST_END,
  REQUEST_KEEP_ALIVE,
  RESPONSE_BYTES,
  RESPONSE_LAST,
} from "../bridge/frames.js";
import type { FrameWriter } from "../bridge/framewriter.js";
import { METHODS } from "../bridge/methods.js";
import { type Address, LOOPBACK } from "../core/address.js";
import { HTTPOutputError, OptionError, WorkerError } from "../core/errors.js";
import { BODY_WINDOW_BYTES, PIECE_BYTES } from "../core/limits.js";
import { checkField, HTTPHeaders } from "../http/headers.js";
import type { HTTPServer } from "./httpserver.js";

/** A request; `GET /` unless said otherwise. */
export interface InjectedRequest {
  /** Default `"GET"`. */
  method?: string;
  /** Path and query as they would travel. */
  target?: string;
  /** Header fields by name, a list for several of one name. Host is added where it lacks; Content-Length is refused. */
  headers?: Readonly<Record<string, string | number | readonly string[]>>;
  /** Text is sent as UTF-8, an object that is no bytes as JSON, with its Content-Type. */
  body?: string | Uint8Array | object;
  /** The client's address. Default: 127.0.0.1. */
  remoteAddress?: Address;
  /** The client leaves when this is aborted. */
  signal?: AbortSignal;
}

/** The answer, complete. */
export class InjectedAnswer {
  constructor(
    /** The status, such as 200. */
    readonly status: number,
    /** The phrase behind the status, "" for the standard one. */
    readonly reason: string,
    /** The fields that the handler has given, and Content-Length where it is known. */
    readonly headers: HTTPHeaders,
    /** The whole body, empty when there is none. */
    readonly body: Buffer,
  ) {}

  /** The body as text. */
  get text(): string {
    return this.body.toString("utf8");
  }

  /** The body as JSON. */
  json<Value = unknown>(): Value {
    return JSON.parse(this.text) as Value;
  }
}

/** Has `server` answer a request. Rejects with HTTPOutputError when it cuts the connection instead. */
export function inject(server: HTTPServer, request: InjectedRequest | string = {}): Promise<InjectedAnswer> {
  const given = typeof request === "string" ? { target: request } : request;
  return new Promise((resolve, reject) => {
    new Injection(server, given, resolve, reject).begin();
  });
}

const ID = 1 << 18;
const DESCRIPTOR = 3;
const REASON_RESET = 3;
const CLIENT: Address = { address: LOOPBACK, port: 1, family: "IPv4" };

/** A sandbox of one request. */
class Injection implements Channel {
  readonly #bridge: Bridge;
  readonly #request: InjectedRequest;
  readonly #headers: [string, string][];
  readonly #body: Buffer;
  readonly #resolve: (answer: InjectedAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #leave: () => void;
  #over = false;
  /** What of the body has been sent, and how much of it may be. */
  #sent = 0;
  #credit = BODY_WINDOW_BYTES;
  #status = 0;
  #reason = "";
  #fields: [string, string][] = [];
  readonly #parts: Buffer[] = [];
  /** Frames that are sent when the turn that made them necessary is over. */
  #answers: Buffer[] = [];

  constructor(
    server: HTTPServer,
    request: InjectedRequest,
    resolve: (answer: InjectedAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#request = request;
    this.#headers = headersOf(request);
    this.#body = bodyOf(request);
    this.#resolve = resolve;
    this.#reject = reject;
    this.#leave = () => {
      this.#bridge.receive(frame(FRAME_ABORT, ID, u16(REASON_RESET)));
      this.#end(new HTTPOutputError("the client has left"));
    };
    this.#credit = server.options.bodyWindow;
    this.#bridge = new Bridge(server.acceptor(), server.options, 1, {
      ready() {},
      failed: (error) => this.#end(error),
    });
  }

  begin(): void {
    const { signal } = this.#request;
    this.#bridge.attach(this);
    this.#bridge.receive(frame(FRAME_READY, 0, u16(PROTOCOL_VERSION, 1)));
    if (this.#body.length > this.#bridge.settings.bodyBytesMax) {
      this.#status = 413; // the sandbox's own answer: no handler is called
      return this.#end(null);
    }
    this.#bridge.receive(frame(FRAME_REQUEST, ID, this.#head()));
    if (this.#body.length > 0) this.#sendBody();
    if (this.#over) return;
    if (signal?.aborted === true) this.#leave();
    else signal?.addEventListener("abort", this.#leave);
  }

  // --- the channel ---

  schedule(): void {
    setImmediate(() => this.#bridge.flush());
  }

  send(writer: FrameWriter): void {
    const bytes = Buffer.allocUnsafe(writer.waiting);
    writer.copyTo(bytes, 0, bytes.length);
    for (let at = 0; at < bytes.length; ) {
      const word = bytes.readUInt32LE(at);
      const end = at + FRAME_HEADER_BYTES + (word & 0xffffff);
      if (bytes.readUInt32LE(at + 4) === ID) this.#take(word >>> 24, bytes.subarray(at + FRAME_HEADER_BYTES, end));
      at = end;
    }
  }

  peer(): Peer {
    return { address: this.#request.remoteAddress ?? CLIENT, tls: null };
  }

  kill(): void {
    this.#end(new WorkerError("the server has refused what was injected"));
  }

  // --- the request ---

  #head(): Buffer {
    const { method = "GET", target = "/" } = this.#request;
    const code = Math.max(0, METHODS.indexOf(method as (typeof METHODS)[number]));
    const methodText = code === 0 ? method : "";
    const head = Buffer.alloc(REQUEST_BYTES);
    head[0] = code;
    head[1] = 1;
    head[2] = this.#body.length === 0 ? REQUEST_END | REQUEST_KEEP_ALIVE : REQUEST_KEEP_ALIVE;
    head.writeUInt16LE(this.#headers.length, 4);
    head.writeUInt16LE(methodText.length, 6);
    head.writeUInt16LE(target.length, 8);
    head.writeUInt32LE(DESCRIPTOR, 12);
    head.writeBigInt64LE(BigInt(this.#body.length), 16);
    const table = u16(...this.#headers.flatMap(([name, value]) => [name.length, value.length]));
    const text = methodText + target + this.#headers.map(([name, value]) => name + value).join("");
    return Buffer.concat([head, table, Buffer.from(text, "latin1")]);
  }

  #sendBody(): void {
    while (this.#sent < this.#body.length && this.#credit > 0) {
      const piece = this.#body.subarray(this.#sent, this.#sent + Math.min(this.#credit, PIECE_BYTES));
      this.#sent += piece.length;
      this.#credit -= piece.length;
      this.#bridge.receive(frame(this.#sent === this.#body.length ? FRAME_BODY_END : FRAME_BODY, ID, piece));
    }
  }

  // --- the answer ---

  #take(type: number, payload: Buffer): void {
    switch (type) {
      case FRAME_RESPONSE:
        return this.#takeResponse(payload);
      case FRAME_RESPONSE_BODY:
        this.#parts.push(payload);
        return this.#say(frame(FRAME_SENT, ID, u32(payload.length)));
      case FRAME_RESPONSE_END:
        this.#parts.push(payload);
        return this.#end(null);
      case FRAME_BODY_CREDIT:
        this.#credit += payload.readUInt32LE(0);
        return this.#say();
      case FRAME_CANCEL:
        return this.#end(new HTTPOutputError("the connection was cut"));
    }
  }

  #takeResponse(payload: Buffer): void {
    const rows = payload.readUInt16LE(4);
    let at = RESPONSE_BYTES + rows * 4;
    const text = (bytes: number): string => payload.toString("latin1", at, (at += bytes));
    this.#reason = text(payload.readUInt16LE(6));
    for (let row = RESPONSE_BYTES; row < RESPONSE_BYTES + rows * 4; row += 4) {
      const name = text(payload.readUInt16LE(row));
      this.#fields.push([name, text(payload.readUInt16LE(row + 2))]);
    }
    const isLast = ((payload[2] as number) & RESPONSE_LAST) !== 0;
    const declared = Number(payload.readBigInt64LE(8));
    const length = declared < 0 && isLast ? payload.length - at : declared;
    this.#status = payload.readUInt16LE(0);
    const hasLength = length >= 0 && this.#status !== 204 && this.#status !== 304;
    if (hasLength) this.#fields.push(["content-length", String(length)]);
    this.#parts.push(payload.subarray(at));
    if (isLast) this.#end(null);
    else if (at < payload.length) this.#say(frame(FRAME_SENT, ID, u32(payload.length - at)));
  }

  /** Frames are sent in a later turn: the host may be in the middle of writing its own. */
  #say(...frames: Buffer[]): void {
    this.#answers.push(...frames);
    setImmediate(() => {
      for (const answer of this.#answers.splice(0)) this.#bridge.receive(answer);
      this.#sendBody();
    });
  }

  #end(error: Error | null): void {
    this.#over = true;
    this.#request.signal?.removeEventListener("abort", this.#leave); // a signal may be that of many requests
    if (error !== null) this.#reject(error);
    else
      this.#resolve(
        new InjectedAnswer(this.#status, this.#reason, new HTTPHeaders(this.#fields), Buffer.concat(this.#parts)),
      );
  }
}

/** Names are in lower case, as the sandbox sends them. */
function headersOf({ headers = {}, body }: InjectedRequest): [string, string][] {
  const fields: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    for (const single of [value].flat()) fields.push([name.toLowerCase(), checkField(name, single as string | number)]);
  }
  const names = fields.map(([name]) => name);
  if (!names.includes("host")) fields.unshift(["host", LOOPBACK]);
  if (isJSON(body) && !names.includes("content-type")) fields.push(["content-type", "application/json"]);
  if (names.includes("content-length")) throw new OptionError("Content-Length is counted; leave it out");
  return fields;
}

function bodyOf({ body = "" }: InjectedRequest): Buffer {
  return Buffer.from((isJSON(body) ? JSON.stringify(body) : body) as string);
}

function isJSON(body: unknown): boolean {
  return typeof body === "object" && !(body instanceof Uint8Array);
}

function frame(type: number, id: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(((type << 24) | payload.length) >>> 0, 0);
  header.writeUInt32LE(id, 4);
  return Buffer.concat([header, payload]);
}

function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, index * 2);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}
