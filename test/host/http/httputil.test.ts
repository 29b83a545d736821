// Addresses with arguments, dates, first lines, credentials. The cases are those of Tornado's httputil_test.py.
import { describe, expect, test } from "vitest";
import {
  encodeUsernamePassword,
  formatTimestamp,
  HTTPInputError,
  parseRequestStartLine,
  parseResponseStartLine,
  qsToQsl,
  splitHostAndPort,
  type UrlArguments,
  urlConcat,
} from "../../../host/index.js";

const YZ: UrlArguments = [
  ["y", "y"],
  ["z", "z"],
];

describe("urlConcat", () => {
  test.each<[string, UrlArguments | null, string]>([
    ["https://localhost/path", YZ, "https://localhost/path?y=y&z=z"],
    ["https://localhost/path", { y: "/y &" }, "https://localhost/path?y=%2Fy+%26"],
    ["https://localhost/path??x", YZ, "https://localhost/path?%3Fx=&y=y&z=z"],
    ["https://localhost/path?", YZ, "https://localhost/path?y=y&z=z"],
    ["https://localhost/path?x", YZ, "https://localhost/path?x=&y=y&z=z"],
    ["https://localhost/path?x&", YZ, "https://localhost/path?x=&y=y&z=z"],
    ["https://localhost/path?a=1&b=2", YZ, "https://localhost/path?a=1&b=2&y=y&z=z"],
    ["https://localhost/path?r=1&t=2", [], "https://localhost/path?r=1&t=2"],
    ["https://localhost/path?r=1&t=2", null, "https://localhost/path?r=1&t=2"],
    ["https://localhost/path#tab?no", { y: "y" }, "https://localhost/path?y=y#tab?no"],
    ["/path?r=1&r=2", [...YZ, ["y", "2"]], "/path?r=1&r=2&y=y&z=z&y=2"],
  ])("%s with %j is %s", (url, args, expected) => {
    expect(urlConcat(url, args)).toBe(expected);
  });
});

describe("first lines", () => {
  test("of requests", () => {
    expect(parseRequestStartLine("GET /foo?a HTTP/1.1")).toEqual({
      method: "GET",
      path: "/foo?a",
      version: "HTTP/1.1",
    });
  });

  test.each([
    "asdf",
    "GET /foo",
    "GET  /foo HTTP/1.1",
    "FOO,BAR / HTTP/1.1",
    "GET / HTTP/2.0",
    "GET / HTTP/1.1 ",
    "GET /\n HTTP/1.1",
  ])("%j begins no request", (line) => {
    expect(() => parseRequestStartLine(line)).toThrow(HTTPInputError);
  });

  test("of answers", () => {
    expect(parseResponseStartLine("HTTP/1.1 200 OK")).toEqual({ version: "HTTP/1.1", code: 200, reason: "OK" });
    expect(parseResponseStartLine("HTTP/1.0 404 ")).toEqual({ version: "HTTP/1.0", code: 404, reason: "" });
  });

  test.each(["HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/2.0 200 OK", "HTTP/1.1 200 O\nK", "200 OK"])(
    "%j begins no answer",
    (line) => {
      expect(() => parseResponseStartLine(line)).toThrow(HTTPInputError);
    },
  );
});

test("a time of HTTP", () => {
  const ms = 1_359_312_200_503;
  expect(formatTimestamp(ms)).toBe("Sun, 27 Jan 2013 18:43:20 GMT");
  expect(formatTimestamp(new Date(ms))).toBe("Sun, 27 Jan 2013 18:43:20 GMT");
});

test("a host and its port", () => {
  expect(splitHostAndPort("example.org:8888")).toEqual(["example.org", 8888]);
  expect(splitHostAndPort("[::1]:80")).toEqual(["[::1]", 80]);
  expect(splitHostAndPort("example.org")).toEqual(["example.org", null]);
  expect(splitHostAndPort("[::1]")).toEqual(["[::1]", null]);
  expect(splitHostAndPort("example.org:")).toEqual(["example.org:", null]);
});

test("values by name as pairs", () => {
  expect([...qsToQsl({ a: ["1", "3"], b: ["2"] })]).toEqual([
    ["a", "1"],
    ["a", "3"],
    ["b", "2"],
  ]);
});

test("a name and a password, of which text is normalized (RFC 7617 2.1)", () => {
  expect(encodeUsernamePassword("test", "123£").toString("base64")).toBe("dGVzdDoxMjPCow==");
  expect(encodeUsernamePassword("josé".normalize("NFD"), "səcrət")).toEqual(Buffer.from("josé:səcrət"));
  expect(encodeUsernamePassword(Buffer.from([0xe9]), "")).toEqual(Buffer.from([0xe9, 0x3a]));
});
