// What the parts of the core that call the handler share: whether it was called, and texts for it.

import { Address } from "../core/address";
import { writeDecimal } from "../protocol/http/writer";

/** The handler was called, so it has an outcome. At first too: an application may have timers before any request. */
let called: bool = true;

/** Behind each call. */
export function markCalled(): void {
  called = true;
}

/** Whether it was called since this was asked last. */
export function takeCalled(): bool {
  const was = called;
  called = false;
  return was;
}

/** Writes an IP address as text, nothing for null. Returns the end; it takes at most 64 bytes. */
export function writeAddress(at: usize, address: Address | null): usize {
  if (!address) return at;
  if (address.family == 4) {
    for (let i: usize = 0; i < 4; i++) {
      if (i) store<u8>(at++, 0x2e);
      at = writeDecimal(at, load<u8>(address.bytes + i));
    }
    return at;
  }
  const text = address.host;
  return at + String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
}
