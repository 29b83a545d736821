/**
 * How much memory a module has by what its file says, and a lower limit for it: beyond that the module's own
 * `memory.grow` fails, which it answers.
 *
 * Invariant: what is read here decides nothing but this limit; whether the file is a module at all, its runtime finds
 * out. A module with several memories, or with one that it imports or shares, gets no limit.
 * Reference: WebAssembly 2.0, 5.2.2 (integers), 5.3.10 (limits), 5.5.8 (memory section).
 */

const HEADER_BYTES = 8;
const MEMORY_SECTION = 5;
const PAGE_BYTES = 64 << 10;
/** Of any memory. */
const PAGES_MAX = 65_536;
const NO_MAX = 0;
const MAX = 1;

interface MemorySection {
  /** Where it begins and ends in the file. */
  readonly start: number;
  readonly end: number;
  readonly pages: number;
  /** Infinity: the module says nothing. */
  readonly pagesMax: number;
}

function memorySection(module: Uint8Array): MemorySection | null {
  let at = HEADER_BYTES;
  const next = (): number => {
    for (let value = 0, unit = 1; ; unit *= 128) {
      const byte = module[at++] ?? 0;
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  };
  while (at < module.length) {
    const start = at;
    const section = next();
    const size = next();
    const end = at + size;
    if (section === MEMORY_SECTION) {
      const [memories, kind, pages] = [next(), next(), next()];
      if (memories !== 1 || (kind !== NO_MAX && kind !== MAX)) return null;
      return { start, end, pages, pagesMax: kind === MAX ? next() : Number.POSITIVE_INFINITY };
    }
    at = end;
  }
  return null;
}

/** Bytes that a module may have when it may grow by `growthBytes`; null: it has no memory of its own. */
export function memoryBytesWith(module: Uint8Array, growthBytes: number): number | null {
  const section = memorySection(module);
  return section === null ? null : Math.min(section.pages * PAGE_BYTES + growthBytes, PAGES_MAX * PAGE_BYTES);
}

/** The same module, which may grow by `growthBytes` at most. */
export function withGrowthLimit(module: Uint8Array, growthBytes: number): Uint8Array {
  const section = memorySection(module);
  if (section === null || growthBytes === Number.POSITIVE_INFINITY) return module;
  const { start, end, pages, pagesMax } = section;
  const limit = Math.min(pagesMax, PAGES_MAX, pages + Math.floor(growthBytes / PAGE_BYTES));
  const content = [1, MAX, ...encoded(pages), ...encoded(limit)];
  return Buffer.concat([
    module.subarray(0, start),
    Uint8Array.from([MEMORY_SECTION, content.length, ...content]),
    module.subarray(end),
  ]);
}

function encoded(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...encoded(Math.floor(value / 128))];
}
