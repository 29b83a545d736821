// One request and its whole answer over the scripted sandbox, whose peer takes everything at once.
import * as f from "../../../host/bridge/frames.js";
import { HTTPServer, type HTTPServerRequest, type RequestCallback, type ServerOptions } from "../../../host/index.js";
import { FakeWorker, type Frame, frame, idOf, type RequestParts, requestFrame, u32 } from "./fakeworker.js";

export const ID = idOf(7);

export interface Answer {
  status: number;
  /** -1: none was told, and the body is chunked. */
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
  worker.say(requestFrame(ID, parts));
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
  worker.say(requestFrame(ID, parts));
  return collect(worker);
}

/** Hears frames until the answer is complete. */
export async function collect(worker: FakeWorker): Promise<Answer> {
  let answer: Answer | null = null;
  for (;;) {
    for (const heard of await worker.hearAnswers()) {
      if (heard.type === f.FRAME_RESPONSE) answer = parseResponse(heard);
      else if (answer === null) throw new Error(`type ${heard.type} before RESPONSE`);
      else answer.pieces.push(heard.payload);
      const complete = heard.type === f.FRAME_RESPONSE && (heard.payload[2] & f.RESPONSE_LAST) !== 0;
      const bytes = heard.type === f.FRAME_RESPONSE ? 0 : heard.payload.length;
      if (complete || heard.type === f.FRAME_RESPONSE_END || heard.type === f.FRAME_CANCEL) {
        const pieces = (answer as Answer).pieces.filter(({ length }) => length > 0);
        return { ...(answer as Answer), pieces, body: Buffer.concat(pieces), cancelled: heard.type === f.FRAME_CANCEL };
      }
      if (bytes > 0) worker.say(frame(f.FRAME_SENT, heard.id, u32(bytes)));
    }
  }
}

function parseResponse({ payload }: Frame): Answer {
  const rows = payload.readUInt16LE(4);
  let at = f.RESPONSE_BYTES + rows * 4;
  const take = (bytes: number): string => payload.toString("latin1", at, (at += bytes));
  const fields = new Map<string, string>();
  for (let row = 0; row < rows; row++) {
    const sizes = f.RESPONSE_BYTES + row * 4;
    const name = take(payload.readUInt16LE(sizes)).toLowerCase();
    const value = take(payload.readUInt16LE(sizes + 2));
    fields.set(name, fields.has(name) ? `${fields.get(name)}, ${value}` : value);
  }
  const status = payload.readUInt16LE(0);
  const contentLength = Number(payload.readBigInt64LE(8));
  return { status, contentLength, fields, body: Buffer.alloc(0), pieces: [payload.subarray(at)], cancelled: false };
}
