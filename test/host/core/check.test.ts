// What an option may be, and what is said about one that is not.
import { expect, test } from "vitest";

import { choice, wholeNumber } from "../../../host/core/check.js";
import { OptionError } from "../../../host/core/errors.js";

test("a whole number within its range is taken, at both ends", () => {
  for (const value of [1, 5, 9]) expect(wholeNumber("workers", value, 1, 9)).toBe(value);
  expect(wholeNumber("workers", Number.MAX_SAFE_INTEGER, 0)).toBe(Number.MAX_SAFE_INTEGER);
});

test.each([0, 10, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5", null, undefined])(
  "%s is refused by name",
  (value) => {
    expect(() => wholeNumber("workers", value, 1, 9)).toThrow(OptionError);
    expect(() => wholeNumber("workers", value, 1, 9)).toThrow(
      `workers must be a whole number from 1 to 9, not ${String(value)}`,
    );
  },
);

test("without a most it is what a double holds exactly", () => {
  expect(() => wholeNumber("restarts", -1, 0)).toThrow("restarts must be a whole number from 0 up, not -1");
  expect(() => wholeNumber("restarts", Number.MAX_SAFE_INTEGER + 1, 0)).toThrow(OptionError);
});

test("one of several texts is taken; any other value is refused with all of them", () => {
  expect(choice("family", "IPv6", ["IPv4", "IPv6"])).toBe("IPv6");
  expect(() => choice("family", "IPv5", ["IPv4", "IPv6"])).toThrow('family must be "IPv4" or "IPv6", not "IPv5"');
  expect(() => choice("mode", null, ["a", "b", "c"])).toThrow('mode must be "a", "b" or "c", not null');
});
