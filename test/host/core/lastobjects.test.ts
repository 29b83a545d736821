// What was made of an object is found by another one with the same content, and by no other.
import { expect, test } from "vitest";
import { LastObjects } from "../../../host/core/lastobjects.js";

test("an object is found by its names and values in their order", () => {
  const last = new LastObjects<string>();
  last.keep(["a", "b"], ["1", 2], "found");
  expect(last.find({ a: "1", b: 2 })).toBe("found");
  for (const other of [{}, { a: "1" }, { b: 2, a: "1" }, { a: "1", b: "2" }, { a: "1", b: 2, c: "" }, { A: "1", b: 2 }])
    expect(last.find(other)).toBeUndefined();
});

test("eight are kept, and the oldest gives way", () => {
  const last = new LastObjects<number>();
  for (let index = 0; index < 9; index++) last.keep(["a"], [index], index);
  expect(Array.from({ length: 9 }, (_, index) => last.find({ a: index }))).toEqual([undefined, 1, 2, 3, 4, 5, 6, 7, 8]);
});
