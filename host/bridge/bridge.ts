/**
 * One worker's bridge: the host's side of docs/protocol.md, over whatever carries its bytes.
 *
 * Invariants: a frame that the protocol does not allow ends this worker and nothing else; what user code throws never
 * reaches the reader; an id is answered only while it is live. All frames of a turn leave in one batch, together with
 * the ECHO of the last MARK.
 */

import type { Accepted, Address } from "../core/address.js";
import { UINT31_MAX } from "../core/check.js";
import { ProtocolError, WorkerError } from "../core/errors.js";
import { tookBlock } from "../core/garbage.js";
import {
  FLUSH_BYTES,
  HELD_BYTES_MAX,
  QUESTIONS_MAX,
  REFUSAL_REFILL_MS,
  REFUSALS_MAX,
  UNTAKEN_BYTES_MAX,
  WORKER_LINE_REFILL_MS,
  WORKER_LINES_MAX,
} from "../core/limits.js";
import { HELD_SHARE, memoryShare } from "../core/memorybudget.js";
import type { Patience } from "../core/patience.js";
import { TokenBucket } from "../core/tokenbucket.js";
import { FrameReader, type FrameSink } from "./framereader.js";
import {
  ADDRESS_BYTES,
  CONFIG_BYTES,
  CONFIG_CONNECT,
  CONFIG_NODE,
  CONFIG_PROXY,
  FRAME_ABORT,
  FRAME_BODY,
  FRAME_BODY_END,
  FRAME_CLOSE_ALL,
  FRAME_CLOSED,
  FRAME_CONFIG,
  FRAME_DATA,
  FRAME_DATA_END,
  FRAME_DETACHED,
  FRAME_DRAINED,
  FRAME_ECHO,
  FRAME_END,
  FRAME_GET_STATS,
  FRAME_MARK,
  FRAME_OPEN,
  FRAME_RAW,
  FRAME_RAW_FAILED,
  FRAME_READ_FAILED,
  FRAME_READY,
  FRAME_REFUSED,
  FRAME_REQUEST,
  FRAME_SENT,
  FRAME_STATS,
  FRAME_STOP,
  FRAME_TRAILERS,
  FRAME_WS_CLOSED,
  FRAME_WS_DATA,
  FRAME_WS_ENDING,
  FRAME_WS_PING,
  FRAME_WS_PONG,
  KIND_HTTP,
  KIND_STREAMS,
  PROTOCOL_VERSION,
  put16,
  put32,
  put64,
  sequenceAfter,
} from "./frames.js";
import { FrameWriter } from "./framewriter.js";
import { Latencies } from "./latencies.js";
import { type FrameTaker, OpenIds } from "./openids.js";
import { type Peer, ProxiedPeer } from "./peer.js";
import { type Refusal, readRefusal, refusalLine } from "./refusals.js";
import type { BridgeSettings } from "./settings.js";
import { readStats, type WorkerStats } from "./stats.js";
import { frameTrace } from "./trace.js";

export type { FrameTaker } from "./openids.js";
export type { Peer } from "./peer.js";

/** A stream or a request, as it is opened. */
export interface Endpoint extends FrameTaker {
  /** @internal Calls user code. Called at most once, after the id has become live. */
  run(): void;
}

/** What carries the bytes of one worker. */
export interface Channel {
  /** Asks for a call of `flush` at the end of this turn of the loop. */
  schedule(): void;
  /** Takes what the writer holds, now or bit by bit. */
  send(writer: FrameWriter): void;
  /** The peer behind a descriptor of the sandbox; null where the host does not own the sockets. */
  peer(descriptor: number): Peer | null;
  /** Ends the worker at once. */
  kill(): void;
}

