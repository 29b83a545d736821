// Fields that end at the next hop: what forwards a message leaves them out.
// Reference: RFC 9110 7.6.1, and the obsolete Proxy-Connection and Keep-Alive that it names.

import { COMMA, TOKEN, isOws, isText, lower, skip } from "../../bytes/scan";
import {
  CONNECTION_FIELD,
  isDuplicate,
  knownRow,
  nameOffset,
  nameSize,
  rowCount,
  valueOffset,
  valueSize,
} from "./headstate";

const CONNECTION: usize = changetype<usize>("connection");
const KEEP_ALIVE: usize = changetype<usize>("keep-alive");
const PROXY_CONNECTION: usize = changetype<usize>("proxy-connection");
const PROXY_AUTHENTICATE: usize = changetype<usize>("proxy-authenticate");
const PROXY_AUTHORIZATION: usize = changetype<usize>("proxy-authorization");
const TE: usize = changetype<usize>("te");
const TRAILER: usize = changetype<usize>("trailer");
const TRANSFER_ENCODING: usize = changetype<usize>("transfer-encoding");
const UPGRADE: usize = changetype<usize>("upgrade");

/** Whether the field of this row must not be forwarded: by its name, or because a Connection field names it. */
export function isHopByHop(head: usize, source: usize, row: i32): bool {
  const name = source + usize(nameOffset(head, row));
  const size = usize(nameSize(head, row));
  return isHopName(name, size) || isNamedByConnection(head, source, name, size);
}

function isHopName(name: usize, size: usize): bool {
  switch (i32(size)) {
    case 2:
      return isText(name, size, TE);
    case 7:
      return isText(name, size, TRAILER) || isText(name, size, UPGRADE);
    case 10:
      return isText(name, size, CONNECTION) || isText(name, size, KEEP_ALIVE);
    case 16:
      return isText(name, size, PROXY_CONNECTION);
    case 17:
      return isText(name, size, TRANSFER_ENCODING);
    case 18:
      return isText(name, size, PROXY_AUTHENTICATE);
    default:
      return size == 19 && isText(name, size, PROXY_AUTHORIZATION);
  }
}

function isNamedByConnection(head: usize, source: usize, name: usize, size: usize): bool {
  const first = knownRow(head, CONNECTION_FIELD);
  if (first < 0) return false;
  const last = isDuplicate(head, CONNECTION_FIELD) ? rowCount(head) - 1 : first;
  for (let row = first; row <= last; row++) {
    const field = source + usize(nameOffset(head, row));
    if (row > first && !isText(field, usize(nameSize(head, row)), CONNECTION)) continue;
    const at = source + usize(valueOffset(head, row));
    if (isMember(at, at + usize(valueSize(head, row)), name, size)) return true;
  }
  return false;
}

/** Whether a list of names holds this one, in any case. */
function isMember(at: usize, end: usize, name: usize, size: usize): bool {
  while (at < end) {
    while (at < end && (isOws(at) || load<u8>(at) == COMMA)) at++;
    const stop = min(skip(at, end, TOKEN), end);
    if (stop - at == size && size && isSameName(at, name, size)) return true;
    at = stop;
    while (at < end && load<u8>(at) != COMMA) at++;
  }
  return false;
}

function isSameName(a: usize, b: usize, size: usize): bool {
  for (let i: usize = 0; i < size; i++) if (lower(load<u8>(a + i)) != lower(load<u8>(b + i))) return false;
  return true;
}
