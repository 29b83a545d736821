// How the live page writes numbers.
import { expect, test } from "vitest";

// It is JavaScript for a browser, and checked with the page's own types.
const page = new URL("../../../../host/inspect/page/format.js", import.meta.url);
const { bytes, count, duration, percent, span } = (await import(page.href)) as Record<
  string,
  (value: number) => string
>;

test.each([
  [count, 0, "0"],
  [count, 7, "7"],
  [count, 9999, "9999"],
  [count, 10_000, "10 k"],
  [count, 57_512.3, "57.5 k"],
  [count, 999_999, "1 M"],
  [count, 2.345, "2.35"],
  [bytes, 0, "0 B"],
  [bytes, 1023, "1023 B"],
  [bytes, 1024, "1 KiB"],
  [bytes, 16_515_072, "15.8 MiB"],
  [duration, 0, "0"],
  [duration, 0.0005, "0.5 µs"],
  [duration, 0.021, "21 µs"],
  [duration, 0.99999, "1 ms"],
  [duration, 3.844, "3.84 ms"],
  [duration, 12_340, "12.3 s"],
  [percent, 0.3264, "32.6 %"],
  [span, 59_999, "59 s"],
  [span, 90_000, "1 min 30 s"],
  [span, 3_600_000, "1 h 0 min"],
  [span, 100_000_000, "1 d 3 h"],
])("%o of %d is %j", (write, value, text) => {
  expect(write(value)).toBe(text);
});