/** Makes endpoints out of OPEN (KIND_STREAMS) or REQUEST (KIND_HTTP). */
export interface Acceptor {
  /** Which of the two the sandbox sends. */
  readonly kind: typeof KIND_STREAMS | typeof KIND_HTTP;
  /** CONNECT is a request as others are; else the sandbox refuses it. */
  readonly connects?: boolean;
  /** Answers are kept alive, and requests refused or not, as by Node's server. */
  readonly asNode?: boolean;
  /** Milliseconds for whole requests, 0: any; and how much longer than it says a connection waits for another one. */
  readonly limits?: { readonly requestTimeoutMs: number; readonly idleBufferMs: number };
  /** A connection was accepted by this process, and will be served. */
  connected?(accepted: Accepted): void;
  /** A request was refused and answered, of which there is a line in the log; `address` is the peer's. */
  refused?(refusal: Refusal, address: Address | null): void;
  /** A request was refused and not answered, as `asNode` asks for: takes its frames, of which DETACHED is the first. */
  refusedOpen?(bridge: Bridge, id: number, peer: Peer | null, refusal: Refusal): FrameTaker;
  /** Reads the frame that opens an endpoint; throws ProtocolError when it is malformed. */
  accept(bridge: Bridge, id: number, chunk: Buffer, start: number, end: number): Endpoint;
}

/** What becomes of the worker, for the code that runs it. */
export interface BridgeEvents {
  /** The sandbox serves. */
  ready(): void;
  /** The sandbox broke the protocol; the bridge has killed it. */
  failed(error: Error): void;
}

/** Takers that are shed for one that brings more: a websocket takes two tries, its close and its end. */
const SHEDS_AT_ONCE = 4;

/** The host's side of one worker: gives its frames to their endpoints, and sends theirs. */
export class Bridge implements FrameSink {
  readonly #trace = frameTrace();
  /** Frames for the sandbox. */
  readonly writer = this.#trace?.writer() ?? new FrameWriter();
  /** What the bridge and its sandbox are configured with. */
  readonly settings: BridgeSettings;
  /** Where requests leave how long they took. */
  readonly latencies: Latencies;
  /** What was live when the worker ended, for a log line: `3 requests, 1 websocket`. */
  lost = "";
  /** When the frames that are being read came, in milliseconds of the monotonic clock. */
  receivedMs = 0;
  readonly #acceptor: Acceptor;
  readonly #opening: number;
  readonly #listeners: number;
  readonly #events: BridgeEvents;
  readonly #peers: ReadonlyMap<string, Peer> | null;
  readonly #reader: FrameReader = new FrameReader(this.#trace?.sink(this) ?? this);
  #channel: Channel | null = null;
  #ready = false;
  #over = false;
  #stopping = false;
  #scheduled = false;
  /** Bytes that the channel had not taken at the last flush. */
  #untaken = 0;
  /** Callers that wait for STATS, and the number of the last GET_STATS; an answer is one to all before it. */
  #questions: { sequence: number; answer: (stats: WorkerStats | null) => void }[] = [];
  #asked = 0;
  /** The last MARK, and whether it has been echoed. */
  #mark = 0;
  #echoed = 0;
  readonly #ids: OpenIds;
  /** Bytes that may be held for all ids together. */
  readonly #heldBytesMax = memoryShare(HELD_SHARE, HELD_BYTES_MAX);
  /** REFUSED frames and log lines that the worker may still send, and lines about what was shed. */
  readonly #refusals = new TokenBucket(REFUSALS_MAX, REFUSAL_REFILL_MS);
  readonly #lines = new TokenBucket(WORKER_LINES_MAX, WORKER_LINE_REFILL_MS);
  readonly #sheds = new TokenBucket(1, 1000);
  #unloggedSheds = 0;

  /**
   * `peers`: the peers of connections by the address in their PROXY protocol header; no other connection is served.
   */
  constructor(
    acceptor: Acceptor,
    settings: BridgeSettings,
    listeners: number,
    events: BridgeEvents,
    peers: ReadonlyMap<string, Peer> | null = null,
    latencies: Latencies = new Latencies(),
  ) {
    this.#peers = peers;
    this.latencies = latencies;
    this.#acceptor = acceptor;
    this.#opening = acceptor.kind === KIND_STREAMS ? FRAME_OPEN : FRAME_REQUEST;
    this.settings = settings;
    this.#ids = new OpenIds(settings.connectionsMax);
    this.#listeners = listeners;
    this.#events = events;
  }

  /** Takes the worker's channel and sends CONFIG. */
  attach(channel: Channel): void {
    this.#channel = channel;
    this.#writeConfig();
    this.flush();
  }

