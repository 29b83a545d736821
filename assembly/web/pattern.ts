// A route's pattern: a plain path with `:name` for a part of it up to the next slash, and at its end perhaps `*` or
// `*name` for all the rest. There are no regular expressions in AssemblyScript, and so none here.
//
// Invariant: matching takes time in proportion to the path. Groups are matched in the path as it came, and decoded
// then: a slash that was sent as `%2F` ends no `:name`.

import { UNRESERVED, WITH_SLASH, percentDecode, percentEncode } from "../bytes/text";

export class Pattern {
  /** Names of the groups in their order; that of a bare `*` is `*`. */
  readonly names: string[] = [];
  private texts: string[] = []; // before each group, and behind the last
  private open: bool = false; // the last group takes the rest

  constructor(pattern: string) {
    let start = 0;
    let at = 0;
    while (at < pattern.length) {
      const unit = pattern.charCodeAt(at);
      const isRest = unit == 0x2a;
      if (!isRest && (unit != 0x3a || at == 0 || pattern.charCodeAt(at - 1) != 0x2f)) {
        at++;
        continue;
      }
      let end = at + 1;
      while (end < pattern.length && pattern.charCodeAt(end) != 0x2f) end++;
      this.texts.push(pattern.substring(start, at));
      this.names.push(isRest && end == at + 1 ? "*" : pattern.substring(at + 1, end));
      this.open = isRest;
      at = start = isRest ? pattern.length : end;
    }
    this.texts.push(pattern.substring(start));
  }

  /** Whether the path matches; then `found` has where each group starts and its size, two numbers each. */
  match(path: usize, size: i32, found: i32[]): bool {
    found.length = 0;
    let at = 0;
    const groups = this.names.length;
    for (let i = 0; i <= groups; i++) {
      const text = this.texts[i];
      if (!startsWith(path + usize(at), size - at, text)) return false;
      at += text.length;
      if (i == groups) break;
      let end = at;
      if (this.open && i == groups - 1) end = size;
      else while (end < size && load<u8>(path + usize(end)) != 0x2f) end++;
      if (end == at && !(this.open && i == groups - 1)) return false;
      found.push(at);
      found.push(end - at);
      at = end;
    }
    return at == size;
  }

  /** The groups of the last match, decoded; null: they are not UTF-8. */
  values(path: usize, found: i32[]): string[] | null {
    const values = new Array<string>();
    for (let i = 0; i < found.length; i += 2) {
      const value = percentDecode(path + usize(found[i]), found[i + 1], false);
      if (value === null) return null;
      values.push(value);
    }
    return values;
  }

  /** The path with these values in its groups; null: there are not as many. */
  reverse(values: string[]): string | null {
    if (values.length != this.names.length) return null;
    let path = this.texts[0];
    for (let i = 0; i < values.length; i++) {
      const isRest = this.open && i == values.length - 1;
      path += percentEncode(values[i], isRest ? WITH_SLASH : UNRESERVED) + this.texts[i + 1];
    }
    return path;
  }
}

function startsWith(source: usize, size: i32, text: string): bool {
  if (size < text.length) return false;
  for (let i = 0; i < text.length; i++) if (i32(load<u8>(source + usize(i))) != text.charCodeAt(i)) return false;
  return true;
}
