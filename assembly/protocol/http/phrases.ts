// Reason phrases of the registered status codes (RFC 9110 15, the IANA registry).

import { entryOf } from "./texttable";
import { PHRASES } from "./texts";

// Most answers are like the one before.
let lastStatus: i32 = 0;
let lastEntry: usize = 0;

/** The phrase as an entry of texttable.ts; "Unknown" when the status is not registered. */
export function phraseOf(status: i32): usize {
  if (status != lastStatus) {
    lastStatus = status;
    lastEntry = entryOf(PHRASES, status);
  }
  return lastEntry;
}
