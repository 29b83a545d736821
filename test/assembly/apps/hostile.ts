// The functions of the sandbox that read a peer's bytes, to be timed from outside: test/sandbox/hostilebytes.test.ts
// writes `size` bytes to the block and calls one of them by its number.

import { Address } from "../../../assembly/core/address";
import { CHUNK_END, CHUNK_NEED_MORE, CHUNKED_BYTES } from "../../../assembly/protocol/http/chunked";
import { chunkedConsumed, chunkedNext, chunkedReset } from "../../../assembly/protocol/http/chunked";
import { checkHead } from "../../../assembly/protocol/http/framing";
import { headBytes, headReset, parseHead, skipEmptyLines } from "../../../assembly/protocol/http/head";
import { PARTIAL } from "../../../assembly/protocol/http/head";
import { TRAILER_ROW_BYTES, isSafeTrailer, trailerField } from "../../../assembly/protocol/http/trailers";
import { trailerNameOffset, trailerNameSize } from "../../../assembly/protocol/http/trailers";
import { MORE, PendingRead } from "../../../assembly/stream/pendingread";
import { parseProxyHeader } from "../../../assembly/protocol/proxy";
import { Arguments, cleaned } from "../../../assembly/web/arguments";
import { parseDate } from "../../../assembly/web/dates";
import { namesEtag } from "../../../assembly/web/etags";
import { isField } from "../../../assembly/web/fields";
import { pathBelow } from "../../../assembly/web/filepath";
import { typeOf } from "../../../assembly/web/mime";
import { Pattern } from "../../../assembly/web/pattern";
import { parseRange } from "../../../assembly/web/ranges";
import { NO_BLANKS, UNRESERVED, escapeHTML, latin1Text } from "../../../assembly/bytes/text";
import { percentDecode, percentEncode, quoteJSON } from "../../../assembly/bytes/text";
import { handshakeKey } from "../../../assembly/protocol/websocket/handshake";
import { UTF8_START, utf8Next } from "../../../assembly/bytes/utf8";

const FIELDS: i32 = 100;
/** Bytes that come at once. */
const STEP: i32 = 61;
const source: usize = memory.data(1 << 18, 64);
const head: usize = memory.data(4096, 64);
const chunked: usize = memory.data(64, 64);
const row: usize = memory.data(64, 64);
const delimiter: usize = memory.data<u8>([0x0d, 0x0a, 0x0d, 0x0a]);
const address = new Address();
const pattern = new Pattern("/a/:b/*");
const pending = new PendingRead();

export function block(): usize {
  return source;
}

/** 0: there is no function with this number. */
export function run(which: i32, size: i32): i32 {
  const text = which < 20 ? latin1Text(source, size) : "";
  if (which == 1) return quoteJSON(text).length;
  if (which == 2) return escapeHTML(text).length;
  if (which == 3) return percentEncode(text, NO_BLANKS).length + percentEncode(text, UNRESERVED).length;
  if (which == 4) return 1 + cleaned(text).length;
  if (which == 5) return 1 + i32(namesEtag(text, '"a"'));
  if (which == 6) return 1 + parseRange("bytes=" + text, 100);
  if (which == 7) return 1 + i32(isField("a", text)) + i32(isField(text, ""));
  if (which == 8) return 1 + pathBelow(text).length;
  if (which == 9) return typeOf(text).length;
  if (which == 10) return 2 + i32(parseDate(text));
  if (which == 20) return percentDecode(source, size, true) === null ? 1 : 2;
  if (which == 21) return 1 + new Arguments(source, size).names.length;
  if (which == 22) return 1 + i32(pattern.match(source, size, []));
  if (which == 23) return readHead(size);
  if (which == 24) return readChunks(size);
  if (which == 25) return readTrailers(size);
  if (which == 26) return readUntil(size);
  if (which == 27) return 2 + parseProxyHeader(source, size, address);
  if (which == 28) return 2 + utf8Next(UTF8_START, source, size);
  return 0;
}

/** A head as it comes, in small pieces; then what it means. */
function readHead(size: i32): i32 {
  assert(headBytes(FIELDS) <= 4096);
  const skipped = max(0, skipEmptyLines(source, size));
  headReset(head);
  let result = PARTIAL;
  for (let come = skipped; come < size && result == PARTIAL;) {
    come = min(come + STEP, size);
    result = parseHead(head, source + usize(skipped), come - skipped, FIELDS);
  }
  if (result < 0) return 1;
  return checkHead(head, source + usize(skipped)) || handshakeKey(head, source + usize(skipped)) ? 2 : 3;
}

function readChunks(size: i32): i32 {
  assert(CHUNKED_BYTES <= 64);
  chunkedReset(chunked);
  let at = 0;
  for (let come = STEP; at < size; come = min(come + STEP, size)) {
    const event = chunkedNext(chunked, source + usize(at), come - at);
    if (event < CHUNK_NEED_MORE || event == CHUNK_END) break;
    at += chunkedConsumed(chunked);
  }
  return 1 + at;
}

/** Well-formed trailer lines, as chunked.ts gives them. */
function readTrailers(size: i32): i32 {
  assert(TRAILER_ROW_BYTES <= 64);
  let safe = 0;
  for (let at = 0; at < size;) {
    at = trailerField(row, source, size, at);
    if (isSafeTrailer(source + usize(trailerNameOffset(row)), trailerNameSize(row))) safe++;
  }
  return 1 + safe;
}

function readUntil(size: i32): i32 {
  pending.beginUntil(delimiter, 4, i32.MAX_VALUE);
  let found = MORE;
  for (let come = STEP; come < size && found == MORE; come += STEP) found = pending.match(source, come);
  return 2 + found;
}
