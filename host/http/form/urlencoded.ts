/**
 * `application/x-www-form-urlencoded`: `a=1&b=two+words`.
 *
 * Invariants: time and memory in proportion to the text; names and values are UTF-8, or the text is refused.
 * Reference: WHATWG URL 5.1; Tornado's escape.parse_qs_bytes for the limit, which counts separators before anything is
 * decoded.
 */
import { HTTPInputError } from "../../core/errors.js";

const AMPERSAND = 0x26;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Names and values in their order. Throws HTTPInputError for more than `argumentsMax`, or for what is not UTF-8. */
export function parseUrlencoded(body: Buffer, argumentsMax: number): [string, string][] {
  let separators = 0;
  for (let at = body.indexOf(AMPERSAND); at >= 0; at = body.indexOf(AMPERSAND, at + 1)) {
    if (++separators >= argumentsMax) throw new HTTPInputError(`the form has more than ${argumentsMax} arguments`);
  }
  const pairs: [string, string][] = [];
  for (const pair of decodeUTF8(body).split("&")) {
    if (pair === "") continue;
    const mark = pair.indexOf("=");
    const name = mark < 0 ? pair : pair.slice(0, mark);
    pairs.push([unescaped(name), mark < 0 ? "" : unescaped(pair.slice(mark + 1))]);
  }
  return pairs;
}

/** `bytes` as text. Throws HTTPInputError for what is not UTF-8. */
export function decodeUTF8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw new HTTPInputError("the form has text that is not UTF-8");
  }
}

/** A `%` that no two hexadecimal digits follow stands for itself. */
function unescaped(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(spaced));
  let length = 0;
  let copied = 0;
  for (let at = spaced.indexOf("%"); at >= 0; at = spaced.indexOf("%", at + 1)) {
    const code = hexadecimal(spaced, at + 1);
    if (code < 0) continue;
    length += bytes.write(spaced.slice(copied, at), length);
    bytes[length++] = code;
    copied = at + 3;
    at += 2;
  }
  length += bytes.write(spaced.slice(copied), length);
  return decodeUTF8(bytes.subarray(0, length));
}

function hexadecimal(text: string, at: number): number {
  const digits = text.slice(at, at + 2);
  return /^[0-9A-Fa-f]{2}$/.test(digits) ? parseInt(digits, 16) : -1;
}
