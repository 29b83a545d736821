// The environment of a component, for applications that ask for it: they have the right to read it as every component
// has, for the settings. preview1 modules and those of wasi:http have no such right, and find nothing.
// Reference: wasi:cli/environment 0.2.0 and 0.3.0.

import { release } from "./component/memory";
import * as preview2 from "./preview2/imports";
import * as preview3 from "./preview3/imports";

const result: usize = WASI == 2 || WASI == 3 ? memory.data(8, 4) : 0;

/**
 * The value of an environment variable, null: there is none. Not while the module is being instantiated: the host
 * cannot answer yet.
 */
export function environment(name: string): string | null {
  if (WASI == 2) preview2.getEnvironment(result);
  else if (WASI == 3) preview3.getEnvironment(result);
  else return null;
  const entries = load<usize>(result);
  const count = load<i32>(result, 4);
  let found: string | null = null;
  for (let i = 0; i < count; i++) {
    const entry = entries + (usize(i) << 4);
    const value = textAt(entry + 8);
    if (textAt(entry) == name) found = value;
  }
  release(entries, usize(count) << 4);
  return found;
}

/** The text that the pair of words at `pair` describes; its memory is given back. */
function textAt(pair: usize): string {
  const at = load<usize>(pair);
  const size = load<usize>(pair, 4);
  const text = String.UTF8.decodeUnsafe(at, size);
  release(at, size);
  return text;
}
