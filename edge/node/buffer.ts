/** `node:buffer`. Reference: Node's documentation of `buffer`. */
import { Buffer } from "../buffer.js";
import { bytesOf, decode } from "../text.js";

export function isUtf8(bytes: ArrayBuffer | ArrayBufferView): boolean {
  try {
    decode(bytesOf(bytes), true);
    return true;
  } catch {
    return false;
  }
}

/** Of the engine. */
export const constants = { MAX_LENGTH: 2 ** 31 - 1, MAX_STRING_LENGTH: 2 ** 30 - 1 };

export { Buffer };
export default { Buffer, constants, isUtf8 };
