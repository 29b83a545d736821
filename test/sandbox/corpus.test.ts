// Every case of test/corpus through the parser, in every way that must not make a difference: whole, a byte at a time,
// cut in two at every place; at the very end of memory and in front of the bytes that come next; with SIMD and without.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";

import { type Case, corpus, FILES, shown } from "../corpus/corpus.js";
import { ROOT } from "../e2e/support/ways.js";
import { eventsOf, Parser, REFUSALS } from "./parser.js";

/** Longer requests are cut at so many places only: everywhere takes time in proportion to the square. */
const CUTS_MAX = 1500;

describe.each([
  ["with SIMD", true],
  ["without SIMD", false],
])("%s", (_, simd) => {
  const parser = Parser.load(simd);

  test.each(FILES)("%s", (file) => {
    for (const one of corpus.filter((other) => other.file === file)) {
      const { title, request } = one;
      const whole = parser.run(request, [request.length]);
      expect(eventsFor(one, whole), title).toEqual(one.events);
      const same = (way: string, ends: Iterable<number>, place?: "followed") => {
        const log = parser.run(request, ends, place);
        if (log !== whole) expect(eventsOf(log), `${title}, ${way}`).toEqual(eventsOf(whole));
      };
      same("followed by other bytes", [request.length], "followed");
      const step = Math.ceil(request.length / CUTS_MAX);
      same("in small pieces", cuts(request.length, step));
      same("in small pieces, the rest behind them", cuts(request.length, step), "followed");
      for (let cut = 1; cut < request.length; cut += step) {
        same(`cut at ${cut}`, [cut, request.length]);
        same(`cut at ${cut}, the rest behind it`, [cut, request.length], "followed");
      }
    }
  });
});

test("there are several hundred cases, each with a title of its own", () => {
  expect(corpus.length).toBeGreaterThan(500);
  expect(new Set(corpus.map(({ file, title }) => `${file} ${title}`)).size).toBe(corpus.length);
});

test("every refusal has a case, apart from those that are a matter of time, of memory or of the connection's end", () => {
  const shownRefusals = new Set(
    corpus.flatMap(({ events }) => events).map((event) => /^refused \d+ (\w+)/.exec(event)?.[1]),
  );
  const missing = [...REFUSALS.values()].filter(
    (name) => !/TIMEOUT$|^MEMORY|^REQUEST_CUT$/.test(name) && !shownRefusals.has(name),
  );
  expect(missing).toEqual([]);
});

test("an application can be built without SIMD", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-scalar-"));
  try {
    const file = path.join(folder, "demo.wasm");
    const flags = "--config none --runtime incremental --exportStart _initialize --use abort= --use WASI=1";
    const asc = path.join(ROOT, "node_modules/.bin/asc");
    execFileSync(asc, ["examples/sandboxed/demo.ts", ...flags.split(" "), "--disable", "simd", "--outFile", file], {
      cwd: ROOT,
      stdio: "pipe",
    });
    expect(() => new WebAssembly.Module(readFileSync(file))).not.toThrow();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** A log in the form of a case: with fields only where the case lists them. */
function eventsFor({ file, events }: Case, log: string): string[] {
  const fields = file === "fields.md" || events.some((event) => event.startsWith("field "));
  return eventsOf(log)
    .filter((event) => fields || !event.startsWith("field "))
    .map(shown);
}

function* cuts(size: number, step: number): Iterable<number> {
  for (let at = step; at < size; at += step) yield at;
  yield size;
}
