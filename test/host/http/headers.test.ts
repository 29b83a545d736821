// HTTPHeaders as Tornado's: read, changed, copied, parsed; encoded for the wire.
import { describe, expect, test } from "vitest";

import { encodeHeaders } from "../../../host/http/headers.js";
import { HTTPHeaders } from "../../../host/index.js";

describe("header fields", () => {
  test("are made of pairs", () => {
    const headers = new HTTPHeaders([
      ["A", "1"],
      ["a", "2"],
    ]);
    expect(headers.get("A")).toBe("1, 2");
    expect([...headers.entries()]).toEqual([
      ["a", "1"],
      ["a", "2"],
    ]);
  });

  test("are made of an object, whose values may be lists, and listed by name and value", () => {
    const headers = new HTTPHeaders({ "Content-Length": 42, "Set-Cookie": ["a=1", "b=2"] });
    expect([...headers.keys()]).toEqual(["content-length", "set-cookie", "set-cookie"]);
    expect([...headers.values()]).toEqual(["42", "a=1", "b=2"]);
    expect(headers.get("content-length", "none")).toBe("42");
    expect(headers.get("etag", "none")).toBe("none");
  });

  test("are added, set, removed and copied whatever their case", () => {
    const headers = new HTTPHeaders([["Content-Type", "text/html"]]);
    headers.add("Set-Cookie", "A=B");
    headers.add("set-cookie", " C=D ");
    expect(headers.get("SET-COOKIE")).toBe("A=B, C=D");
    expect(headers.getList("Set-Cookie")).toEqual(["A=B", "C=D"]);
    expect([...headers.getAll()]).toEqual([
      ["content-type", "text/html"],
      ["set-cookie", "A=B"],
      ["set-cookie", "C=D"],
    ]);
    const copy = headers.copy();
    expect([copy.delete("Set-Cookie"), copy.delete("Set-Cookie")]).toEqual([true, false]);
    copy.set("CONTENT-TYPE", "text/plain");
    expect([...copy]).toEqual([["content-type", "text/plain"]]);
    expect(headers.size).toBe(3);
    expect([headers.setDefault("SET-COOKIE", "E=F"), headers.setDefault("X-A", "1")]).toEqual(["A=B, C=D", "1"]);
    expect([headers.size, headers.get("x-a")]).toEqual([4, "1"]);
  });

  test("are parsed from a text, and written as one", () => {
    const headers = HTTPHeaders.parse("Content-Type: text/html\r\nContent-Length:42\nX-A: 1\r\nx-a: 2:3\r\n\r\n");
    expect([...headers]).toEqual([
      ["content-type", "text/html"],
      ["content-length", "42"],
      ["x-a", "1"],
      ["x-a", "2:3"],
    ]);
    expect(HTTPHeaders.parse(String(headers))).toEqual(headers);
    const lines = new HTTPHeaders();
    for (const line of ["a: 1\r\n", "b: 2\n", "c: 3", "\r\n", ""]) lines.parseLine(line);
    expect(String(lines)).toBe("a: 1\nb: 2\nc: 3\n");
    expect([...HTTPHeaders.parse("a: b\r\n \t c\n\td \r\nA: x\n\n")]).toEqual([
      ["a", "b c d"],
      ["a", "x"],
    ]);
    headers.parseLine("__proto__: x");
    expect(headers.get("__proto__")).toBe("x");
    expect(headers.has("constructor")).toBe(false);
  });

  test.each(["no colon", ": no name", "\ffolded: line", "a b: c", "a: b\0", "a: b\rc", "ä: c", "a\t: b"])(
    "%j is no field",
    (line) => {
      expect(() => HTTPHeaders.parse(`x: y\n${line}`)).toThrow(
        expect.objectContaining({ code: "HTTP_INPUT", status: 400 }),
      );
    },
  );

  test.each([" a: b", "\ta: b", "\n a: b"])("%j has nothing to go on with", (text) => {
    expect(() => HTTPHeaders.parse(text)).toThrow(expect.objectContaining({ code: "HTTP_INPUT", status: 400 }));
  });

  test.each([
    ["a b", "c"],
    ["", "c"],
    ["a", "b\r\nc: d"],
  ])("%j: %j is not added", (name, value) => {
    const headers = new HTTPHeaders([["a", "first"]]);
    expect(() => headers.add(name, value)).toThrow(expect.objectContaining({ code: "INVALID_HEADER" }));
    expect(() => headers.set(name, value)).toThrow(expect.objectContaining({ code: "INVALID_HEADER" }));
    expect([...headers]).toEqual([["a", "first"]]);
  });
});

test("the same headers are encoded once, and others never mixed up with them", () => {
  const first = encodeHeaders({ A: "1", B: "2" });
  expect(encodeHeaders({ A: "1", B: "2" })).toBe(first);
  for (let i = 0; i < 20; i++) expect(encodeHeaders({ A: String(i) })).not.toBe(first);
  expect(Buffer.from(encodeHeaders({ A: "1", B: "2" }).bytes)).toEqual(Buffer.from(first.bytes));
});
