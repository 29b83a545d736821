/** What may be sent as a message, and what is sent for it. Reference: Tornado's websocket.write_message. */
import type { Data } from "../core/data.js";
import { jsonEncode } from "../core/escape.js";

/** `message` itself if it is text or bytes, a plain object as JSON; the sender refuses what is neither. */
export function messageData(message: Data | object): Data {
  if (typeof message !== "object" || message === null) return message;
  const prototype = Object.getPrototypeOf(message);
  return prototype === Object.prototype || prototype === null ? jsonEncode(message) : (message as Data);
}
