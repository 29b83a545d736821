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

export { Buffer };
export default { Buffer, isUtf8 };
