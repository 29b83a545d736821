/**
 * The TRAILERS frame of a request: fields that came behind a chunked body.
 *
 * Invariant: what does not add up ends the worker before anything of it is shown. Reference: docs/protocol.md.
 */

import { TRAILERS_BYTES } from "../bridge/frames.js";
import { ProtocolError } from "../core/errors.js";
import { FIELDS_MAX } from "../core/limits.js";
import { HTTPHeaders } from "./headers.js";

/** Reads a TRAILERS payload: names and values, one after the other; throws ProtocolError when it is malformed. */
export function readTrailers(chunk: Buffer, start: number, end: number): string[] {
  const table = start + TRAILERS_BYTES;
  if (end < table) throw new ProtocolError("TRAILERS is cut short");
  const rows = chunk.readUInt16LE(start);
  let at = table + rows * 4;
  if (rows === 0 || rows > FIELDS_MAX || chunk.readUInt16LE(start + 2) !== 0 || at > end)
    throw new ProtocolError("TRAILERS");
  const fields: string[] = [];
  for (let row = 0; row < rows; row++) {
    const middle = at + chunk.readUInt16LE(table + row * 4);
    const next = middle + chunk.readUInt16LE(table + row * 4 + 2);
    if (next > end) throw new ProtocolError("TRAILERS's texts are longer than it is");
    fields.push(chunk.toString("latin1", at, middle), chunk.toString("latin1", middle, next));
    at = next;
  }
  if (at !== end) throw new ProtocolError("TRAILERS is longer than its texts");
  return fields;
}

/** Names and values, one after the other, as header fields. */
export function trailerHeaders(fields: readonly string[]): HTTPHeaders {
  return new HTTPHeaders(
    [],
    fields.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text)),
  );
}
