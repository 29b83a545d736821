/**
 * Stacks of errors with the application's own files and lines, in place of those of the bundle that the engine runs.
 * `waterspout build` gives the table (host/cli/build/sourceplaces.ts).
 */

interface Places {
  readonly sources: readonly string[];
  /** In the order of lines: `[line, source, line there]`, from 0; source -1: it is none of the application's. */
  readonly runs: readonly (readonly [line: number, source: number, lineThere: number])[];
}

const FRAME = /\bcomponentize-qjs:user\.js:(\d+)(?::\d+)?/g;

export function placed(stack: string): string {
  const places = (globalThis as unknown as Record<symbol, Places | undefined>)[Symbol.for("waterspout.places")];
  if (places === undefined) return stack; // while modules are loaded
  return stack.replace(FRAME, (_, line: string) => placeOf(places, Number(line) - 1) ?? "waterspout");
}

function placeOf({ sources, runs }: Places, line: number): string | null {
  const run = runs.findLast(([begin]) => begin <= line);
  const source = sources[run?.[1] ?? -1];
  return run === undefined || source === undefined ? null : `${source}:${run[2] + line - run[0] + 1}`;
}
