// Sets of header fields: what each change gives, and that what is remembered is bounded and never mixed up.
import { describe, expect, test } from "vitest";

import { FieldSet, firstFields } from "../../../host/web/headers.js";

const empty = (): FieldSet => new FieldSet([]);

/** The fields as they would be sent. */
function encoded({ block }: FieldSet): string[] {
  const bytes = Buffer.from(block.bytes);
  const fields: string[] = [];
  let at = block.rows * 4;
  for (let row = 0; row < block.rows; row++) {
    const [name, value] = [bytes.readUInt16LE(row * 4), bytes.readUInt16LE(row * 4 + 2)];
    fields.push(bytes.toString("latin1", at, at + name), bytes.toString("latin1", at + name, at + name + value));
    at += name + value;
  }
  expect(at).toBe(bytes.length);
  return fields;
}

describe("a set", () => {
  test("is not changed by what comes of it", () => {
    const one = empty().with("a", "1");
    one.with("A", "2");
    one.withAnother("a", "3");
    one.without("a");
    one.tagged('"x"');
    expect([...one]).toEqual([["A", "1"]]);
  });

  test("has fields of one name in one place, whatever their spelling", () => {
    const set = empty().with("x-one", "1").with("x-two", "2").withAnother("X-ONE", 3);
    expect([...set]).toEqual([
      ["X-One", "1"],
      ["X-One", "3"],
      ["X-Two", "2"],
    ]);
    expect(set.get("x-onE")).toBe("1");
    expect([...set.with("X-one", "4")]).toEqual([
      ["X-One", "4"],
      ["X-Two", "2"],
    ]);
    expect([...set.without("x-ONE")]).toEqual([["X-Two", "2"]]);
    expect(set.without("x-three")).toBe(set);
    expect(empty().get("x")).toBe(null);
  });

  test("a value of another field is no name", () => {
    const set = empty().with("a", "B").with("b", "A");
    expect([set.get("b"), set.without("A").get("b"), set.get("a")]).toEqual(["A", "A", "B"]);
  });

  test("cookies stand before those that were set as fields", () => {
    const set = empty().with("Set-Cookie", "b=2").with("x", "1").withCookies(["a=1"]);
    expect([...set]).toEqual([
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["X", "1"],
    ]);
  });

  test("is encoded as it is, with a tag or without", () => {
    const set = empty().with("content-type", "text/plain").with("x", "é");
    expect(encoded(set)).toEqual(["Content-Type", "text/plain", "X", "é"]);
    for (const tag of ['"1"', '"2"', '"2"', '"1"']) {
      expect(encoded(set.tagged(tag))).toEqual(["Content-Type", "text/plain", "X", "é", "Etag", tag]);
      expect(set.tagged(tag).get("etag")).toBe(tag);
    }
    expect(encoded(empty().tagged('"1"'))).toEqual(["Etag", '"1"']);
    expect(set.with("Content-Length", 7).tagged('"1"').block).toMatchObject({ rows: 3, contentLength: 7 });
  });

  test("refuses what must not be sent, however often it is tried", () => {
    for (let times = 0; times < 3; times++) {
      expect(() => empty().with("a b", "1")).toThrow("name");
      expect(() => empty().with("a", "1\r\nb: 2")).toThrow("character");
      expect(() => empty().withAnother("a", "\0")).toThrow("character");
      expect(() => empty().tagged('"\n"')).toThrow("character");
      expect(() => empty().with("a", "x".repeat(70_000)).tagged('"1"').block).toThrow("allowed");
    }
    const room = empty().with("a", "x".repeat(65_536 - 5));
    expect(room.block.rows).toBe(1);
    expect(() => room.tagged('"1"')).toThrow("allowed");
  });
});

describe("what is remembered", () => {
  test("the same change gives the same set", () => {
    const set = empty();
    expect(set.with("a", "1")).toBe(set.with("a", "1"));
    expect(set.with("a", 1)).toBe(set.with("a", 1));
    expect(set.tagged('"1"')).toBe(set.tagged('"1"'));
    expect(set.with("a", "1").with("b", "2")).toBe(set.with("a", "1").with("b", "2"));
  });

  test("another name or value gives another", () => {
    const set = empty();
    for (let round = 0; round < 2; round++) {
      for (const name of ["a", "b", "c"]) {
        for (const value of ["1", "2", 1, 2]) expect(set.with(name, value).get(name)).toBe(String(value));
      }
    }
  });

  test("a date is read each time: it can change", () => {
    const set = empty();
    const date = new Date(0);
    expect(set.with("a", date).get("a")).toBe("Thu, 01 Jan 1970 00:00:00 GMT");
    date.setTime(1000);
    expect(set.with("a", date).get("a")).toBe("Thu, 01 Jan 1970 00:00:01 GMT");
  });

  test("neither a long field nor what is one of many", () => {
    const set = empty();
    expect(set.with("a", "x".repeat(255))).toBe(set.with("a", "x".repeat(255)));
    expect(set.with("a", "x".repeat(256))).not.toBe(set.with("a", "x".repeat(256)));
    const one = set.with("a", "0");
    for (let value = 1; value <= 4; value++) set.with("a", value);
    expect(set.with("a", "0")).not.toBe(one);
  });

  test("when many are remembered all are forgotten", () => {
    const first = firstFields();
    let set: FieldSet = empty();
    for (let value = 0; value < 300; value++) set = set.with(`x-${value % 50}`, value);
    expect(firstFields()).not.toBe(first);
    expect([...firstFields()]).toEqual([...first]);
  });
});
