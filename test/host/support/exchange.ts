// One request and its whole answer over the scripted sandbox, whose peer takes everything at once.
import * as f from "../../../host/bridge/frames.js";
import { HTTPServer, type HTTPServerRequest, type RequestCallback, type ServerOptions } from "../../../host/index.js";
import { FakeWorker, type Frame, frame, idOf, type RequestParts, requestFrame, u32 } from "./fakeworker.js";

export const ID = idOf(7);

export interface Answer {
  status: number;
  /** -1: none was given, and the body is chunked. */
  contentLength: number;
  /** By name in lower case. */
  fields: Map<string, string>;
  body: Buffer;
  /** The bytes of each frame that had some, the first of them in RESPONSE itself. */
  pieces: Buffer[];
  /** CANCEL came: the connection was ended. */
  cancelled: boolean;
}

export function serve(handler: RequestCallback, options: ServerOptions = {}): FakeWorker {
  const worker = new FakeWorker((logger) => new HTTPServer(handler, { ...options, logger }).acceptor(), options);
  worker.peers.set(9, { address: { address: "192.0.2.1", port: 5, family: "IPv4" }, tls: null });
  worker.peers.set(10, { address: { address: "127.0.0.1", port: 6, family: "IPv4" }, tls: null });
  return worker.ready();
}

/** The request that a handler is given for a frame. */
export function seen(parts: RequestParts, options: ServerOptions = {}): HTTPServerRequest {
  let found: HTTPServerRequest | undefined;
  const worker = serve((request) => {
    found = request;
  }, options);
  worker.emit(requestFrame(ID, parts));
  if (worker.failure !== null) throw worker.failure;
  return found as HTTPServerRequest;
}

/** Sends a request and collects its answer. */
export async function exchange(
  handler: RequestCallback,
  parts: RequestParts = {},
  options: ServerOptions = {},
): Promise<Answer> {
  const worker = serve(handler, options);
  worker.emit(requestFrame(ID, parts));
  return collect(worker);
}

/** Hears frames until the answer is complete. */
export async function collect(worker: FakeWorker): Promise<Answer> {
  let answer: Answer | null = null;
  for (;;) {
    for (const heard of await worker.receivedAnswers()) {
      if (heard.type === f.FRAME_RESPONSE) answer = beginAnswer(heard);
      else if (answer === null) throw new Error(`type ${heard.type} before RESPONSE`);
      else answer.pieces.push(heard.payload);
      const complete = heard.type === f.FRAME_RESPONSE && (heard.payload[2] & f.RESPONSE_LAST) !== 0;
      const bytes = heard.type === f.FRAME_RESPONSE ? 0 : heard.payload.length;
      if (complete || heard.type === f.FRAME_RESPONSE_END || heard.type === f.FRAME_CANCEL) {
        const pieces = (answer as Answer).pieces.filter(({ length }) => length > 0);
        return { ...(answer as Answer), pieces, body: Buffer.concat(pieces), cancelled: heard.type === f.FRAME_CANCEL };
      }
      if (bytes > 0) worker.emit(frame(f.FRAME_SENT, heard.id, u32(bytes)));
    }
  }
}

/** A RESPONSE frame, its bytes as they are. */
export interface ResponseFrame {
  status: number;
  flags: number;
  /** -1: none was given, and the body is chunked. */
  contentLength: number;
  fields: [string, string][];
  /** As UTF-8. */
  body: string;
}

/** Sends a request and reads the one frame of its answer. */
export async function answerOf(handler: RequestCallback, parts: RequestParts = {}): Promise<ResponseFrame> {
  const worker = serve(handler);
  worker.emit(requestFrame(ID, parts));
  const frames = await worker.receivedAnswers();
  if (frames.length !== 1 || frames[0].id !== ID) throw new Error(`not one frame of this request: ${frames.length}`);
  return readResponse(frames[0]);
}

export function readResponse(heard: Frame): ResponseFrame {
  const { bytes, ...response } = readHead(heard);
  return { ...response, body: bytes.toString() };
}

function readHead({ type, payload }: Frame): Omit<ResponseFrame, "body"> & { bytes: Buffer } {
  if (type !== f.FRAME_RESPONSE) throw new Error(`type ${type} is not RESPONSE`);
  if (payload.readUInt16LE(6) !== 0) throw new Error("RESPONSE has bytes where zeros belong");
  const rows = payload.readUInt16LE(4);
  let at = f.RESPONSE_BYTES + rows * 4;
  const take = (count: number): string => payload.toString("latin1", at, (at += count));
  const fields: [string, string][] = [];
  for (let row = 0; row < rows; row++) {
    const sizes = f.RESPONSE_BYTES + row * 4;
    const name = take(payload.readUInt16LE(sizes));
    fields.push([name, take(payload.readUInt16LE(sizes + 2))]);
  }
  return {
    status: payload.readUInt16LE(0),
    flags: payload[2],
    contentLength: Number(payload.readBigInt64LE(8)),
    fields,
    bytes: payload.subarray(at),
  };
}

function beginAnswer(heard: Frame): Answer {
  const { status, contentLength, fields, bytes } = readHead(heard);
  const merged = new Map<string, string>();
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    merged.set(key, merged.has(key) ? `${merged.get(key)}, ${value}` : value);
  }
  return { status, contentLength, fields: merged, body: Buffer.alloc(0), pieces: [bytes], cancelled: false };
}
