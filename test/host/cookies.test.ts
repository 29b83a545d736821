// Cookies: what browsers send, what may be set, and that what is set comes back.
import { describe, expect, test } from "vitest";

import { parseCookies, setCookie } from "../../host/index.js";
import { seen } from "./exchange.js";

const parsed = (text: string): [string, string][] => [...parseCookies(text)];

describe("reading", () => {
  test.each<[string, [string, string][]]>([
    ["a=b", [["a", "b"]]],
    ["a=b; c=d", [["a", "b"], ["c", "d"]]], // biome-ignore format: pairs
    ["a=b;c=d", [["a", "b"], ["c", "d"]]], // biome-ignore format: pairs
    ["  a = b ; ; ", [["a", "b"]]],
    ["a=b=c; d=", [["a", "b=c"], ["d", ""]]], // biome-ignore format: pairs
    ["a=1; a=2", [["a", "2"]]],
    ["nothing", [["", "nothing"]]],
    ["=x", [["", "x"]]],
    ['a="b c"', [["a", "b c"]]],
    ['a="b\\"c\\\\d"', [["a", 'b"c\\d']]],
    ['a="\\073\\054\\303\\274"', [["a", ";,\xc3\xbc"]]],
    ['a="\\400"', [["a", "400"]]],
    ['a="b', [["a", '"b']]],
    ['a="', [["a", '"']]],
    ['a=""', [["a", ""]]],
    ["a=%20b", [["a", "%20b"]]],
    ["__proto__=x; constructor=y", [["__proto__", "x"], ["constructor", "y"]]], // biome-ignore format: pairs
    ["", []],
    [";;;", []],
  ])("%j", (text, expected) => {
    expect(parsed(text)).toEqual(expected);
  });

  test("of a request, over several fields", () => {
    const { cookies } = seen({
      headers: [
        ["cookie", "a=1; b=2"],
        ["cookie", "c=3"],
      ],
    });
    expect([...cookies]).toEqual([
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
    ]);
    expect(seen({}).cookies.size).toBe(0);
  });
});

describe("setting", () => {
  test("every attribute", () => {
    const text = setCookie("a", "b", {
      domain: "example.org",
      path: "/x",
      expires: new Date(0),
      maxAge: 60,
      secure: true,
      httpOnly: true,
      sameSite: "None",
      partitioned: true,
    });
    expect(text).toBe(
      "a=b; Domain=example.org; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60; Secure; HttpOnly; SameSite=None; Partitioned",
    );
    expect(setCookie("a", "")).toBe("a=");
    expect(setCookie("a", "b", { secure: false, maxAge: 0 })).toBe("a=b; Max-Age=0");
  });

  test.each(["", "b", "b c", 'say "hi"', "back\\slash", "a;b,c", "\xfc\xff", "tab\there", "a=b%20"])(
    "%j comes back as it was",
    (value) => {
      const text = setCookie("name", value);
      expect(text).toMatch(/^[\x20-\x7e]*$/);
      expect(text).not.toContain(";");
      expect(parsed(text)).toEqual([["name", value]]);
    },
  );

  test.each<[string, () => string]>([
    ["no name", () => setCookie("", "b")],
    ["a name with a space", () => setCookie("a b", "c")],
    ["a name with =", () => setCookie("a=", "c")],
    ["a line end in the value", () => setCookie("a", "b\r\nSet-Cookie: c=d")],
    ["NUL in the value", () => setCookie("a", "\0")],
    ["a value that is not latin-1", () => setCookie("a", "\u20ac")],
    ["a value that is none", () => setCookie("a", 1 as never)],
    ["a semicolon in the path", () => setCookie("a", "b", { path: "/; Domain=evil" })],
    ["a line end in the domain", () => setCookie("a", "b", { domain: "x\r\ny" })],
    ["expires that is no date", () => setCookie("a", "b", { expires: new Date(Number.NaN) })],
    ["half a second", () => setCookie("a", "b", { maxAge: 0.5 })],
    ["another sameSite", () => setCookie("a", "b", { sameSite: "lax" as never })],
    ["sameSite None without secure", () => setCookie("a", "b", { sameSite: "None" })],
    ["partitioned without secure", () => setCookie("a", "b", { partitioned: true })],
  ])("%s throws", (_name, call) => {
    expect(call).toThrow(expect.objectContaining({ code: "INVALID_HEADER" }));
  });
});
