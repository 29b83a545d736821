// A WebSocketHandler behind a scripted sandbox: it records what it is called with, and the test sends frames and reads
// those of the host.
import { expect } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import {
  type Application,
  HTTPServer,
  type HTTPServerRequest,
  type MessageCompressionOptions,
  type ServerOptions,
  WebSocketHandler,
  type WebSocketSettings,
} from "../../../host/index.js";
import { FakeWorker, type Frame, frame, idOf, type RequestParts, requestFrame, u16, u32 } from "./fakeworker.js";

export const ID = idOf(7);
export const OTHER_ID = idOf(8);

/** The calls of a handler's methods, in order. */
export type Note = string | Buffer | unknown[];

export class Noting extends WebSocketHandler {
  readonly notes: Note[] = [];
  /** What onMessage returns, until it is replaced. */
  answer: (message: string | Buffer) => void | Promise<void> = () => {};
  compression: MessageCompressionOptions | null = null;

  override open(...args: unknown[]): void {
    this.notes.push(["open", ...args]);
  }
  override onMessage(message: string | Buffer): void | Promise<void> {
    this.notes.push(message);
    return this.answer(message);
  }
  override onClose(): void {
    this.notes.push(["close", this.closeCode, this.closeReason]);
  }
  override onPing(data: Buffer): void {
    this.notes.push(["ping", data.toString()]);
  }
  override onPong(data: Buffer): void {
    this.notes.push(["pong", data.toString()]);
  }
}

export interface Rig {
  worker: FakeWorker;
  /** The handlers that were made, in order. */
  handlers: Noting[];
}

export type Setup = (handler: Noting) => void;

/** A server whose every request is for a websocket. */
export function serve(
  setup: Setup = () => {},
  settings: Partial<WebSocketSettings> = {},
  options: ServerOptions = {},
  base: typeof Noting = Noting,
): Rig {
  const handlers: Noting[] = [];
  class Handler extends base {
    constructor(application: Application, request: HTTPServerRequest) {
      super(application, request);
      setup(this);
      handlers.push(this);
    }
  }
  const worker = new FakeWorker((logger) => {
    return new HTTPServer((request) => Handler.serve(request, [], settings), { ...options, logger }).acceptor();
  }, options);
  return { worker: worker.ready(), handlers };
}

export const HANDSHAKE: [string, string][] = [
  ["host", "example.com"],
  ["upgrade", "websocket"],
  ["connection", "Upgrade"],
  ["sec-websocket-version", "13"],
  ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
];

export function handshake(id = ID, headers: [string, string][] = [], parts: RequestParts = {}): Buffer {
  const flags = f.REQUEST_END | f.REQUEST_KEEP_ALIVE | f.REQUEST_WEBSOCKET;
  return requestFrame(id, { flags, headers: [...HANDSHAKE, ...headers], target: "/ws", ...parts });
}

/** An open websocket, its WS_ACCEPT heard. */
export async function open(rig: Rig, headers: [string, string][] = []): Promise<{ handler: Noting; accept: Frame }> {
  rig.worker.emit(handshake(ID, headers));
  const frames = await rig.worker.receivedAnswers();
  expect(rig.worker.failure).toBeNull();
  expect(frames.map(({ type, id }) => [type, id])).toEqual([[f.FRAME_WS_ACCEPT, ID]]);
  return { handler: rig.handlers[0], accept: frames[0] };
}

/** The rows of a WS_ACCEPT. */
export function fieldsOf({ payload }: Frame): [string, string][] {
  const rows = payload.readUInt16LE(6);
  let at = f.WS_ACCEPT_BYTES + rows * 4;
  const take = (bytes: number): string => payload.toString("latin1", at, (at += bytes));
  return Array.from({ length: rows }, (_, row) => {
    const sizes = f.WS_ACCEPT_BYTES + row * 4;
    const name = take(payload.readUInt16LE(sizes));
    return [name, take(payload.readUInt16LE(sizes + 2))];
  });
}

export const TEXT = 1;
export const BINARY = 2;

/** A WS_DATA. */
export function data(opcode: number, flags: number, bytes: Buffer | string = "", id = ID): Buffer {
  return frame(f.FRAME_WS_DATA, id, Buffer.concat([Buffer.from([opcode, flags, 0, 0]), Buffer.from(bytes)]));
}

/** A whole text message. */
export function text(message: string): Buffer {
  return data(TEXT, f.WS_LAST, message);
}

export function closed(code: number, reason: number, words = "", id = ID): Buffer {
  return frame(f.FRAME_WS_CLOSED, id, Buffer.concat([u16(code, reason), Buffer.from(words)]));
}

export function sent(bytes: number): Buffer {
  return frame(f.FRAME_SENT, ID, u32(bytes));
}

export interface Sent {
  opcode: number;
  /** With WS_LAST for a piece that nothing of its message follows. */
  flags: number;
  bytes: Buffer;
}

/** WS_SEND frames, taken apart; nothing else may be among them. */
export function messagesOf(frames: Frame[]): Sent[] {
  return frames.map(({ type, id, payload }) => {
    expect([type, id]).toEqual([f.FRAME_WS_SEND, ID]);
    const flags = payload[1] | (restOf(payload) === 0 ? f.WS_LAST : 0);
    return { opcode: payload[0], flags, bytes: payload.subarray(f.WS_SEND_BYTES) };
  });
}

/** How many bytes of its message follow a WS_SEND. */
export function restOf(payload: Buffer): number {
  return payload.readUIntLE(2, 6);
}

/** The sum of what BODY_CREDIT frames give back; nothing else may be among them. */
export function creditOf(frames: Frame[]): number {
  expect(frames.every(({ type, id }) => type === f.FRAME_BODY_CREDIT && id === ID)).toBe(true);
  return frames.reduce((sum, { payload }) => sum + payload.readUInt32LE(0), 0);
}

/** Lets what hangs on promises go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