  /** Whether the worker has ended. */
  get over(): boolean {
    return this.#over;
  }

  /** Bytes that the worker has brought and handlers have not taken. */
  get held(): number {
    return this.#ids.held;
  }

  /** Bytes from the sandbox, cut anywhere. */
  receive(chunk: Buffer): void {
    if (this.#over) return;
    this.receivedMs = performance.now();
    tookBlock(chunk.length);
    try {
      if (this.writer.waiting > UNTAKEN_BYTES_MAX) throw new ProtocolError("it sends and takes nothing");
      this.#reader.push(chunk);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new WorkerError(String(error)));
    }
  }

  #fail(error: Error): void {
    this.end();
    this.#channel?.kill();
    this.#events.failed(error);
  }

  /** Whether a line that the worker has logged is to be logged here. A worker that logs too much is ended. */
  takeLine(): boolean {
    if (this.#over) return false;
    const isTold = this.#lines.take();
    if (!isTold) this.#fail(new ProtocolError("too many lines for the log"));
    return isTold;
  }

  /**
   * The peer of a new connection: `at` is where its ADDRESS begins in `chunk`, -1 without one. Null: it is not known;
   * undefined: it must not be served.
   */
  peer(descriptor: number, chunk: Buffer, at: number): Peer | null | undefined {
    if (this.#peers !== null) {
      return at < 0 ? undefined : this.#peers.get(chunk.toString("latin1", at + 4, at + ADDRESS_BYTES));
    }
    const peer = this.#channel === null ? null : this.#channel.peer(descriptor);
    return at >= 0 ? new ProxiedPeer(chunk, at, peer) : peer;
  }

  /** Frames of a live id are for `taker` from now on. */
  replace(id: number, taker: FrameTaker): void {
    this.#ids.replace(id, taker);
  }

  /** Whether frames of an id are for `taker`. */
  isFor(id: number, taker: FrameTaker): boolean {
    return this.#ids.taker(id) === taker;
  }

  /** The host is done with an id. */
  release(id: number): void {
    this.#ids.close(id, true);
  }

  /** The sandbox has sent the last frame of an id. */
  forget(id: number): void {
    this.#ids.close(id, false);
  }

  /**
   * Bytes of a live id are kept. When it is too much for this worker then, those that have most are shed before this
   * returns.
   */
  hold(id: number, bytes: number): void {
    this.#ids.hold(id, bytes);
    if (this.#ids.held > this.#heldBytesMax) this.#shed();
  }

  /** So many of them are not kept any more. */
  letGo(id: number, bytes: number): void {
    this.#ids.hold(id, -bytes);
  }

  #shed(): void {
    for (let tries = 0; tries < SHEDS_AT_ONCE && this.#ids.held > this.#heldBytesMax; tries++) {
      const taker = this.#ids.largest;
      if (taker === null) return;
      this.#tellShed(taker);
      taker.shed();
    }
  }

  #tellShed({ noun }: FrameTaker): void {
    if (!this.#sheds.take()) {
      this.#unloggedSheds++;
      return;
    }
    const others = this.#unloggedSheds === 0 ? "" : `, and ${this.#unloggedSheds} more before it`;
    this.#unloggedSheds = 0;
    this.settings.logger.warn(
      `handlers have not taken ${this.#heldBytesMax >> 20} MiB: a ${noun} was given up${others}`,
    );
  }

