// Why a request is refused: a code, the status of the answer, and one sentence that its reader can act on.
//
// Invariant: every code is below -1 (PARTIAL) and unique, so that a result is an amount, PARTIAL or a refusal.
// Reference: RFC 9110 15.5 and 15.6, RFC 6585 5 (431). The order is the order in which a request is read.

import { REASON_BAD_REQUEST, REASON_BUFFER_FULL, REASON_TIMEOUT, REASON_TOO_LARGE } from "../../core/errors";
import { entryAt, entryNumber, entrySize, entryText } from "./texttable";
import { SENTENCES } from "./texts";

export * from "./refusals";

/** The table has them in the order of the codes; its last entry is for what is no refusal. */
function explain(code: i32): usize {
  return entryAt(SENTENCES, code <= -2 ? -2 - code : i32.MAX_VALUE);
}

/** The status of the answer: 400, 408, 413, 414, 417, 431, 501, 503 or 505; 500 for what is no refusal. */
export function statusOf(code: i32): i32 {
  return entryNumber(explain(code));
}

/** The sentence, `textSizeOf` bytes of ASCII. */
export function textOf(code: i32): usize {
  return entryText(explain(code));
}

export function textSizeOf(code: i32): i32 {
  return entrySize(explain(code));
}

/** The reason that a handler gets for a refused request. */
export function reasonOf(refusal: i32): i32 {
  switch (statusOf(refusal)) {
    case 408:
      return REASON_TIMEOUT;
    case 413:
      return REASON_TOO_LARGE;
    case 503:
      return REASON_BUFFER_FULL;
    default:
      return REASON_BAD_REQUEST;
  }
}
