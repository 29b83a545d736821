/**
 * The Range field (RFC 9110 14.2) as far as Tornado has it: one range of bytes. Anything else is as if it were not
 * there. (The library range-parser answers 416 to a suffix that is longer than the file, where 14.1.2 wants the whole
 * file.) assembly/web/ranges.ts reads the same, and test/corpus/web.md holds both to it.
 */

/** From `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const RANGE = /^bytes[\t ]*=[\t ]*([0-9]{0,15})-([0-9]{0,15})[\t ]*$/i;

/** The range of a file of `size` bytes that is asked for; null: all of it; `"unsatisfiable"`: there is no such part. */
export function parseRange(field: string, size: number): ByteRange | null | "unsatisfiable" {
  const match = RANGE.exec(field);
  if (match === null) return null;
  const [, first, last] = match as unknown as [string, string, string];
  if (first === "" && last === "") return null;
  if (first === "") return Number(last) === 0 ? "unsatisfiable" : whole(Math.max(0, size - Number(last)), size, size);
  const start = Number(first);
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  return start >= size || (last !== "" && Number(last) < start) ? "unsatisfiable" : whole(start, end, size);
}

/** A range that is all there is needs no 206, which some clients do not like. */
function whole(start: number, end: number, size: number): ByteRange | null {
  if (size === 0) return null;
  return start === 0 && end === size ? null : { start, end };
}
