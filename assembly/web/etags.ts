// Entity tags (RFC 9110 8.8.3, 13.1.1 and 13.1.2). Invariant: commas inside quotes separate nothing.

import { SHA1_BYTES, sha1 } from "../bytes/sha1";

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

/**
 * Whether an If-None-Match or If-Match field names `etag` ("": there is none): `*`, or one of its list, which is read
 * up to what is no tag. Compared weakly, or strongly: then no weak tag is equal to any.
 */
export function namesEtag(field: string, etag: string, strongly: bool = false): bool {
  if (field == "*") return true;
  const isWeak = etag.startsWith("W/");
  if (!etag.length || (strongly && isWeak)) return false;
  const wanted = isWeak ? etag.substring(2) : etag;
  for (let at = skip(field, 0, true); at < field.length; at = skip(field, at, true)) {
    const weak = field.substr(at, 2) == "W/";
    const start = weak ? at + 2 : at;
    if (field.charCodeAt(start) != 0x22) return false;
    const end = field.indexOf('"', start + 1) + 1;
    if (!end) return false;
    at = skip(field, end, false);
    if (at < field.length && field.charCodeAt(at) != 0x2c) return false;
    if (weak && strongly) continue;
    if (end - start == wanted.length && field.substring(start, end) == wanted) return true;
  }
  return false;
}

/** Behind white space, and commas if they go too. */
function skip(field: string, from: i32, commas: bool): i32 {
  let at = from;
  for (; at < field.length; at++) {
    const unit = field.charCodeAt(at);
    if (unit != 0x20 && unit != 9 && !(commas && unit == 0x2c)) break;
  }
  return at;
}
