// Arguments of a query or of an urlencoded form: names and values in their order.
// Invariants: they are UTF-8 and at most ARGUMENTS_MAX, or `bad` is set and there are none; time is in proportion to
// the text. Reference: WHATWG URL 5.1.

import { ARGUMENTS_MAX } from "../core/limits";
import { percentDecode } from "../bytes/text";

/** Names and values in the order in which they came. */
export class Arguments {
  /** The names, decoded. */
  readonly names: string[] = [];
  /** The values, decoded: each at the place of its name. */
  readonly values: string[] = [];
  /** They were malformed or too many; there are none then. */
  bad: bool = false;

  constructor(source: usize, size: i32) {
    const end = source + usize(size);
    for (let at = source; at < end && !this.bad;) {
      let stop = at;
      while (stop < end && load<u8>(stop) != 0x26) stop++; // "&"
      if (stop > at) this.add(at, stop);
      at = stop + 1;
    }
    if (this.bad) this.names.length = this.values.length = 0;
  }

  /** The last value with this name; null: there is none. */
  last(name: string): string | null {
    const index = this.names.lastIndexOf(name);
    return index < 0 ? null : this.values[index];
  }

  /** Adds all values with this name to `found`. */
  all(name: string, found: string[]): void {
    for (let i = 0; i < this.names.length; i++) if (this.names[i] == name) found.push(this.values[i]);
  }

  private add(start: usize, end: usize): void {
    let mark = start;
    while (mark < end && load<u8>(mark) != 0x3d) mark++; // "="
    const name = percentDecode(start, i32(mark - start), true);
    const value = mark < end ? percentDecode(mark + 1, i32(end - mark - 1), true) : "";
    if (name === null || value === null || this.names.length == ARGUMENTS_MAX) {
      this.bad = true;
      return;
    }
    this.names.push(name);
    this.values.push(value);
  }
}

/** A value as handlers get it: control characters become spaces, and white space at its ends goes. */
export function cleaned(value: string): string {
  let isPlain = true;
  for (let i = 0; i < value.length && isPlain; i++) isPlain = !isControl(value.charCodeAt(i));
  if (isPlain) return value.trim();
  const units = new StaticArray<u16>(value.length);
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    units[i] = isControl(unit) ? 0x20 : u16(unit);
  }
  return String.UTF16.decodeUnsafe(changetype<usize>(units), usize(value.length) << 1).trim();
}

function isControl(unit: i32): bool {
  return unit < 0x20 && (unit < 9 || unit > 13);
}
