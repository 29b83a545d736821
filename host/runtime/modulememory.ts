/**
 * How much memory a module has by what its file says, and a lower limit for it: beyond that the module's own
 * `memory.grow` fails, which it answers.
 *
 * Invariant: what is read here decides nothing but this limit. A module with several memories, or with one that it
 * imports or shares, gets no limit.
 * Reference: WebAssembly 2.0, 5.3.10 (limits), 5.5.8 (memory section).
 */

import { sectionOf } from "./modulesections.js";

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
  const section = sectionOf(module, MEMORY_SECTION);
  if (section === null) return null;
  const { start, end, content } = section;
  const [memories, kind, pages] = [content.next(), content.next(), content.next()];
  if (memories !== 1 || (kind !== NO_MAX && kind !== MAX)) return null;
  return { start, end, pages, pagesMax: kind === MAX ? content.next() : Number.POSITIVE_INFINITY };
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
