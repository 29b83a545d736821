// Beside a run that was kept: which figures got worse.
// Invariant: only ratios to a peer of the same run are compared, and only where the rounds of both lie apart. So another
// machine, or a busy one, does not count as slower.

import { median } from "./report.mjs";

const MORE_IS_BETTER = new Set(["requestsPerSecond", "perSecond", "megabytesPerSecond", "gigabytesPerSecond"]);
const WORSE_BY = 0.05;

/** The verdicts of `rows` that are worse than those of `kept`, rows of results/: { row, name, before, now }. */
export function gotWorse(rows, kept) {
  const before = new Map(kept.flatMap(({ verdicts }) => verdicts).map((each) => [`${each.row} ${each.name}`, each]));
  return rows
    .flatMap(({ verdicts }) => verdicts)
    .filter(({ over, values }) => over !== undefined && values !== null)
    .flatMap((now) => {
      const old = before.get(`${now.row} ${now.name}`);
      if (old === undefined || old.values === null || !isWorse(now, old)) return [];
      return [{ row: now.row, name: now.name, before: median(old.values), now: median(now.values) }];
    });
}

function isWorse({ figure, values }, old) {
  // More is worse from here on: what should be large counts by its inverse.
  const cost = (value) => (MORE_IS_BETTER.has(figure) ? 1 / value : value);
  const [now, then] = [values.map(cost), old.values.map(cost)];
  return Math.min(...now) > Math.max(...then) && median(now) > median(then) * (1 + WORSE_BY);
}
