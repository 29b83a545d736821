// A worker that an attacker controls: frames into the host's bridge that are right, nearly right or noise, with
// handlers of every kind behind it.
//
// Invariants tested: nothing but a ProtocolError ends the worker, and nothing is thrown or rejected anywhere; what the
// host says makes sense to a sandbox; once all ids are over nothing is held for them, and at the end of the worker
// every handler has ended.
import type { Bridge } from "../../host/bridge/bridge.js";
import * as f from "../../host/bridge/frames.js";
import { ProtocolError } from "../../host/core/errors.js";
import { WS_DATA_COST } from "../../host/core/limits.js";
import {
  FakeWorker,
  type Frame,
  frame,
  idOf,
  type RequestParts,
  requestFrame,
  u16,
  u32,
} from "../host/support/fakeworker.js";
import { Handlers, MESSAGE_BYTES_MAX, WAYS } from "./handlers.js";
import type { Random } from "./random.js";

const STEPS_MAX = 60;
const SLOTS = 6;
const REASONS = 12;
const WINDOW_BYTES = 1 << 14;
/** A handler that has not ended by then never will; zlib and files take a moment. */
const END_MS_MAX = 10_000;
const HANDSHAKE: [string, string][] = [
  ["host", "x"],
  ["sec-websocket-extensions", "permessage-deflate"],
];

/** What the sandbox knows of an id that it has opened. */
interface Open {
  readonly id: number;
  readonly kind: "request" | "stream" | "websocket";
  /** Bytes of the body that are to come, -1: chunked; 0: none. */
  rest: number;
  /** Bytes of its body or messages that the host still takes. */
  credit: number;
  /** Bytes that the host has sent and SENT has not confirmed. */
  unsent: number;
  /** The host has begun its answer, or ended the id. */
  begun: boolean;
  over: boolean;
  /** END has been said, or WS_ENDING. */
  ended: boolean;
  /** The pending read of a stream. */
  read: { least: number; most: number; end: string } | null;
  /** The kind of the message that is coming; 0: none. */
  opcode: number;
  flags: number;
  /** Its bytes so far. */
  size: number;
  /** The host takes compressed ones. */
  deflates: boolean;
}

export class WorkerFuzz {
  readonly name = "frames into the host";
  connections = 0;
  answers = 0;
  /** Messages that handlers of websockets were given, and reads of streams that were complete. */
  messages = 0;
  reads = 0;
  /** Runs that have ended with a ProtocolError. */
  refusals = 0;
  /** The bridge of each run, to see whether it is ever let go. */
  readonly bridges: WeakRef<Bridge>[] = [];

  /** One worker's life. Throws what went wrong. */
  async run(random: Random): Promise<void> {
    const life = new Life(random);
    this.bridges.push(new WeakRef(life.worker.bridge));
    await life.run();
    this.connections += life.opened;
    this.answers += life.answers;
    this.messages += life.handlers.messages;
    this.reads += life.handlers.reads;
    if (life.worker.failure !== null) this.refusals++;
  }
}

class Life {
  opened = 0;
  answers = 0;
  readonly handlers = new Handlers();
  readonly worker: FakeWorker;
  readonly #random: Random;
  readonly #kind: "request" | "stream" | "websocket";
  /** The host serves handlers of Node's kind, and gets the connections of requests that the sandbox has refused. */
  readonly #isNode: boolean;
  readonly #open = new Map<number, Open>();
  readonly #generations: number[] = Array(SLOTS).fill(0);
  #asked = 0;
  /** Something was said that was not right: other ids may be open than are known. */
  #isSpoilt = false;

