// Which branches have run: those of the host in `globalThis.branches` (instrumenthost.ts), those of modules in globals
// that they export (instrumentwasm.ts).
//
// Invariant: without instrumented code there are none, and nothing else changes.
import { BRANCHES } from "./instrumentwasm.js";

type Words = readonly { value: bigint }[];

const SPARE = new Uint8Array(1 << 16);

/** Instances whose branches count, by what they are called; those that nothing else holds are let go. */
const instances = new Map<string, Set<WeakRef<WebAssembly.Instance>>>();
const words = new WeakMap<WebAssembly.Instance, Words>();

const names = new WeakMap<WebAssembly.Module, string>();

/** What a module's branches are called in a summary. */
export function nameModule(module: WebAssembly.Module, name: string): WebAssembly.Module {
  names.set(module, name);
  return module;
}

/** Counts an instance's branches from now on, if its module was instrumented and has a name. */
export function watchInstance(module: WebAssembly.Module, instance: WebAssembly.Instance): void {
  const name = names.get(module);
  if (name === undefined) return;
  const found: { value: bigint }[] = [];
  for (let word = 0; ; word++) {
    const one = instance.exports[`${BRANCHES}${word}`];
    if (one === undefined) break;
    found.push(one as unknown as { value: bigint });
  }
  if (found.length === 0) return;
  words.set(instance, found);
  const all = instances.get(name) ?? new Set();
  instances.set(name, all.add(new WeakRef(instance)));
}

function hostBranches(): Uint8Array {
  return (globalThis as { branches?: Uint8Array }).branches ?? SPARE;
}

/** Whether this code is instrumented. */
export function countsBranches(): boolean {
  return "branches" in globalThis;
}

/** What one fuzzer has reached. */
export class Coverage {
  readonly #host = new Uint8Array(SPARE.length);
  readonly #modules = new Map<string, bigint[]>();

  /** Forgets what has run since the last look. */
  clear(): void {
    hostBranches().fill(0);
    for (const [, found] of live()) for (const word of found) word.value = 0n;
  }

  /** Whether something has run since `clear` that had not before. */
  take(): boolean {
    let isNew = false;
    const host = fourEach(hostBranches());
    const before = fourEach(this.#host);
    for (let at = 0; at < host.length; at++) {
      const both = (host[at] as number) | (before[at] as number);
      if (both === before[at]) continue;
      before[at] = both;
      isNew = true;
    }
    for (const [name, found] of live()) {
      const seen = this.#modules.get(name) ?? found.map(() => 0n);
      this.#modules.set(name, seen);
      for (const [at, { value }] of found.entries()) {
        const before = seen[at] as bigint;
        if ((BigInt.asUintN(64, value) | before) === before) continue;
        seen[at] = before | BigInt.asUintN(64, value);
        isNew = true;
      }
    }
    return isNew;
  }

  /** How many branches were reached: `core 2100, host 340`. */
  get summary(): string {
    const parts = [...this.#modules].map(
      ([name, seen]) => `${name} ${seen.reduce((sum, word) => sum + bitsOf(word), 0)}`,
    );
    const host = this.#host.reduce((sum, byte) => sum + byte, 0);
    return [...parts, ...(host > 0 ? [`host ${host}`] : [])].join(", ");
  }
}

/** Four bytes at a time. */
function fourEach({ buffer }: Uint8Array): Int32Array {
  return new Int32Array(buffer);
}

function* live(): Generator<[string, Words]> {
  for (const [name, all] of instances) {
    for (const reference of all) {
      const instance = reference.deref();
      if (instance === undefined) all.delete(reference);
      else yield [name, words.get(instance) as Words];
    }
  }
}

function bitsOf(word: bigint): number {
  return word.toString(2).replaceAll("0", "").length;
}
