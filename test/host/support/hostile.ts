// Hostile texts of every kind, and whether a function takes more than linear time for one: the same character, or the
// same few, again and again. What is quadratic takes a second and more at this size; a slow machine is not taken for
// that, because then an eighth of the text is enough.
import { expect } from "vitest";

const SIZE = 32_768;
const CHARACTERS = [..." \t;,=\"\\%&/.a1([:-<{+|'*?@\x7f\xff"];
const PAIRS = ["a=", 'W/"', '\\"', "\\1", "a;", "; a=b", "%4", "%41", "../", "\r\n", "a:", '=",', "|1:", ", "];
export const FILLERS = [...CHARACTERS, ...PAIRS];
/** What stands before and behind them. */
const ENDS = [
  ["", ""],
  ["", "\x01"],
  ["a", "\x01"],
  ["a", "a"],
] as const;

/** What is squared takes longer on any machine; what is not is done long before, unless the machine is busy. */
const SURELY_LINEAR_MS = 25;

/**
 * Fails when eight times the text costs much more than eight times the time. An exception is an answer as good as any.
 */
export async function expectLinear(run: (text: string) => unknown, filler: string): Promise<void> {
  for (const [before, behind] of ENDS) {
    const text = (size: number): string => before + filler.repeat(size / filler.length) + behind;
    expect(await isSlow(run, text), `slow on ${JSON.stringify(text(filler.length * 3))}`).toBe(false);
  }
}

async function isSlow(run: (text: string) => unknown, text: (size: number) => string): Promise<boolean> {
  if ((await msOf(run, text(SIZE), 1)) < SURELY_LINEAR_MS) return false;
  let small = Number.POSITIVE_INFINITY;
  let large = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    small = Math.min(small, await msOf(run, text(SIZE / 8), 8));
    large = Math.min(large, await msOf(run, text(SIZE), 1));
    if (large < 3 * small + SURELY_LINEAR_MS) return false;
  }
  return true;
}

async function msOf(run: (text: string) => unknown, text: string, times: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < times; i++) {
    try {
      await run(text);
    } catch {}
  }
  return performance.now() - start;
}
