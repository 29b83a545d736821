/**
 * What a `Request` or `Response` carries under symbols, which is where the code of undici, Node's fetch, looked for it
 * before private fields took their place (`new Request(request)`, `fetch(request)`).
 *
 * Without them a handler of fetch's kind is given a genuine `Request`.
 */
import { nodeInternal } from "./internal.js";

export const fetchSymbols = nodeInternal(
  "Symbol(state)",
  "time for each request of a handler of fetch's kind: it is given a genuine Request",
  () => symbolsOf(new Request("http://x/")).length > 0 && symbolsOf(new Response()).length > 0,
);

/** Gives `prototype` the members that `sample` has under symbols, each read from what `genuine` returns. */
export function delegateSymbols<Light extends object>(
  prototype: Light,
  sample: object,
  genuine: (light: Light) => object,
): void {
  if (!fetchSymbols.isThere()) return;
  for (const key of symbolsOf(sample)) {
    Object.defineProperty(prototype, key, {
      get(this: Light) {
        return Reflect.get(genuine(this), key);
      },
    });
  }
}

function symbolsOf(value: object): symbol[] {
  return Object.getOwnPropertySymbols(value);
}
