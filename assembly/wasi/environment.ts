// Environment and arguments, for applications that ask for them: they alone have the right to read them, but that
// components of WASI 0.2 and 0.3 have it for their settings.
// Invariant: a text that the host hands over is given back. Reference: WASI snapshot 01; wasi:cli/environment 0.2.0 and
// 0.3.0.

import { OVER_02, OVER_03, OVER_HTTP } from "./build";
import { release } from "./component/memory";
import * as preview1 from "./environmentimports";
import * as preview2 from "./preview2/imports";
import * as preview3 from "./preview3/imports";

const result: usize = WASI != 0 ? memory.data(8, 4) : 0;

/**
 * The value of an environment variable, null: there is none. Not while the module is being instantiated: the host
 * cannot answer yet.
 */
export function environment(name: string): string | null {
  if (WASI == 0) return null;
  if (WASI == 1) return valueOf(name, ofPreview1(true));
  if (OVER_02) preview2.getEnvironment(result);
  else if (OVER_03) preview3.getEnvironment(result);
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

/**
 * The arguments behind `--`: what stands before it says where a component listens. Components of wasi:http have none.
 * Not while the module is being instantiated.
 */
export function programArguments(): string[] {
  if (WASI == 0 || OVER_HTTP) return [];
  const all = WASI == 1 ? ofPreview1(false) : ofComponent();
  const own = all.indexOf("--");
  return own < 0 ? [] : all.slice(own + 1);
}

function ofComponent(): string[] {
  if (WASI == 2) preview2.getArguments(result);
  else if (WASI == 3) preview3.getArguments(result);
  const texts = load<usize>(result);
  const count = load<i32>(result, 4);
  const all: string[] = [];
  for (let i = 0; i < count; i++) all.push(textAt(texts + (usize(i) << 3)));
  release(texts, usize(count) << 3);
  return all;
}

/** The entry of `entries` that is `name` and a value. */
function valueOf(name: string, entries: string[]): string | null {
  const start = name + "=";
  for (let i = 0; i < entries.length; i++) if (entries[i].startsWith(start)) return entries[i].substring(start.length);
  return null;
}

/** preview1 writes addresses of texts, and the texts, each with a zero behind it. */
function ofPreview1(isEnvironment: bool): string[] {
  const all: string[] = [];
  const failed = isEnvironment
    ? preview1.environ_sizes_get(result, result + 4)
    : preview1.args_sizes_get(result, result + 4);
  if (failed) return all;
  const count = load<i32>(result);
  const texts = heap.alloc((usize(count) << 2) + load<usize>(result, 4));
  const bytes = texts + (usize(count) << 2);
  const code = isEnvironment ? preview1.environ_get(texts, bytes) : preview1.args_get(texts, bytes);
  for (let i = 0; !code && i < count; i++) {
    const at = load<usize>(texts + (usize(i) << 2));
    let size: usize = 0;
    while (load<u8>(at + size)) size++;
    all.push(String.UTF8.decodeUnsafe(at, size));
  }
  heap.free(texts);
  return all;
}

/** The text that the pair of words at `pair` describes; its memory is given back. */
function textAt(pair: usize): string {
  const at = load<usize>(pair);
  const size = load<usize>(pair, 4);
  const text = String.UTF8.decodeUnsafe(at, size);
  release(at, size);
  return text;
}
