// Texts and lists that the runtime has handed over in an exchange of wasi:http: the last call's is found here.
// Invariant: each is given back once by the function that has read it. Reference: CanonicalABI.md.

import { release } from "../component/memory";

/** What the last reading call has found: a text or a list. */
export let at: usize = 0;
export let size: i32 = 0;

/** The pair of words at `pair`. */
export function find(pair: usize): void {
  at = load<usize>(pair);
  size = load<i32>(pair, 4);
}

export function findName(list: usize, index: i32): void {
  find(list + (usize(index) << 4));
}

export function findValue(list: usize, index: i32): void {
  find(list + (usize(index) << 4) + 8);
}

export function releaseFields(list: usize, count: i32): void {
  for (let i: usize = 0; i < usize(count) << 4; i += 8) release(load<usize>(list + i), load<usize>(list + i, 4));
  release(list, usize(count) << 4);
}

export function releaseFound(): void {
  release(at, usize(size));
}
