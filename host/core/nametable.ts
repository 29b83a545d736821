/**
 * Objects for names that a peer or an application chooses.
 *
 * Invariant: nothing is in one but what was put there: `constructor` and `__proto__` are names like any other.
 */

/** As quick as `{}`, which `Object.create(null)` is not: V8 keeps that as a hash table. */
function Names(): void {}
Names.prototype = Object.create(null);

export const NameTable = Names as unknown as new <Value>() => Record<string, Value>;
