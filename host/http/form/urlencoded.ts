/**
 * `application/x-www-form-urlencoded`: `a=1&b=two+words`.
 *
 * Invariants: time and memory in proportion to the text; names and values are UTF-8, or the text is refused.
 * Reference: WHATWG URL 5.1; Tornado's escape.parse_qs_bytes for the limit, which counts separators before anything is
 * decoded.
 */
import { HTTPInputError } from "../../core/errors.js";
import { percentBytes, percentDecode } from "../../core/percent.js";

const AMPERSAND = 0x26;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a value, for an encoding that is not UTF-8. */
export type ValueDecoder = (value: Buffer, name: string) => string;

/**
 * Names and values in their order, the values by `decodeValue` if it is given. Throws HTTPInputError for more than
 * `argumentsMax`, or for what is not UTF-8.
 */
export function parseUrlencoded(body: Buffer, argumentsMax: number, decodeValue?: ValueDecoder): [string, string][] {
  let count = 0;
  for (let at = body.length === 0 ? -1 : 0; at >= 0; ) {
    if (++count > argumentsMax) throw new HTTPInputError(`the form has more than ${argumentsMax} arguments`);
    const separator = body.indexOf(AMPERSAND, at);
    at = separator < 0 ? -1 : separator + 1;
  }
  const pairs: [string, string][] = [];
  for (const pair of body.toString("latin1").split("&")) {
    if (pair === "") continue;
    const mark = pair.indexOf("=");
    const name = decode(mark < 0 ? pair : pair.slice(0, mark));
    const value = mark < 0 ? "" : pair.slice(mark + 1);
    pairs.push([name, decodeValue === undefined ? decode(value) : decodeValue(percentBytes(value, true), name)]);
  }
  return pairs;
}

/** `bytes` as text. Throws HTTPInputError for what is not UTF-8. */
export function decodeUTF8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw notUTF8();
  }
}

function decode(text: string): string {
  const decoded = percentDecode(text, true);
  if (decoded === null) throw notUTF8();
  return decoded;
}

function notUTF8(): HTTPInputError {
  return new HTTPInputError("the form has text that is not UTF-8");
}
