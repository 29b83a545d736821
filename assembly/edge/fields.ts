// Header fields that the handler gives as one text (wit/waterspout.wit, `fields`), one after the other.

import { COLON, LINE_FEED } from "./latin1";

/** Where the name and the value of the last field stand that readField found. */
export let name: usize = 0;
export let nameSize: i32 = 0;
export let value: usize = 0;
export let valueSize: i32 = 0;

/** Reads the field at `at`. Returns where the next one begins; 0: there is none that could be read. */
export function readField(at: usize, end: usize): usize {
  if (load<u8>(at) != LINE_FEED) return 0;
  name = at + 1;
  const colon = reach(name, end, COLON);
  if (colon == end) return 0;
  nameSize = i32(colon - name);
  value = colon + 1;
  at = reach(colon, end, LINE_FEED);
  valueSize = i32(at - value);
  return at;
}

/** Where `byte` is next, `end`: nowhere. */
function reach(at: usize, end: usize, byte: u8): usize {
  while (at < end && load<u8>(at) != byte) at++;
  return at;
}
