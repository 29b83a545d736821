/** Header fields in whatever form they are given, as pairs. Invariant: each pair is one field, in the order given. */
import type { HeadersInput } from "./headers.js";

/** Header fields in their order. */
export type HeaderPairs = [string, string | number][];

/** Header fields as pairs, one for each field: what may be given once only can be looked at twice then. */
export function headerPairs(given: HeadersInput | undefined): HeaderPairs {
  if (given === undefined) return [];
  if (Symbol.iterator in given) return [...given].map(([name, value]) => [name, value]);
  return Object.entries(given).flatMap(([name, value]): [string, string | number][] =>
    Array.isArray(value) ? value.map((single: string) => [name, single]) : [[name, value as string | number]],
  );
}
