// A scripted sandbox: it speaks the protocol's bytes with a bridge, emits what the test wants, and keeps what it receives.
import { type Acceptor, Bridge, type Channel, type Peer } from "../../../host/bridge/bridge.js";
import {
  FRAME_HEADER_BYTES,
  FRAME_MARK,
  FRAME_READY,
  FRAME_REQUEST,
  PROTOCOL_VERSION,
  REQUEST_BYTES,
  REQUEST_END,
} from "../../../host/bridge/frames.js";
import type { FrameWriter } from "../../../host/bridge/framewriter.js";
import { type BridgeOptions, resolveBridge } from "../../../host/bridge/settings.js";
import type { Logger } from "../../../host/core/log.js";

export interface Frame {
  type: number;
  id: number;
  payload: Buffer;
}

export class FakeWorker implements Channel {
  readonly bridge: Bridge;
  readonly log: string[] = [];
  killed = false;
  failure: Error | null = null;
  isReady = false;
  readonly peers = new Map<number, Peer>();
  private frames: Frame[] = [];
  private marks = 0;

  constructor(makeAcceptor: (logger: Logger) => Acceptor, options: BridgeOptions = {}) {
    const note =
      (level: string) =>
      (fields: object | string, message?: string): void => {
        const error = typeof fields === "object" && "err" in fields ? `: ${fields.err}` : "";
        this.log.push(`${level} ${typeof fields === "string" ? fields : message}${error}`);
      };
    const logger: Logger = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
    this.bridge = new Bridge(makeAcceptor(logger), resolveBridge({ ...options, logger }), 1, {
      ready: () => {
        this.isReady = true;
      },
      failed: (error) => {
        this.failure = error;
      },
    });
    this.bridge.attach(this);
  }

  // --- the channel ---

  schedule(): void {
    setImmediate(() => this.bridge.flush());
  }

  send(writer: FrameWriter): void {
    const bytes = Buffer.allocUnsafe(writer.waiting);
    writer.copyTo(bytes, 0, bytes.length);
    for (let at = 0; at < bytes.length; ) {
      const word = bytes.readUInt32LE(at);
      const end = at + FRAME_HEADER_BYTES + (word & 0xffffff);
      this.frames.push({
        type: word >>> 24,
        id: bytes.readUInt32LE(at + 4),
        payload: bytes.subarray(at + FRAME_HEADER_BYTES, end),
      });
      at = end;
    }
  }

  peer(descriptor: number): Peer | null {
    return this.peers.get(descriptor) ?? null;
  }

  kill(): void {
    this.killed = true;
  }

  // --- the script ---

  /** Sends frames to the host in one batch, with its MARK. */
  emit(...frames: Buffer[]): void {
    this.bridge.receive(Buffer.concat([...frames, frame(FRAME_MARK, ++this.marks)]));
  }

  ready(): this {
    this.emit(frame(FRAME_READY, 0, u16(PROTOCOL_VERSION, 1)));
    return this;
  }

  /** What the host has written since the last call, once its turn is over. */
  async received(): Promise<Frame[]> {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    const frames = this.frames;
    this.frames = [];
    return frames;
  }

  /** The same, without ECHO and CONFIG. */
  async receivedAnswers(): Promise<Frame[]> {
    return (await this.received()).filter(({ type }) => type !== 0x42 && type !== 0x41);
  }
}

/** Takes steps until it is so, or for ten seconds: what is expected then says what is wrong. */
export async function until(isSo: () => boolean, step: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo() && performance.now() < deadline) await step();
}

export function frame(type: number, id: number, payload: Buffer | string = Buffer.alloc(0)): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(((type << 24) | body.length) >>> 0, 0);
  header.writeUInt32LE(id, 4);
  return Buffer.concat([header, body]);
}

export function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, index * 2);
  return bytes;
}

export function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
}

/** An id in `slot`, of its `generation`. */
export function idOf(slot: number, generation = 1): number {
  return ((generation << 18) | slot) >>> 0;
}

export interface RequestParts {
  method?: number;
  methodText?: string;
  minor?: number;
  flags?: number;
  target?: string;
  headers?: [string, string][];
  descriptor?: number;
  contentLength?: number;
  body?: string;
}

/** A REQUEST's payload: `GET /`, complete, unless said otherwise. */
export function request(parts: RequestParts = {}): Buffer {
  const { method = 1, methodText = "", minor = 1, target = "/", headers = [], body = "" } = parts;
  const head = Buffer.alloc(REQUEST_BYTES);
  head[0] = method;
  head[1] = minor;
  head[2] = parts.flags ?? REQUEST_END;
  head.writeUInt16LE(headers.length, 4);
  head.writeUInt16LE(methodText.length, 6);
  head.writeUInt16LE(target.length, 8);
  head.writeUInt32LE(parts.descriptor ?? 0, 12);
  head.writeBigInt64LE(BigInt(parts.contentLength ?? body.length), 16);
  const table = u16(...headers.flatMap(([name, value]) => [name.length, value.length]));
  const text = methodText + target + headers.map(([name, value]) => name + value).join("") + body;
  return Buffer.concat([head, table, Buffer.from(text, "latin1")]);
}

export function requestFrame(id: number, parts: RequestParts = {}): Buffer {
  return frame(FRAME_REQUEST, id, request(parts));
}
