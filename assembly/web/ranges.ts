// The Range field (RFC 9110 14.2) as far as Tornado has it: one range of bytes. Anything else is as if it were not
// there. host/web/ranges.ts reads the same, and test/corpus/web.md holds both to it.

/** All of it. */
export const WHOLE: i32 = 0;
export const PART: i32 = 1;
export const UNSATISFIABLE: i32 = 2;

/** Of the last PART: from `rangeStart` up to, not including, `rangeEnd`. */
export let rangeStart: i64 = 0;
export let rangeEnd: i64 = 0;

const NOTHING: i64 = -1;
const NO_NUMBER: i64 = -2;
const DIGITS_MAX: i32 = 15;

/** What of `size` bytes is asked for: WHOLE, PART or UNSATISFIABLE. */
export function parseRange(field: string, size: i64): i32 {
  const mark = field.indexOf("=");
  if (mark < 0 || withoutBlanks(field.substring(0, mark)).toLowerCase() != "bytes") return WHOLE;
  const text = withoutBlanks(field.substring(mark + 1));
  const dash = text.indexOf("-");
  if (dash < 0) return WHOLE;
  const first = wholeNumber(text.substring(0, dash));
  const last = wholeNumber(text.substring(dash + 1));
  if (first == NO_NUMBER || last == NO_NUMBER || (first == NOTHING && last == NOTHING)) return WHOLE;
  if (first == NOTHING) return last == 0 ? UNSATISFIABLE : part(max<i64>(0, size - last), size, size);
  if (first >= size || (last != NOTHING && last < first)) return UNSATISFIABLE;
  return part(first, last == NOTHING ? size : min(last + 1, size), size);
}

/** A range that is all there is needs no 206, which some clients do not like. */
function part(start: i64, end: i64, size: i64): i32 {
  rangeStart = start;
  rangeEnd = end;
  return size == 0 || (start == 0 && end == size) ? WHOLE : PART;
}

/** Without spaces and tabs at its ends; `trim` would also remove the byte 0xa0. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}

function isBlank(unit: i32): bool {
  return unit == 0x20 || unit == 0x09;
}

function wholeNumber(text: string): i64 {
  if (!text.length) return NOTHING;
  if (text.length > DIGITS_MAX) return NO_NUMBER;
  let value: i64 = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return NO_NUMBER;
    value = value * 10 + digit;
  }
  return value;
}