  constructor(random: Random) {
    this.#random = random;
    this.#kind = random.pick(["request", "request", "stream", "websocket"] as const);
    this.#isNode = this.#kind === "request" && random.once(3);
    const options = { bodyWindow: WINDOW_BYTES, decompressRequest: random.once(2), compressResponse: random.once(3) };
    this.worker = new FakeWorker((logger) => {
      if (this.#kind === "stream") return this.handlers.streams(random, logger).acceptor();
      return this.handlers.http({ ...options, logger }, this.#isNode).acceptor();
    }, options);
  }

  async run(): Promise<void> {
    const random = this.#random;
    const { worker } = this;
    worker.ready();
    const right = random.pick([3, 20, 100, 1e9]); // so seldom a frame is not right
    for (let step = random.below(STEPS_MAX); step > 0 && worker.failure === null; step--) {
      const said = Array.from({ length: 1 + random.below(4) }, () => {
        const next = this.#next();
        if (!random.once(right)) return next;
        this.#isSpoilt = true;
        return spoilt(next, random);
      });
      if (random.once(8)) this.#cut(Buffer.concat(said));
      else worker.emit(...said);
      if (random.once(3)) for (const heard of await worker.received()) this.#hear(heard);
    }
    for (const heard of await worker.received()) this.#hear(heard);
    if (worker.failure === null) await this.#close();
    const { failure } = worker;
    if (failure !== null && !(failure instanceof ProtocolError && this.#isSpoilt)) throw failure;
    worker.bridge.end();
    const deadline = performance.now() + END_MS_MAX;
    while (this.handlers.doing.length > 0) {
      if (performance.now() > deadline)
        throw new Error(`handlers have not ended with their worker: ${this.handlers.doing}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** In pieces that end anywhere. */
  #cut(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + this.#random.below(Math.min(bytes.length - at, 3000));
      this.worker.bridge.receive(bytes.subarray(at, end));
      at = end;
    }
  }

  /** All connections end: then nothing may be held. */
  async #close(): Promise<void> {
    const { worker } = this;
    for (const { id, kind, over } of this.#open.values()) {
      if (kind === "stream") worker.emit(frame(f.FRAME_CLOSED, id, u16(3)));
      else if (!over || kind === "websocket") worker.emit(frame(f.FRAME_ABORT, id, u16(3)));
      if (worker.failure !== null) return;
    }
    await worker.received();
    if (!this.#isSpoilt && worker.bridge.held !== 0) throw new Error(`${worker.bridge.held} bytes are held for no id`);
  }

  // --- what the sandbox says ---

  #next(): Buffer {
    const random = this.#random;
    const all = [...this.#open.values()];
    if (all.length === 0 || random.once(5)) return this.#begin();
    if (random.once(30)) return this.#others();
    const one = random.pick(all);
    if (one.unsent > 0 && random.once(2)) return this.#sent(one);
    if (random.once(15)) return this.#end(one);
    if (one.kind === "stream") return this.#data(one);
    if (one.kind === "websocket") return this.#message(one);
    return this.#body(one);
  }

  #begin(): Buffer {
    const random = this.#random;
    const slot = random.below(SLOTS);
    const before = this.#open.get(slot);
    if (before !== undefined && !(before.over && before.kind !== "stream")) return this.#others();
    const id = idOf(slot, (this.#generations[slot] = (this.#generations[slot] as number) + 1));
    const isRefused = this.#isNode && random.once(6);
    const kind = isRefused ? "stream" : this.#kind === "websocket" && random.once(4) ? "request" : this.#kind;
    const one = opened(id, kind);
    this.#open.set(slot, one);
    this.opened++;
    if (isRefused) return Buffer.concat([this.#refused(id), frame(f.FRAME_DETACHED, id, u32(random.below(100)))]);
    if (kind === "stream") return frame(f.FRAME_OPEN, id, u32(random.below(4), 0));
    if (kind === "websocket") {
      const flags = f.REQUEST_END | f.REQUEST_WEBSOCKET;
      return requestFrame(id, { flags, headers: HANDSHAKE, target: `/ws/${random.below(6)}` });
    }
    return this.#request(one);
  }

  #request(one: Open): Buffer {
    const random = this.#random;
    const headers: [string, string][] = [["host", "x"]];
    if (random.once(3)) headers.push(["content-type", random.pick(["application/x-www-form-urlencoded", FORM_TYPE])]);
    if (random.once(6)) headers.push(["content-encoding", "gzip"]);
    if (random.once(3)) headers.push(["accept-encoding", "gzip, br"]);
    if (random.once(3))
      headers.push([random.pick(["__proto__", "cookie", "x", "\xff\0"]), random.pick(["", "a=1;b", "\r\n"])]);
    const parts: RequestParts = { headers, target: `/${random.below(WAYS)}?a=${random.below(9)}` };
    if (random.once(2)) return requestFrame(one.id, { ...parts, method: random.below(8) || 1 });
    const length = random.pick([-1, 0, 1, 500, 20_000]);
    const body = random.once(2) ? "" : "x".repeat(Math.min(random.below(300), length < 0 ? 300 : length));
    const end = length >= 0 && body.length === length;
    one.rest = end ? 0 : length < 0 ? -1 : length - body.length;
    const expects = !end && body === "" && random.once(4);
    one.credit = expects ? 0 : WINDOW_BYTES - body.length;
    const flags = (end ? f.REQUEST_END : 0) | (expects ? f.REQUEST_EXPECT : 0);
    return requestFrame(one.id, { ...parts, method: 3, flags, contentLength: length, body });
  }

  #body(one: Open): Buffer {
    const random = this.#random;
    if (one.rest === 0 || one.over) return this.#others();
    const rest = one.rest < 0 ? random.below(100) : one.rest;
    if (rest <= one.credit && random.once(3)) {
      const trailers = one.rest < 0 && random.once(3) ? frame(f.FRAME_TRAILERS, one.id, TRAILERS) : Buffer.alloc(0);
      one.rest = 0;
      return Buffer.concat([trailers, frame(f.FRAME_BODY_END, one.id, Buffer.alloc(rest, "y"))]);
    }
    const most = Math.min(one.rest < 0 ? 1000 : one.rest, 1000, one.credit);
    if (most === 0) return this.#others();
    const bytes = 1 + random.below(most);
    one.credit -= bytes;
    if (one.rest > 0) one.rest -= bytes;
    return frame(f.FRAME_BODY, one.id, random.once(4) ? random.bytes(bytes) : Buffer.alloc(bytes, "y"));
  }

  #data(one: Open): Buffer {
    const random = this.#random;
    const { read } = one;
    if (!one.ended && random.once(20)) {
      one.ended = true;
      return frame(f.FRAME_END, one.id);
    }
    if (read === null || read.most < read.end.length) return this.#others();
    one.read = null;
    if (one.ended || random.once(10)) return frame(f.FRAME_READ_FAILED, one.id, u16(1 + random.below(REASONS)));
    const bytes = Math.min(read.most, Math.max(read.least, read.end.length, 1 + random.below(2000)));
    const data = Buffer.alloc(bytes, "d");
    data.write(read.end, bytes - read.end.length, "latin1");
    const cut = random.once(3) ? random.below(bytes) : 0;
    const first = cut > 0 ? frame(f.FRAME_DATA, one.id, data.subarray(0, cut)) : Buffer.alloc(0);
    return Buffer.concat([first, frame(f.FRAME_DATA_END, one.id, data.subarray(cut))]);
  }

  #message(one: Open): Buffer {
    const random = this.#random;
    if (!one.begun || one.over || one.ended || one.credit < 700) return this.#others();
    if (random.once(20)) {
      one.ended = true;
      return frame(f.FRAME_WS_ENDING, one.id);
    }
    if (random.once(6))
      return frame(random.pick([f.FRAME_WS_PING, f.FRAME_WS_PONG]), one.id, random.bytes(random.below(126)));
    if (one.opcode === 0) {
      one.opcode = 1 + random.below(2);
      one.flags = one.deflates && random.once(2) ? f.WS_COMPRESSED : 0;
      one.size = 0;
    }
    const last = random.once(2) || one.size > MESSAGE_BYTES_MAX - 1200 ? f.WS_LAST : 0;
    const head = Buffer.from([one.opcode, one.flags | last, 0, 0]);
    if (last) one.opcode = 0;
    const bytes = random.once(3) ? random.bytes(random.below(600)) : Buffer.alloc(random.below(600), "m");
    one.credit -= bytes.length + WS_DATA_COST;
    one.size += bytes.length;
    return frame(f.FRAME_WS_DATA, one.id, Buffer.concat([head, bytes]));
  }

  #sent(one: Open): Buffer {
    const bytes = 1 + this.#random.below(one.unsent);
    one.unsent -= bytes;
    return frame(f.FRAME_SENT, one.id, u32(bytes));
  }

  #end(one: Open): Buffer {
    const random = this.#random;
    this.#open.delete(one.id & f.SLOT_MASK);
    const reason = u16(1 + random.below(REASONS));
    if (one.kind === "stream") return frame(f.FRAME_CLOSED, one.id, reason);
    if (one.kind === "websocket" && one.begun)
      return frame(f.FRAME_WS_CLOSED, one.id, Buffer.concat([u16(random.pick([1000, 1005, 1006, 3000])), reason]));
    return one.over ? this.#others() : frame(f.FRAME_ABORT, one.id, reason);
  }

  /** What belongs to no id. */
  #others(): Buffer {
    const random = this.#random;
    if (this.#asked > 0 && random.once(2)) return frame(f.FRAME_STATS, this.#asked--, random.bytes(f.STATS_BYTES));
    if (this.#asked === 0 && random.once(4)) {
      void this.worker.bridge.stats();
      this.#asked = 0;
    }
    return this.#kind === "stream" ? Buffer.alloc(0) : this.#refused(0);
  }

  /** With an id the connection stays, for what the host writes to it; 0: the sandbox has answered. */
  #refused(id: number): Buffer {
    const random = this.#random;
    const head = Buffer.concat([u16(400 + random.below(100), random.below(9)), u32(0), Buffer.alloc(20)]);
    return frame(f.FRAME_REFUSED, id, Buffer.concat([head, Buffer.from("The request has no Host")]));
  }

  // --- what the host says ---

  #hear({ type, id, payload }: Frame): void {
    if (type === f.FRAME_CONFIG || type === f.FRAME_ECHO || type === f.FRAME_GET_STATS) return;
    const one = this.#open.get(id & f.SLOT_MASK);
    if (one === undefined || one.id !== id) return; // it has crossed the id's end
    if (one.over) throw new Error(`type 0x${type.toString(16)} for an id that the host has ended`);
    switch (type) {
      case f.FRAME_BODY_CREDIT:
        one.credit += payload.readUInt32LE(0);
        return;
      case f.FRAME_RESPONSE:
      case f.FRAME_WS_ACCEPT:
        if (one.begun) throw new Error("a second answer");
        one.begun = true;
        one.deflates = type === f.FRAME_WS_ACCEPT && payload[4] === f.WS_ACCEPT_DEFLATE;
        this.answers++;
        one.over = type === f.FRAME_RESPONSE && ((payload[2] as number) & f.RESPONSE_LAST) !== 0;
        return;
      case f.FRAME_RESPONSE_END:
      case f.FRAME_CANCEL:
      case f.FRAME_CLOSE:
        one.over = one.kind !== "stream";
        return;
      case f.FRAME_RESPONSE_BODY:
      case f.FRAME_WRITE:
        one.unsent += payload.length;
        return;
      case f.FRAME_WS_SEND:
        one.unsent += payload.length - f.WS_SEND_BYTES;
        return;
      case f.FRAME_READ_UNTIL:
        one.read = { least: 0, most: payload.readUInt32LE(0), end: payload.toString("latin1", 4) };
        return;
      case f.FRAME_READ_BYTES: {
        const most = payload.readUInt32LE(0);
        one.read = { least: payload.readUInt32LE(4) === 1 ? 1 : most, most, end: "" };
        return;
      }
    }
  }
}

const FORM_TYPE = "multipart/form-data; boundary=yyy";
const TRAILERS = Buffer.concat([u16(1, 0), u16(1, 2), Buffer.from("avw")]);

function opened(id: number, kind: Open["kind"]): Open {
  const book = { rest: 0, credit: WINDOW_BYTES, unsent: 0, opcode: 0, flags: 0, size: 0 };
  return { id, kind, ...book, begun: false, over: false, ended: false, deflates: false, read: null };
}

/** A frame, or several, of which something is wrong. */
function spoilt(right: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(right);
  if (bytes.length < f.FRAME_HEADER_BYTES) return random.bytes(random.below(40));
  switch (random.below(8)) {
    case 0: // its type
      bytes[3] = random.once(2) ? random.below(256) : random.pick(TYPES);
      return bytes;
    case 1: // its id
      bytes.writeUInt32LE(
        random.pick([0, 0xffffffff, idOf(random.below(SLOTS), 1 + random.below(4)), idOf(40_000)]),
        4,
      );
      return bytes;
    case 2: // its size
      bytes.writeUIntLE(random.pick([0, 1, bytes.length, random.below(1 << 24)]), 0, 3);
      return bytes;
    case 3: // twice
      return Buffer.concat([bytes, bytes]);
    case 4: // another payload
      return frame(
        random.pick(TYPES),
        bytes.readUInt32LE(4),
        random.bytes(random.below(random.once(9) ? 131_073 : 60)),
      );
    case 5: // shorter
      return frame(bytes[3] as number, bytes.readUInt32LE(4), bytes.subarray(8, 8 + random.below(bytes.length - 7)));
    default: // some bytes of it
      for (let count = 1 + random.below(3); count > 0; count--) bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
  }
}

const TYPES = [
  ...[f.FRAME_READY, f.FRAME_MARK, f.FRAME_DRAINED, f.FRAME_STATS, f.FRAME_REFUSED, f.FRAME_OPEN, f.FRAME_DATA],
  ...[
    f.FRAME_DATA_END,
    f.FRAME_SENT,
    f.FRAME_READ_FAILED,
    f.FRAME_CLOSED,
    f.FRAME_END,
    f.FRAME_RAW,
    f.FRAME_RAW_FAILED,
  ],
  ...[
    f.FRAME_REQUEST,
    f.FRAME_BODY,
    f.FRAME_BODY_END,
    f.FRAME_ABORT,
    f.FRAME_WS_DATA,
    f.FRAME_WS_PONG,
    f.FRAME_WS_PING,
    f.FRAME_WS_ENDING,
  ],
  ...[f.FRAME_WS_CLOSED, f.FRAME_TRAILERS, f.FRAME_DETACHED],
];
