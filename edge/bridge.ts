/**
 * The host's Bridge in a component: what the core calls becomes frames for it, and its frames become actions. So
 * streams and websockets are those of the host, with all their bounds.
 *
 * Invariant: a frame that the core should not have sent is logged, and nothing else comes of it.
 * Reference: wit/waterspout.wit, `streams` and `websockets`; docs/protocol.md.
 */
import { type Acceptor, Bridge, type BridgeSettings, type FrameWriter } from "host:bridge/bridge";
import { resolveBridge } from "host:bridge/settings";
import {
  ADDRESS_BYTES,
  FRAME_ABORT,
  FRAME_BODY_CREDIT,
  FRAME_CANCEL,
  FRAME_CLOSE,
  FRAME_CLOSED,
  FRAME_DATA,
  FRAME_DATA_END,
  FRAME_END,
  FRAME_HEADER_BYTES,
  FRAME_OPEN,
  FRAME_READ_BYTES,
  FRAME_READ_FAILED,
  FRAME_READ_UNTIL,
  FRAME_READY,
  FRAME_REQUEST,
  FRAME_SENT,
  FRAME_WRITE,
  FRAME_WS_ACCEPT,
  FRAME_WS_CLOSE,
  FRAME_WS_CLOSED,
  FRAME_WS_DATA,
  FRAME_WS_ENDING,
  FRAME_WS_PING,
  FRAME_WS_PONG,
  FRAME_WS_SEND,
  FRAME_WS_SEND_PING,
  KIND_HTTP,
  OPEN_BYTES,
  PROTOCOL_VERSION,
  put16,
  put32,
  WS_ACCEPT_BYTES,
  WS_ACCEPT_DEFLATE,
  WS_CLOSED_BYTES,
  WS_COMPRESSED,
  WS_DATA_BYTES,
  WS_LAST,
  WS_SEND_BYTES,
} from "../host/bridge/frames.js";
import { REASONS } from "../host/core/reasons.js";
import { Buffer, viewOf } from "./buffer.js";
import { inspect } from "./inspect.js";
import { type Link, setLink, setUpgrading, type Upgrade } from "./link.js";
import { type Action, type MessageKind, push, touch } from "./queue.js";
import { report } from "./report.js";
import { decode, latin1Of } from "./text.js";

const NOTHING = Buffer.alloc(0);
const TYPE_SHIFT = 24;
const SIZE_MASK = 2 ** TYPE_SHIFT - 1;
const AT_ONCE = 1;
const TEXT = 1;
const BINARY = 2;
/** By opcode. */
const KINDS: readonly MessageKind[] = ["continuation", "text", "binary"];

/** A peer, as far as a component knows it. */
interface Peer {
  address: { address: string; port: number; family: string } | null;
  tls: null;
}

class CoreBridge implements Link {
  readonly #bridge: Bridge;
  /** Of the connection that is being opened. */
  #peer: Peer = { address: null, tls: null };
  /** Ids of websockets, for the core may not have opened them yet. */
  readonly #sockets = new Set<number>();
  #make: Upgrade | null = null;

