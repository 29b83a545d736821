// docs/observability.md: its table is the list of metrics, and its paths are those that the admin server knows.
import { expect, test } from "vitest";

import { LATENCY_ROUTES_MAX } from "../../host/core/limits.js";
import { METRICS } from "../../host/metrics/prometheus.js";
import { documentNamed, read, rowsBelow } from "./documents.js";

const FILE = "docs/observability.md";

test("every metric is listed, with its type and whether a .wasm application has it", () => {
  const rows = rowsBelow(FILE, "## Metrics").map((row) => [row.metric.replaceAll("`", ""), row.type, row["`.wasm`"]]);
  expect(rows).toEqual(METRICS.map(({ name, type, counted }) => [name, type, counted ? "no" : "yes"]));
});

test("the paths are those of the admin server", () => {
  const listed = rowsBelow(FILE, "## The admin server").map((row) => row.path.replaceAll("`", ""));
  const source = read("host/inspect/adminserver.ts");
  const known = [...source.matchAll(/path === "([^"]+)"/g)].map(([, path]) => path);
  expect(listed.sort()).toEqual(["/", ...known].sort());
});

test("the bound of routes is the constant", () => {
  expect(documentNamed(FILE).prose).toContain(`${LATENCY_ROUTES_MAX} routes are counted apart`);
});
