/**
 * The REQUEST frame's fixed fields and texts: where they lie, and whether they add up.
 *
 * Invariant: behind `textEnd` and `checkFlags` every offset that the request computes lies within its frame.
 * Reference: docs/protocol.md, REQUEST.
 */
import { ProtocolError } from "../core/errors.js";
import { FIELDS_MAX } from "../core/limits.js";
import { REQUEST_ADDRESS, REQUEST_BYTES, REQUEST_END, REQUEST_EXPECT, REQUEST_WEBSOCKET } from "./frames.js";
import { METHOD_GET, METHOD_OTHER, METHODS } from "./methods.js";

/** Where the texts of a REQUEST end; throws unless they lie within it. */
export function textEnd(chunk: Buffer, start: number, end: number, textAt: number): number {
  if (textAt > end) throw new ProtocolError("REQUEST is cut short");
  if (textAt - start > REQUEST_BYTES + FIELDS_MAX * 4) throw new ProtocolError("REQUEST with too many fields");
  let at = textAt + chunk.readUInt16LE(start + 6) + chunk.readUInt16LE(start + 8);
  for (let row = start + REQUEST_BYTES; row < textAt; row += 2) at += chunk.readUInt16LE(row);
  if (at > end) throw new ProtocolError("REQUEST's texts are longer than it is");
  return at;
}

/** Whether an ADDRESS stands between the texts and the body. */
export function hasAddress(chunk: Buffer, start: number): boolean {
  return ((chunk[start + 2] as number) & REQUEST_ADDRESS) !== 0;
}

/** The fixed fields have few values; Content-Length has to fit what the frame holds. */
export function checkFlags(chunk: Buffer, start: number, bodyBytes: number): void {
  const method = chunk[start] as number;
  const flags = chunk[start + 2] as number;
  const length = chunk.readUInt32LE(start + 16) + chunk.readInt32LE(start + 20) * 2 ** 32;
  const hasText = chunk.readUInt16LE(start + 6) > 0;
  const methodFits = method < METHODS.length && hasText === (method === METHOD_OTHER);
  if (!methodFits || (chunk[start + 1] as number) > 1 || flags > 63 || chunk[start + 3] !== 0) {
    throw new ProtocolError("REQUEST with fields that have no meaning");
  }
  const complete = (flags & REQUEST_END) !== 0;
  const fits = length < 0 || (complete ? bodyBytes === length : bodyBytes <= length && length > 0);
  if (!fits || length < -1 || bodyBytes < 0)
    throw new ProtocolError("REQUEST with a body that is not of its Content-Length");
  if ((flags & REQUEST_EXPECT) !== 0 && (complete || bodyBytes !== 0))
    throw new ProtocolError("REQUEST that waits to send what it has sent");
  const opens = (flags & REQUEST_WEBSOCKET) !== 0;
  if (opens && (method !== METHOD_GET || chunk[start + 1] !== 1 || !complete || bodyBytes !== 0))
    throw new ProtocolError("REQUEST with an opening handshake that cannot be one");
}