  constructor(acceptor: Acceptor | null, settings: BridgeSettings) {
    const peers = { get: () => this.#peer };
    const given = acceptor ?? { kind: KIND_HTTP, accept: (bridge: Bridge, id: number) => this.#upgraded(bridge, id) };
    this.#bridge = new Bridge(given, settings, 1, { ready() {}, failed: complain }, peers);
    this.#bridge.attach({ schedule() {}, send: act, peer: () => null, kill() {} });
    const hello = Buffer.alloc(4);
    put16(hello, 0, PROTOCOL_VERSION);
    put16(hello, 2, 1);
    this.#frame(FRAME_READY, 0, hello);
  }

  readonly streams: Link["streams"] = {
    opened: (id, address, port) => {
      this.#peer = peerOf(address, port);
      this.#frame(FRAME_OPEN, id, Buffer.alloc(OPEN_BYTES + ADDRESS_BYTES));
    },
    data: (id, bytes, last) => void this.#frame(last ? FRAME_DATA_END : FRAME_DATA, id, viewOf(bytes)),
    readFailed: (id, why) => void this.#frame(FRAME_READ_FAILED, id, reasonOf(why)),
    ended: (id) => void this.#frame(FRAME_END, id, NOTHING),
    sent: (id, bytes) => void this.#frame(FRAME_SENT, id, numberOf(bytes)),
    closed: (id, why) => void this.#frame(FRAME_CLOSED, id, reasonOf(why)),
  };

  readonly websockets: Link["websockets"] = {
    data: (id, bytes, isText, compressed, last) => {
      const payload = Buffer.alloc(WS_DATA_BYTES + bytes.length);
      payload[0] = isText ? TEXT : BINARY;
      payload[1] = (last ? WS_LAST : 0) | (compressed ? WS_COMPRESSED : 0);
      payload.set(bytes, WS_DATA_BYTES);
      this.#frame(FRAME_WS_DATA, id, payload);
    },
    ping: (id, bytes) => void this.#frame(FRAME_WS_PING, id, viewOf(bytes)),
    pong: (id, bytes) => void this.#frame(FRAME_WS_PONG, id, viewOf(bytes)),
    sent: (id, bytes) => void this.#frame(FRAME_SENT, id, numberOf(bytes)),
    ending: (id) => void this.#frame(FRAME_WS_ENDING, id, NOTHING),
    closed: (id, code, why, words) => {
      this.#sockets.delete(id);
      const head = Buffer.alloc(WS_CLOSED_BYTES);
      put16(head, 0, code);
      head.set(reasonOf(why), 2);
      this.#frame(FRAME_WS_CLOSED, id, Buffer.concat([head, Buffer.from(words)]));
    },
  };

  aborted(id: number): void {
    if (this.#sockets.delete(id)) this.#frame(FRAME_ABORT, id, reasonOf("end"));
  }

  flush(): void {
    this.#bridge.flush();
  }

  /** The request with this id is for what `make` makes from now on. */
  upgrade(id: number, address: string, make: Upgrade): void {
    this.#peer = peerOf(address, 0);
    this.#make = make;
    this.#sockets.add(id);
    if (this.#frame(FRAME_REQUEST, id, NOTHING)) return;
    this.#sockets.delete(id);
    push({ tag: "abort", val: id }); // nobody would answer it
  }

  /** In the Bridge's words: the endpoint of a request, which is replaced as soon as it is open. */
  #upgraded(bridge: Bridge, id: number): object {
    const [make, peer] = [this.#make as Upgrade, this.#peer];
    return {
      noun: "request",
      receive() {},
      shed() {},
      lost() {},
      run: () => bridge.replace(id, make(bridge, id, peer, nothing)),
    };
  }

  /** False: it was not taken. */
  #frame(type: number, id: number, payload: Buffer): boolean {
    touch();
    try {
      this.#bridge.frame(type, id, payload, 0, payload.length);
      return true;
    } catch (error) {
      complain(error);
      return false;
    }
  }
}

/** The connections of the component are streams, which `acceptor` makes. */
export function serveStreams(acceptor: Acceptor, settings: BridgeSettings): void {
  setLink(new CoreBridge(acceptor, settings));
  const { connectionsMax, idleTimeoutMs, writeTimeoutMs, halfCloseTimeoutMs } = settings;
  const { bufferBytesMax, memoryBytesMax, proxyProtocol } = settings;
  push({
    tag: "serve-streams",
    val: {
      ...{ connectionsMax, idleTimeoutMs, writeTimeoutMs, halfCloseTimeoutMs },
      ...{ bufferBytesMax, memoryBytesMax, proxyProtocol },
    },
  });
}

/** There is no access log here. */
function nothing(): void {}

let ofRequests: CoreBridge | null = null;

push({ tag: "offer-websockets" });
setUpgrading((id, address, make) => {
  if (ofRequests === null) {
    ofRequests = new CoreBridge(null, resolveBridge({}));
    setLink(ofRequests);
  }
  ofRequests.upgrade(id, address, make);
});

function peerOf(address: string, port: number): Peer {
  const family = address.includes(":") ? "IPv6" : "IPv4";
  return { address: address === "" ? null : { address, port, family }, tls: null };
}

function complain(error: unknown): void {
  report(`error: the core has broken the bridge's protocol: ${inspect(error)}`);
}

function reasonOf(why: string): Buffer {
  const payload = Buffer.alloc(2);
  put16(payload, 0, REASONS[why.toUpperCase().replaceAll("-", "_") as keyof typeof REASONS]);
  return payload;
}

function numberOf(value: number): Buffer {
  const payload = Buffer.alloc(4);
  put32(payload, 0, value);
  return payload;
}

/** All that waits in the writer, whole frames, becomes actions. */
function act(writer: FrameWriter): void {
  writer.drain((block, start, end) => {
    for (let at = start; at < end; ) {
      const head = number32At(block, at);
      const payload = at + FRAME_HEADER_BYTES;
      at = payload + (head & SIZE_MASK);
      const action = actionOf(head >>> TYPE_SHIFT, number32At(block, payload - 4), block, payload, at);
      if (action !== null) push(action);
    }
    return true;
  });
}

/** Null: a frame that is for the sandbox of a process alone, CONFIG or ECHO. */
function actionOf(type: number, id: number, block: Buffer, start: number, end: number): Action | null {
  switch (type) {
    case FRAME_READ_UNTIL:
      return {
        tag: "read-until",
        val: { id, bytesMax: number32At(block, start), delimiter: bytesOf(block, start + 4, end) },
      };
    case FRAME_READ_BYTES: {
      const [bytes, partial] = [number32At(block, start), number32At(block, start + 4) === 1];
      return { tag: "read-bytes", val: { id, bytes, partial } };
    }
    case FRAME_WRITE:
      return { tag: "write", val: { id, bytes: bytesOf(block, start, end) } };
    case FRAME_CLOSE:
      return { tag: number32At(block, start) === AT_ONCE ? "close" : "finish", val: id };
    default:
      return socketActionOf(type, id, block, start, end);
  }
}

function socketActionOf(type: number, id: number, block: Buffer, start: number, end: number): Action | null {
  switch (type) {
    case FRAME_BODY_CREDIT:
      return { tag: "credit", val: { id, bytes: number32At(block, start) } };
    case FRAME_CANCEL:
      return { tag: "abort", val: id };
    case FRAME_WS_ACCEPT: {
      const fields = latin1Of(block.subarray(start + WS_ACCEPT_BYTES, end));
      const deflate = block[start + 4] === WS_ACCEPT_DEFLATE;
      return { tag: "accept", val: { id, fields, messageBytesMax: number32At(block, start), deflate } };
    }
    case FRAME_WS_SEND: {
      const [opcode = 0, flags = 0] = block.subarray(start, start + 2);
      const compressed = (flags & WS_COMPRESSED) !== 0;
      const rest = number32At(block, start + 2); // of 48 bits; there is no more memory
      const bytes = bytesOf(block, start + WS_SEND_BYTES, end);
      return { tag: "message", val: { id, kind: KINDS[opcode] as MessageKind, compressed, rest, bytes } };
    }
    case FRAME_WS_SEND_PING:
      return { tag: "ping", val: { id, bytes: bytesOf(block, start, end) } };
    case FRAME_WS_CLOSE: {
      const code = (block[start] as number) | ((block[start + 1] as number) << 8);
      return { tag: "close-websocket", val: { id, code, words: decode(block.subarray(start + 2, end), false, true) } };
    }
    default:
      return null;
  }
}

function number32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
}

/** A copy: the block is written to again. */
function bytesOf(block: Buffer, start: number, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(block, start, end);
}
