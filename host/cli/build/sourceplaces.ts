/**
 * Where the lines of a bundle come from, as the platform of a component wants them for the stacks of errors
 * (edge/places.ts). Invariant: what stands in a component is as short as its sources are few: one entry for each run of
 * lines that follow each other in both.
 */
import { SourceMap } from "node:module";

/** `[line, source, line there]` of each run; source -1: its lines are not the application's. */
type Run = readonly [line: number, source: number, lineThere: number];

/** Code that gives the platform the places of `script`. `map`: its source map. `isShown`: sources that are named. */
export function placesOf(script: string, map: string, isShown: (source: string) => boolean): string {
  const places = new SourceMap(JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0]);
  const sources: string[] = [];
  const runs: Run[] = [];
  for (const [line, { length }] of script.split("\n").entries()) {
    const found = places.findEntry(line, length);
    const isHere = "generatedLine" in found && found.generatedLine === line && isShown(found.originalSource);
    if (isHere && !sources.includes(found.originalSource)) sources.push(found.originalSource);
    const run: Run = isHere ? [line, sources.indexOf(found.originalSource), found.originalLine] : [line, -1, 0];
    if (!follows(runs.at(-1), run)) runs.push(run);
  }
  return `\nglobalThis[Symbol.for("waterspout.places")] = ${JSON.stringify({ sources, runs })};\n`;
}

function follows(before: Run | undefined, [line, source, lineThere]: Run): boolean {
  if (before === undefined || before[1] !== source) return false;
  return source < 0 || lineThere - before[2] === line - before[0];
}
