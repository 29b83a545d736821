/**
 * A request's body as its handler reads it: as it came or inflated, block by block, whole, or as a form; and the
 * trailers behind it. RequestBody takes it from the frames, GzipBody inflates it.
 *
 * Invariants: it is read by one reader, which begins with what came in the REQUEST; it does not hold its request, so
 * that a request which its handler has forgotten can be found (unanswered.ts).
 */
import type { Bridge } from "../bridge/bridge.js";
import { ProtocolError, StreamClosedError } from "../core/errors.js";
import type { BodyReader } from "./bodyreader.js";
import { GzipBody } from "./compression/gunzip.js";
import { type Form, type FormOptions, readForm } from "./form/form.js";
import { resolveFormLimits } from "./form/limits.js";
import { HeldBody } from "./heldbodies.js";
import { RequestBody } from "./requestbody.js";
import type { RequestHead } from "./requesthead.js";
import type { HTTPSettings } from "./settings.js";

export class IncomingBody {
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #head: RequestHead;
  readonly #settings: HTTPSettings;
  /** What handlers keep of it in memory. */
  readonly held: HeldBody;
  /** Bounds the body, and what is inflated of it. */
  #bytesMax: number;
  #reader: RequestBody | null = null;
  #inflated: GzipBody | null = null;
  #trailers: string[] | null = null;
  #over = false;
  /** Why the peer is gone; null: it is not known to be. */
  #gone: StreamClosedError | null = null;

  /** `held`: what is kept already, when another object has read the same body before. */
  constructor(bridge: Bridge, id: number, head: RequestHead, settings: HTTPSettings, held: HeldBody | null = null) {
    this.#bridge = bridge;
    this.#id = id;
    this.#head = head;
    this.#settings = settings;
    this.held = held ?? new HeldBody(settings.bodiesBytesMax);
    this.#bytesMax = bridge.settings.bodyBytesMax;
  }

  /** All of it has come. */
  get ended(): boolean {
    return this.#head.isComplete || this.#reader?.ended === true;
  }

  /** Names and values of those that have come, one after the other. */
  get trailers(): readonly string[] {
    return this.#trailers ?? [];
  }

  /** What its handler reads: inflated where it came compressed and the server inflates. */
  get blocks(): BodyReader {
    if (!this.#head.isInflated) return this.#raw();
    this.#inflated ??= new GzipBody(this.#raw(), this.#bytesMax);
    return this.#inflated;
  }

  /** Rejects as HTTPServerRequest.readBody. */
  readAll(maxBytes: number = this.#bytesMax): Promise<Buffer> {
    return this.blocks.readAll(maxBytes);
  }

  /** Rejects as HTTPServerRequest.readForm; `onOver` is given what removes the form's files. */
  async readForm(options: FormOptions, onOver: (callback: () => void) => void): Promise<Form> {
    const limits = resolveFormLimits(options, this.#settings.formLimits);
    return readForm({ headers: this.#head.headers, body: this.blocks, onOver }, limits, options);
  }

  /** Bounds what is still to come, in bytes of the whole body and in milliseconds from now on. */
  limit({ maxBytes, timeoutMs }: { maxBytes?: number; timeoutMs?: number }): void {
    if (maxBytes !== undefined) {
      this.#bytesMax = maxBytes;
      this.#raw().limit(maxBytes);
    }
    if (timeoutMs !== undefined) this.#raw().limitTime(timeoutMs);
  }

  // --- what comes ---

  /** Takes bytes of a BODY frame; `last`: they complete it. Throws ProtocolError for more than there may be. */
  push(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (this.#head.isComplete) throw new ProtocolError("BODY for a request that is complete");
    this.#raw().push(chunk, start, end, last);
  }

  /** Between the body and its end, once. Throws ProtocolError at any other time. */
  pushTrailers(trailers: string[]): void {
    const mayCome = !this.#head.isComplete && this.#head.contentLength === null && this.#trailers === null;
    if (!mayCome || this.#raw().ended) throw new ProtocolError("TRAILERS for a request that has none to come");
    this.#trailers = trailers;
  }

  /** Memory is short: what waits for the handler is dropped, and reading fails with `error`. */
  shed(error: StreamClosedError): void {
    this.#reader?.shed(error);
  }

  /** The request is over: what has not come will not come, because of `gone` or because it has been answered. */
  end(gone: StreamClosedError | null): void {
    this.#over = true;
    this.#gone ??= gone;
    this.held.end();
    this.#failUnlessEnded();
  }

  #failUnlessEnded(): void {
    // Only then is there need for an error: making one costs more than all else here.
    if (this.#reader?.ended === false) this.#reader.fail(this.#gone ?? new StreamClosedError("CLOSED"));
  }

  #raw(): RequestBody {
    if (this.#reader === null) {
      const { contentLength, isAsking } = this.#head;
      this.#reader = new RequestBody(this.#bridge, this.#id, contentLength ?? -1, isAsking, this.held);
      this.#head.fill(this.#reader);
      if (this.#over) this.#failUnlessEnded();
    }
    return this.#reader;
  }
}
