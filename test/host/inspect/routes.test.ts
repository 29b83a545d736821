// The tables of the live page: which routes are in them, in which order, and how many.
import { expect, test } from "vitest";
import { Histogram } from "../../../host/bridge/latencies.js";
import { INSPECT_ROUTES_MAX } from "../../../host/core/limits.js";
import { routeTables, statusRows } from "../../../host/inspect/routes.js";

function total(method: string, route: string, status: string, ...ms: number[]) {
  const histogram = new Histogram();
  for (const each of ms) histogram.add(each);
  return { method, route, status, histogram };
}

test("a route's requests of all statuses are one row; what failed comes first where it failed most", () => {
  const { slowest, failing } = routeTables([
    total("GET", "/a", "2xx", 1, 1, 1),
    total("GET", "/a", "5xx", 1),
    total("GET", "/b", "5xx", 2, 2),
    total("POST", "/b", "2xx", 16),
    total("GET", "/c", "aborted", 4, 4, 4),
  ]);
  const names = (rows: typeof slowest) => rows.map(({ method, route }) => `${method} ${route}`);
  expect(names(failing)).toEqual(["GET /c", "GET /b", "GET /a"]);
  expect(failing[2]).toMatchObject({ requests: 4, failed: 1, p99: 1 });
  expect(names(slowest)).toEqual(["POST /b", "GET /c", "GET /b", "GET /a"]);
});

test("a table has at most ten rows", () => {
  const many = Array.from({ length: INSPECT_ROUTES_MAX + 1 }, (_, index) =>
    total("GET", `/${index}`, "5xx", index + 1),
  );
  const { slowest, failing } = routeTables(many);
  expect([slowest.length, failing.length]).toEqual([INSPECT_ROUTES_MAX, INSPECT_ROUTES_MAX]);
  expect(slowest[0]?.route).toBe(`/${INSPECT_ROUTES_MAX}`);
  expect(routeTables(many.slice(1)).slowest.length).toBe(INSPECT_ROUTES_MAX);
});

test("rates are those of the time between two readings, for each class of status", () => {
  const before = [total("GET", "/a", "2xx", 1), total("GET", "/b", "4xx", 1)];
  const after = [total("GET", "/a", "2xx", 1, 1, 1), total("POST", "/a", "2xx", 1, 1), total("GET", "/b", "4xx", 1)];
  expect(statusRows(before, after, 2)).toEqual([
    { status: "2xx", ever: 5, perSecond: 2 },
    { status: "4xx", ever: 1, perSecond: 0 },
  ]);
});
