// Text for pages, addresses and JSON, and back. The cases are those of Tornado's escape_test.py.
import { expect, test } from "vitest";
import {
  escapeHTML,
  jsonDecode,
  jsonEncode,
  squeeze,
  toUnicode,
  urlEscape,
  urlUnescape,
  utf8,
  xhtmlUnescape,
} from "../../../host/index.js";

test.each([
  ["<foo>", "&lt;foo&gt;"],
  ["<>&\"'", "&lt;&gt;&amp;&quot;&#x27;"],
  ["&amp;", "&amp;amp;"],
  ["<é>", "&lt;é&gt;"],
])("%s in a page is %s, and back", (text, escaped) => {
  expect(escapeHTML(text)).toBe(escaped);
  expect(escapeHTML(Buffer.from(text))).toBe(escaped);
  expect(xhtmlUnescape(escaped)).toBe(text);
});

test.each([
  ["foo&#32;bar&#x20;&#X20;", "foo bar  "],
  ["&#xabc;&#x1f600;", "\u0abc\u{1f600}"],
  ["&apos;&nbsp;", "'\u00a0"],
  ["&#xyz; &#; &#x; &#x110000; &unknown; & &lt", "&#xyz; &#; &#x; &#x110000; &unknown; & &lt"],
])("%s is unescaped as far as it is known", (text, unescaped) => {
  expect(xhtmlUnescape(text)).toBe(unescaped);
});

test.each([
  ["é", "%C3%A9", "%C3%A9"],
  [Buffer.from("é", "latin1"), "%E9", "%E9"],
  ["+ #%", "%2B+%23%25", "%2B%20%23%25"],
  ["a.b_c-d~'(*)!/", "a.b_c-d~%27%28%2A%29%21%2F", "a.b_c-d~%27%28%2A%29%21%2F"],
])("%s in an address is %s, or %s", (value, query, path) => {
  expect(urlEscape(value)).toBe(query);
  expect(urlEscape(value, false)).toBe(path);
  expect(urlUnescape(query, null)).toEqual(utf8(value));
  expect(urlUnescape(utf8(path), null, false)).toEqual(utf8(value));
});

test("an address is text of any encoding", () => {
  expect(urlUnescape("%C3%A9+")).toBe("é ");
  expect(urlUnescape("%C3%A9+", "latin1", false)).toBe("Ã©+");
  expect(() => urlUnescape("%E9")).toThrow(TypeError);
});

test("JSON, white space, bytes", () => {
  expect(jsonDecode(utf8('"é"'))).toBe("é");
  expect(jsonEncode({ a: "</script>" })).toBe('{"a":"<\\/script>"}');
  expect(jsonDecode(jsonEncode({ a: "</script>" }))).toEqual({ a: "</script>" });
  expect(squeeze(" sequences     of \0\n whitespace\t  chars ")).toBe("sequences of whitespace chars");
  expect(toUnicode(utf8("é"))).toBe("é");
  expect(() => toUnicode(Buffer.from([0xe9]))).toThrow(TypeError);
});
