/**
 * What was made of objects that a program gives again and again with the same content, such as the header fields of an
 * answer. A few are kept; the oldest gives way.
 *
 * Invariant: what is found was made of an object with the same names and values, in the same order. So a result must
 * depend on nothing else, and must not be changed.
 */

const KEPT = 8;

interface Entry<Result> {
  readonly names: readonly string[];
  readonly values: readonly unknown[];
  readonly result: Result;
}

/** The last objects and what was made of each. */
export class LastObjects<Result> {
  readonly #entries: Entry<Result>[] = [];
  #next = 0;

  /** What was made of an object like this one; undefined: it is not known. */
  find(object: object): Result | undefined {
    for (const entry of this.#entries) if (isLike(entry, object)) return entry.result;
    return undefined;
  }

  /** Keeps what was made of an object that had these names and these values: text or numbers. */
  keep(names: readonly string[], values: readonly unknown[], result: Result): void {
    this.#entries[this.#next] = { names, values, result };
    this.#next = (this.#next + 1) % KEPT;
  }
}

function isLike<Result>({ names, values }: Entry<Result>, object: object): boolean {
  let at = 0;
  for (const name in object) {
    if (names[at] !== name || values[at] !== (object as Record<string, unknown>)[name]) return false;
    at++;
  }
  return at === names.length;
}
