/**
 * The event `clientError` with a connection on which its listener answers.
 *
 * Invariant: a listener has as long as a head may take; then the connection is cut. What the client sends on is
 * dropped, and its end ends the connection.
 */
import type { Address } from "../core/address.js";
import { HEADER_TIMEOUT_MS } from "../core/limits.js";
import type { HTTPServerRequest } from "../http/request.js";
import type { Answered } from "../http/requestnotes.js";
import type { IOStream } from "../stream/iostream.js";
import type { ServerSocket } from "./localaddress.js";
import { UpgradedSocket } from "./upgradedsocket.js";

interface ErrorServer extends ServerSocket {
  emit(event: string, ...given: unknown[]): boolean;
}

/** What the event says of its client. */
export interface ErrorClient {
  readonly address: Address | null;
  /** Bytes of the packet that was refused, which the stream has first; default 0. */
  readonly ahead?: number;
  /** What was refused, when the stream does not have it. */
  readonly head?: Buffer;
  /** Of a request that has come to the host. */
  readonly answered?: Answered;
}

/** Emits `clientError` in a turn of its own: what a listener throws is the program's. */
export function emitClientError(
  server: ErrorServer,
  error: Error,
  stream: IOStream,
  { address, ahead = 0, head = Buffer.alloc(0), answered }: ErrorClient,
  limitMs: number,
): void {
  const socket = new UpgradedSocket(stream, address, server, answered);
  const timer = setTimeout(() => socket.destroy(), limitMs || HEADER_TIMEOUT_MS).unref();
  socket.once("close", () => clearTimeout(timer));
  socket.once("end", () => socket.end());
  const tell = (rawPacket: Buffer): void => {
    if (rawPacket.length > 0) Object.assign(error, { bytesParsed: parsedBytes(error, rawPacket), rawPacket });
    server.emit("clientError", error, socket);
    socket.resume();
  };
  if (ahead === 0 || PACKETLESS.has((error as NodeJS.ErrnoException).code)) process.nextTick(tell, head);
  else
    stream.readBytes(ahead).then(
      (bytes) => process.nextTick(tell, bytes),
      () => socket.destroy(),
    );
}

/** What the end of a client, or of a time, has caused: no packet has. What had come before is dropped. */
const PACKETLESS: ReadonlySet<string | undefined> = new Set(["HPE_INVALID_EOF_STATE", "ERR_HTTP_REQUEST_TIMEOUT"]);

/** The head of a request that has come to the host, as it may have been written. */
export function headText({ method, target, version, rawFields }: HTTPServerRequest): Buffer {
  const lines = [`${method} ${target} ${version}`];
  for (let at = 0; at < rawFields.length; at += 2) lines.push(`${rawFields[at]}: ${rawFields[at + 1]}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** Node's parser gives up at the first byte that no method has there. */
function parsedBytes({ code }: NodeJS.ErrnoException, rawPacket: Buffer): number {
  return code === "HPE_INVALID_METHOD" ? 1 : rawPacket.length;
}
