// Many short texts in one literal, a line each: in a literal of its own each would cost 30 bytes more.
//
// Such a literal is ASCII and begins and ends with a line feed. Each line begins with a number of three digits and a
// space. Invariant: a line that is asked for and not there is the last one, so there always is one.

import { LF } from "../../bytes/scan";

const NUMBER_CHARACTERS: usize = 4; // "400 "

/** The line behind `line`, 0: it is the last one. */
function next(text: usize, line: usize): usize {
  const end = text + usize(load<u32>(text - 4));
  while (load<u16>(line) != LF) line += 2;
  return line + 2 < end ? line + 2 : 0;
}

/** The line with this index, from 0. */
export function lineAt(text: usize, index: i32): usize {
  let line = text + 2;
  for (let at = line; at && index >= 0; index--, at = next(text, at)) line = at;
  return line;
}

/** The line with this number. */
export function lineOf(text: usize, number: i32): usize {
  let line = text + 2;
  for (let at = line; at; at = next(text, at)) {
    line = at;
    if (lineNumber(at) == number) break;
  }
  return line;
}

export function lineNumber(line: usize): i32 {
  const hundreds = i32(load<u16>(line)) - 0x30;
  const tens = i32(load<u16>(line, 2)) - 0x30;
  return (hundreds * 10 + tens) * 10 + i32(load<u16>(line, 4)) - 0x30;
}

/** Characters behind the number. */
export function lineSize(line: usize): i32 {
  let size = 0;
  for (let at = line + (NUMBER_CHARACTERS << 1); load<u16>(at) != LF; at += 2) size++;
  return size;
}

/** Writes what stands behind the number and returns the position behind it. */
export function writeLine(target: usize, line: usize): usize {
  for (let at = line + (NUMBER_CHARACTERS << 1); load<u16>(at) != LF; at += 2) store<u8>(target++, u8(load<u16>(at)));
  return target;
}
