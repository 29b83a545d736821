// Cookies: what browsers send, what may be set, and that what is set comes back.
import { describe, expect, test } from "vitest";

import { parseCookies, setCookie } from "../../../host/index.js";
import { seen } from "../support/exchange.js";

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
      "a=b; Domain=example.org; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=60; Partitioned; Path=/x; SameSite=None; Secure",
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

  test("what RFC 6265 does not allow is escaped or refused, character by character", () => {
    for (let code = 0; code <= 0x200; code++) {
      const character = String.fromCharCode(code);
      const isOctet = /[!#-+\--:<-[\]-~]/.test(character);
      const isText = code === 9 || (code >= 0x20 && code <= 0x7e) || (code >= 0x80 && code <= 0xff);
      const escaped = `"\\${code.toString(8).padStart(3, "0")}"`;
      if (isText) expect(setCookie("a", character)).toBe(`a=${isOctet ? character : escaped}`);
      else expect(() => setCookie("a", character)).toThrow("must not be in it");
      const isToken = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character);
      if (isToken) expect(setCookie(character, "")).toBe(`${character}=`);
      else expect(() => setCookie(character, "")).toThrow("is not a cookie's name");
      const isPath = code >= 0x20 && code <= 0x7e && character !== ";";
      if (isPath) expect(setCookie("a", "", { path: character })).toBe(`a=; Path=${character}`);
      else expect(() => setCookie("a", "", { path: character })).toThrow("path of the cookie a cannot be");
      const isHost = /[0-9A-Za-z._-]/.test(character);
      if (isHost) expect(setCookie("a", "", { domain: character })).toBe(`a=; Domain=${character}`);
      else expect(() => setCookie("a", "", { domain: character })).toThrow("domain of the cookie a cannot be");
    }
  });

  test.each<[string, () => string]>([
    ["no domain", () => setCookie("a", "b", { domain: "" })],
    ["a year of five digits", () => setCookie("a", "b", { expires: new Date(8.64e15) })],
    ["a year that no browser reads", () => setCookie("a", "b", { expires: new Date(Date.UTC(1600, 11, 31)) })],
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
