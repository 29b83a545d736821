// The head parser by itself: what assembly/http/connection.ts does with each head, in the same order and with the same
// checks of sizes, over a buffer full of requests. bench/peers/parser.mjs fills that buffer and calls `parse`.
// It is compiled with the flags of core.wasm, from the same files.

import { checkHead } from "../../assembly/protocol/http/framing";
import {
  headBytes,
  headReset,
  parseHead,
  rowCount,
  skipEmptyLines,
  targetSize,
} from "../../assembly/protocol/http/head";
import { FIELDS_MAX, HEAD_BYTES_MAX, TARGET_BYTES_MAX } from "../../assembly/core/limits";

const BUFFER_BYTES: i32 = 1 << 20;
/** The scanners may look at so much behind the end. */
const PADDING_BYTES: i32 = 64;

const head: usize = heap.alloc(headBytes(FIELDS_MAX));
const source: usize = heap.alloc(BUFFER_BYTES + PADDING_BYTES);

/** Where the requests go, at most a mebibyte of them. */
export function buffer(): usize {
  return source;
}

/**
 * Parses all requests in the first `size` bytes, `times` over. Returns the number of their fields, -1 if one is
 * refused.
 */
export function parse(size: i32, times: i32): i32 {
  let fields = 0;
  for (; times > 0; times--) {
    for (let at = 0; at < size;) {
      const n = parseOne(source + usize(at), size - at);
      if (n < 0) return -1;
      at += n;
      fields += rowCount(head);
    }
  }
  return fields;
}

function parseOne(at: usize, size: i32): i32 {
  if (skipEmptyLines(at, size)) return -1;
  headReset(head);
  const n = parseHead(head, at, size, FIELDS_MAX);
  if (n < 0 || n > HEAD_BYTES_MAX || targetSize(head) > TARGET_BYTES_MAX) return -1;
  return checkHead(head, at) ? -1 : n;
}
