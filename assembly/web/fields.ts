// Names and values of header fields that an application sets. Invariant: what is refused here would break the message's
// framing, or is the server's own. Reference: RFC 9110 5.1 and 5.5.

import { TEXT_BYTES } from "../http/request";

/**
 * Whether a field may be set: the name is a token, the value latin-1 without control characters, and it does not frame
 * the message.
 */
export function isField(name: string, value: string): bool {
  if (!name.length || name.length + value.length > TEXT_BYTES) return false;
  for (let i = 0; i < name.length; i++) if (!isTokenUnit(name.charCodeAt(i))) return false;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if ((unit < 0x20 && unit != 9) || unit == 0x7f || unit > 0xff) return false;
  }
  return !isSame(name, "content-length") && !isSame(name, "transfer-encoding") && !isSame(name, "connection");
}

/** Whether two names are the same in any case of letters. */
export function isSame(name: string, other: string): bool {
  return name.length == other.length && name.toLowerCase() == other.toLowerCase();
}

function isTokenUnit(unit: i32): bool {
  const letter = unit | 0x20;
  if ((letter >= 0x61 && letter <= 0x7a && unit < 0x80) || (unit >= 0x30 && unit <= 0x39)) return true;
  return unit < 0x80 && "!#$%&'*+-.^_`|~".indexOf(String.fromCharCode(unit)) >= 0;
}
