// What the web layer reads of a request, to be called from outside: test/sandbox/webvectors.test.ts writes two texts one
// behind the other to the block, and compares the text that it gets with test/corpus/web.md.

import { latin1Text } from "../../../assembly/bytes/text";
import { namesEtag } from "../../../assembly/web/etags";
import { Pattern } from "../../../assembly/web/pattern";
import { PART, UNSATISFIABLE, parseRange, rangeEnd, rangeStart } from "../../../assembly/web/ranges";

const source: usize = memory.data(1 << 16, 64);
let answer = "";

export function block(): usize {
  return source;
}

/** The bytes of the last answer, as UTF-8 in the block. */
export function answerBytes(): i32 {
  const bytes = String.UTF8.encode(answer);
  memory.copy(source, changetype<usize>(bytes), bytes.byteLength);
  return bytes.byteLength;
}

/** The groups of a path, in brackets each; `no`: it does not match; `400`: a group is not UTF-8. */
export function path(patternSize: i32, pathSize: i32): void {
  const pattern = new Pattern(latin1Text(source, patternSize));
  const found: i32[] = [];
  const text = source + usize(patternSize);
  answer = "no";
  if (!pattern.match(text, pathSize, found)) return;
  const values = pattern.values(text, found);
  answer = values === null ? "400" : "";
  if (values === null) return;
  for (let i = 0; i < values.length; i++) answer += "[" + values[i] + "]";
}

/** The part of a file: `2-4` with both ends, `all` or `416`. */
export function range(fieldSize: i32, size: i32): void {
  const kind = parseRange(latin1Text(source, fieldSize), size);
  answer = kind == UNSATISFIABLE ? "416" : kind == PART ? `${rangeStart}-${rangeEnd - 1}` : "all";
}

/** Whether a list names an entity tag: compared `strongly`, `weakly` only, or not at all. */
export function etag(fieldSize: i32, tagSize: i32): void {
  const field = latin1Text(source, fieldSize);
  const tag = latin1Text(source + usize(fieldSize), tagSize);
  const weak = namesEtag(field, tag);
  answer = namesEtag(field, tag, true) ? (weak ? "strongly" : "strongly only") : weak ? "weakly" : "no";
}
