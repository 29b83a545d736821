// Entity tags (RFC 9110 8.8.3, 13.1.2). Invariant: lists are compared weakly, with commas inside quotes left alone.

import { SHA1_BYTES, sha1 } from "../websocket/sha1";

const digest: usize = memory.data(24, 8);

/** The strong tag of a body: its sha1, in quotes. */
export function etagOf(source: usize, size: i32): string {
  sha1(digest, source, size);
  let tag = '"';
  for (let i: i32 = 0; i < SHA1_BYTES; i++) {
    const byte = u32(load<u8>(digest + usize(i)));
    tag += (byte < 16 ? "0" : "") + byte.toString(16);
  }
  return tag + '"';
}

/** Whether an If-None-Match field names `etag`: `*`, or one of its list. */
export function namesEtag(field: string, etag: string): bool {
  if (field == "*") return true;
  const wanted = etag.startsWith("W/") ? etag.substring(2) : etag;
  let at = field.indexOf('"');
  while (at >= 0) {
    const end = field.indexOf('"', at + 1);
    if (end < 0) return false;
    if (end + 1 - at == wanted.length && field.substring(at, end + 1) == wanted) return true;
    at = field.indexOf('"', end + 1);
  }
  return false;
}