  /** Frames have been written: they leave at the end of this turn, or now when they are many. */
  written(): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#channel?.schedule();
    }
    if (this.writer.waiting - this.#untaken > FLUSH_BYTES) this.flush();
  }

  /** Hands all frames, and the ECHO that is due, to the worker. */
  flush(): void {
    this.#scheduled = false;
    this.latencies.settle();
    if (this.#over || this.#channel === null) return;
    if (this.#echoed !== this.#mark) {
      this.#echoed = this.#mark;
      this.writer.empty(FRAME_ECHO, this.#mark);
    }
    if (this.writer.waiting === 0) return;
    // The sandbox cannot tell one byte in its pipe from none: a batch ends with a frame whose last byte may come late.
    this.writer.empty(FRAME_ECHO, this.#mark);
    this.#channel.send(this.writer);
    this.#untaken = this.writer.waiting;
  }

  /**
   * Asks the sandbox to finish what is in flight within `graceMs`, and to end. An idle connection is closed when no
   * request came for `requestMs` after its last answer. A second call may shorten both.
   */
  stop({ graceMs, requestMs }: Patience): void {
    if (this.#over) return;
    this.#stopping = true;
    this.writer.numbers(FRAME_STOP, 0, Math.min(graceMs, UINT31_MAX), Math.min(requestMs, UINT31_MAX));
    this.written();
  }

  /** The sandbox's counters once it has handled all frames sent before; null when the worker ends first. */
  stats(): Promise<WorkerStats | null> {
    if (this.#over || this.#questions.length >= QUESTIONS_MAX) return Promise.resolve(null);
    const sequence = sequenceAfter(this.#asked, 1);
    this.#asked = sequence;
    this.writer.empty(FRAME_GET_STATS, sequence);
    this.written();
    return new Promise((answer) => this.#questions.push({ sequence, answer }));
  }

  /** Closes every connection; the sandbox goes on. Resolves when that is done. */
  async closeAll(): Promise<void> {
    if (this.#over) return;
    this.writer.empty(FRAME_CLOSE_ALL, 0);
    await this.stats();
  }

  /** The worker has ended, or its frames are not taken any more: every live id is lost. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.writer.clear();
    const live = this.#ids.clear();
    this.lost = counted(live);
    for (const taker of live) taker.lost();
    for (const { answer } of this.#questions.splice(0)) answer(null);
  }

  /** Acts on a frame of the sandbox; throws ProtocolError for one that the protocol does not allow. */
  frame(type: number, id: number, chunk: Buffer, start: number, end: number): void {
    if (this.#over) return;
    if (type === this.#opening && this.#ready) {
      this.#ids.check(id);
      const endpoint = this.#acceptor.accept(this, id, chunk, start, end);
      this.#ids.open(id, endpoint, end - start);
      if (this.#ids.held > this.#heldBytesMax) this.#shed();
      if (this.#ids.taker(id) === endpoint) endpoint.run();
      return;
    }
    switch (type) {
      case FRAME_MARK:
        return this.#takeMark(id, end - start);
      case FRAME_DATA:
      case FRAME_DATA_END:
      case FRAME_SENT:
      case FRAME_READ_FAILED:
      case FRAME_CLOSED:
      case FRAME_END:
      case FRAME_RAW:
      case FRAME_RAW_FAILED:
      case FRAME_BODY:
      case FRAME_BODY_END:
      case FRAME_TRAILERS:
      case FRAME_ABORT:
      case FRAME_WS_DATA:
      case FRAME_WS_PONG:
      case FRAME_WS_PING:
      case FRAME_WS_ENDING:
      case FRAME_WS_CLOSED:
      case FRAME_DETACHED:
        return this.#pass(type, id, chunk, start, end);
      case FRAME_STATS:
        return this.#takeStats(id, chunk, start, end);
      case FRAME_REFUSED:
        return this.#takeRefused(id, chunk, start, end);
      case FRAME_READY:
        return this.#takeReady(id, chunk, start, end);
      case FRAME_DRAINED:
        if (id !== 0 || start !== end || !this.#stopping) throw new ProtocolError("DRAINED");
        return; // it ends by itself now
      default:
        throw new ProtocolError(`type 0x${type.toString(16)}`);
    }
  }

  #pass(type: number, id: number, chunk: Buffer, start: number, end: number): void {
    const taker = this.#ids.taker(id);
    if (taker !== null) return taker.receive(type, chunk, start, end);
    this.#ids.drop(id, type, type === FRAME_ABORT || type === FRAME_CLOSED || type === FRAME_WS_CLOSED);
  }

  #takeStats(sequence: number, chunk: Buffer, start: number, end: number): void {
    const at = this.#questions.findIndex((question) => question.sequence === sequence);
    if (at < 0) throw new ProtocolError("STATS that the host has not asked for");
    const stats = readStats(chunk, start, end);
    for (const { answer } of this.#questions.splice(0, at + 1)) answer(stats);
  }

  #takeRefused(id: number, chunk: Buffer, start: number, end: number): void {
    const acceptor = this.#acceptor;
    const isExpected = id === 0 || acceptor.refusedOpen !== undefined;
    if (!isExpected || !this.#ready || acceptor.kind !== KIND_HTTP) throw new ProtocolError("REFUSED");
    if (!this.#refusals.take()) throw new ProtocolError("too many REFUSED");
    const refusal = readRefusal(chunk, start, end);
    const peer = this.peer(refusal.descriptor, chunk, refusal.addressAt);
    const address = peer?.address ?? null;
    this.settings.logger.warn(refusalLine(refusal, address));
    if (id === 0) return acceptor.refused?.(refusal, address);
    this.#ids.check(id);
    const taker = acceptor.refusedOpen?.(this, id, peer ?? null, refusal);
    if (taker !== undefined) this.#ids.open(id, taker, 0);
  }

  #takeMark(sequence: number, size: number): void {
    if (size !== 0 || sequence !== sequenceAfter(this.#mark, 0)) throw new ProtocolError(`MARK ${sequence}`);
    this.#mark = sequence;
    this.written();
  }

  #takeReady(id: number, chunk: Buffer, start: number, end: number): void {
    if (this.#ready || id !== 0 || end - start !== 4) throw new ProtocolError("READY");
    const version = chunk.readUInt16LE(start);
    if (version !== PROTOCOL_VERSION) {
      throw new ProtocolError(`it speaks version ${version} of the bridge protocol, this host ${PROTOCOL_VERSION}`);
    }
    const listeners = chunk.readUInt16LE(start + 2);
    if (listeners !== this.#listeners) throw new ProtocolError(`${listeners} listeners instead of ${this.#listeners}`);
    this.#ready = true;
    this.#events.ready();
  }

  #writeConfig(): void {
    const at = this.writer.open(FRAME_CONFIG, 0, CONFIG_BYTES);
    const { buffer } = this.writer;
    const { settings } = this;
    put16(buffer, at, PROTOCOL_VERSION);
    buffer[at + 2] = this.#acceptor.kind;
    const { connects = false, asNode = false } = this.#acceptor;
    const isProxied = settings.proxyProtocol || this.#peers !== null;
    buffer[at + 3] = (isProxied ? CONFIG_PROXY : 0) | (connects ? CONFIG_CONNECT : 0) | (asNode ? CONFIG_NODE : 0);
    put32(buffer, at + 4, settings.connectionsMax);
    put64(buffer, at + 8, settings.bodyBytesMax);
    put32(buffer, at + 16, settings.headBytesMax);
    put32(buffer, at + 20, settings.headerTimeoutMs);
    put32(buffer, at + 24, settings.idleTimeoutMs);
    put32(buffer, at + 28, settings.bodyTimeoutMs);
    put32(buffer, at + 32, settings.writeTimeoutMs);
    put32(buffer, at + 36, settings.bufferBytesMax);
    put32(buffer, at + 40, settings.bodyWindow);
    put32(buffer, at + 44, settings.writeWindow);
    put32(buffer, at + 48, settings.requestsMax);
    put32(buffer, at + 52, settings.bodyRateBytesMin);
    put32(buffer, at + 56, settings.writeRateBytesMin);
    put32(buffer, at + 60, settings.memoryBytesMax);
    put32(buffer, at + 64, settings.halfCloseTimeoutMs);
    const { requestTimeoutMs = 0, idleBufferMs = 0 } = this.#acceptor.limits ?? {};
    put32(buffer, at + 68, Math.min(Math.ceil(requestTimeoutMs), UINT31_MAX));
    put32(buffer, at + 72, Math.min(Math.ceil(idleBufferMs), UINT31_MAX - settings.idleTimeoutMs));
  }
}

/** How many of each there are: `3 requests, 1 websocket`. */
function counted(live: readonly FrameTaker[]): string {
  const counts = new Map<string, number>();
  for (const { noun } of live) counts.set(noun, (counts.get(noun) ?? 0) + 1);
  return [...counts].map(([noun, count]) => `${count} ${noun}${count === 1 ? "" : "s"}`).join(", ");
}
