// Trailer fields of a chunked body: where they stand in the lines that chunked.ts has found, and which of them may be
// used.
//
//   chunkedNext(…) → CHUNK_TRAILERS        append source + chunkedOffset, chunkedSize bytes, to a block of your own
//                  → CHUNK_END             the block holds whole, well-formed lines, at most TRAILER_BYTES_MAX bytes
//   at = 0; while (at < size) {
//     at = trailerField(row, block, size, at)   row: TRAILER_ROW_BYTES; the offset behind the line
//     if (isSafeTrailer(block + trailerNameOffset(row), trailerNameSize(row))) …
//   }
//
// A row is laid out like a head's (headstate.ts): offset and size of the name, offset and size of the value, without
// the white space around it. At most FIELDS_MAX fields come, which chunked.ts has seen to.
//
// Safe means: what forwards, routes, authenticates or frames a request by its head is not contradicted after the body.
// So these are dropped (RFC 9110 6.5.1 and 6.5.2, the list of Go's net/http, and what names a client's address or
// origin): framing and routing, authentication, cookies, conditions and other request modifiers, how the content is to
// be read. They never join the head's fields: an application that wants trailers asks for trailers.

import { COLON, COMMA, CR, TOKEN, isOws, lower, skipSurely, skipValue, textBytes } from "../../bytes/scan";

export const TRAILER_ROW_BYTES: usize = 16;

/** Finds the field whose line begins at `at`, before `size`. The offset behind its line. */
export function trailerField(row: usize, source: usize, size: i32, at: i32): i32 {
  const line = source + usize(at);
  const end = source + usize(size);
  const colon = skipSurely(line, TOKEN);
  const cr = skipValue(colon, end);
  assert(load<u8>(colon) == COLON && cr < end && load<u8>(cr) == CR, "lines that chunked.ts has found");
  let value = colon + 1;
  let valueEnd = cr;
  while (value < valueEnd && isOws(value)) value++;
  while (valueEnd > value && isOws(valueEnd - 1)) valueEnd--;
  store<u32>(row, u32(at));
  store<u32>(row, u32(colon - line), 4);
  store<u32>(row, u32(value - source), 8);
  store<u32>(row, u32(valueEnd - value), 12);
  return i32(cr + 2 - source);
}

export function trailerNameOffset(row: usize): i32 {
  return load<i32>(row);
}

export function trailerNameSize(row: usize): i32 {
  return load<i32>(row, 4);
}

export function trailerValueOffset(row: usize): i32 {
  return load<i32>(row, 8);
}

/** May be 0. */
export function trailerValueSize(row: usize): i32 {
  return load<i32>(row, 12);
}

// Each name with a comma behind it; a name that ends with a dash stands for all that begin so.
// Three literals, since a sum of them would be made at run time, and collected.
const UNSAFE_A_TO_H: usize = changetype<usize>(
  "authorization,cache-control,connection,content-,cookie,cookie2,expect,forwarded,from,host,http2-settings,",
);
const UNSAFE_I_TO_S: usize = changetype<usize>(
  "if-,keep-alive,max-forwards,origin,pragma,proxy-,range,realm,referer,sec-,set-cookie,set-cookie2,",
);
const UNSAFE_T_TO_Z: usize = changetype<usize>(
  "te,trailer,transfer-encoding,upgrade,via,www-authenticate,x-forwarded-,x-http-method-override,x-real-ip,x-scheme,",
);
// RFC 9530 6.5: made to be a trailer.
const CONTENT_DIGEST: usize = changetype<usize>("content-digest,");

/** Whether a trailer of that name, a token, may be given to the application. */
export function isSafeTrailer(name: usize, size: i32): bool {
  const bytes = usize(size);
  if (isListed(name, bytes, CONTENT_DIGEST)) return true;
  return (
    !isListed(name, bytes, UNSAFE_A_TO_H) &&
    !isListed(name, bytes, UNSAFE_I_TO_S) &&
    !isListed(name, bytes, UNSAFE_T_TO_Z)
  );
}

const DASH: u8 = 0x2d;

function isListed(name: usize, size: usize, list: usize): bool {
  const end = list + (textBytes(list) << 1);
  for (let entry = list; entry < end;) {
    let i: usize = 0;
    let character = load<u8>(entry);
    while (i < size && character != COMMA && lower(load<u8>(name + i)) == character) {
      i++;
      character = load<u8>(entry + (i << 1));
    }
    // all of the name is the entry, or the entry is a prefix that ends with a dash
    if (character == COMMA && (i == size || load<u8>(entry + ((i - 1) << 1)) == DASH)) return true;
    while (character != COMMA) character = load<u8>(entry + (++i << 1));
    entry += (i + 1) << 1;
  }
  return false;
}
