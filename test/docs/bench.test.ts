// What `make bench` says of a run beside the one that was kept: only what is surely slower.
import { expect, test } from "vitest";

type Verdict = { row: string; name: string; over?: string | undefined; figure: string; values: number[] | null };

const { gotWorse } = (await import(new URL("../../bench/compare.mjs", import.meta.url).href)) as {
  gotWorse: (
    rows: { verdicts: Verdict[] }[],
    kept: { verdicts: Verdict[] }[],
  ) => { row: string; name: string; before: number; now: number }[];
};

const rows = (values: number[] | null, more: Partial<Verdict> = {}) => [
  { verdicts: [{ row: "hello", name: "of Node's http", over: "http", figure: "requestsPerSecond", values, ...more }] },
];
const CPU = { figure: "cpuMicros" };

test("fewer requests, and more CPU, in all rounds are worse than the run that was kept", () => {
  const worse = { row: "hello", name: "of Node's http" };
  expect(gotWorse(rows([1.1, 1.2, 1.3]), rows([1.5, 1.6, 1.4]))).toEqual([{ ...worse, before: 1.5, now: 1.2 }]);
  expect(gotWorse(rows([0.9, 0.8], CPU), rows([0.6, 0.7], CPU))).toMatchObject([worse]);
});

test("what is better, within the rounds of the other, less than a twentieth, new or absolute is not", () => {
  expect(gotWorse(rows([1.5, 1.6, 1.4]), rows([1.1, 1.2, 1.3]))).toEqual([]);
  expect(gotWorse(rows([1.1, 1.2, 1.45]), rows([1.5, 1.6, 1.4]))).toEqual([]);
  expect(gotWorse(rows([0.97, 0.98]), rows([1.0, 1.01]))).toEqual([]);
  expect(gotWorse(rows([1, 1]), [])).toEqual([]);
  expect(gotWorse(rows(null), rows([2, 2]))).toEqual([]);
  expect(gotWorse(rows([1]), rows(null))).toEqual([]);
  expect(gotWorse(rows([1], { over: undefined }), rows([2], { over: undefined }))).toEqual([]);
});
