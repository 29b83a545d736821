import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import {
  CONNECTION_FIELD,
  CONTENT_LENGTH_FIELD,
  EXPECT_FIELD,
  HOST_FIELD,
  PARTIAL,
  TRANSFER_ENCODING_FIELD,
  UPGRADE_FIELD,
  headReset,
  isDuplicate,
  knownRow,
  parseHead,
  rowCount,
  skipEmptyLines,
  targetSize,
} from "../../../../assembly/protocol/http/head";
import { Refusal } from "../../../../assembly/protocol/http/refusal";
import { HEAD, ROWS_MAX, SOURCE, outcome, put, rendered } from "./support/support";
import { BROWSER, CURL, cookies } from "./support/requests";

const GET = "GET / HTTP/1.1\r\n";
const HOST = "Host: x\r\n";

function accepted(text: string, expected: string): void {
  expect(outcome(text)).toBe(text.length);
  expect(rendered()).toBe(expected);
  // What follows is not the head's.
  expect(outcome(text + "GET / HTTP")).toBe(text.length);
  expect(rendered()).toBe(expected);
}

function refused(text: string, refusal: i32): void {
  expect(outcome(text)).toBe(refusal);
  // More bytes change nothing.
  expect(outcome(text + "\r\n\r\n")).toBe(refusal);
}

/** A header line that is refused, first of the head and behind another, whatever the blocks of 64 bytes it lies in. */
function refusedLine(line: string, refusal: i32): void {
  refused(GET + line, refusal);
  refused(GET + HOST + line, refusal);
  for (let i = 30; i < 70; i++)
    expect(outcome(GET + "a: " + "b".repeat(i) + "\r\n" + line + "c: d\r\n\r\n")).toBe(refusal);
}

test("a higher minor version is processed as HTTP/1.1", () => {
  for (let minor = 1; minor < 10; minor++) {
    accepted("GET / HTTP/1." + minor.toString() + "\r\nHost: x\r\n\r\n", "GET / 1.1|Host=x");
  }
});

describe("requests as they come", () => {
  test("the smallest", () => {
    accepted("A / HTTP/1.0\r\n\r\n", "A / 1.0");
    accepted("GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / 1.1|Host=");
  });
  test("curl", () => {
    accepted(CURL, "POST /echo?a=b 1.1|Host=localhost:8888|User-Agent=curl/8.5.0|Accept=*/*|Content-Length=5");
  });
  test("a browser", () => {
    expect(outcome(BROWSER)).toBe(BROWSER.length);
    expect(rowCount(HEAD)).toBe(14);
    expect(rendered().startsWith("GET /search?q=a%20b|c 1.1|Host=www.example.com|Connection=keep-alive|")).toBe(true);
    expect(rendered().endsWith("|Priority=u=0, i")).toBe(true);
  });
  test("many cookies", () => {
    const text = cookies(4096);
    expect(outcome(text)).toBe(4096);
    expect(rowCount(HEAD)).toBe(4);
  });
});

describe("the request line", () => {
  test("every token character in a method", () => {
    accepted("!#$%&'*+-.^_`|~09AZaz / HTTP/1.0\r\n\r\n", "!#$%&'*+-.^_`|~09AZaz / 1.0");
  });
  test("targets of every length around the vectors", () => {
    for (let i = 0; i < 140; i++) {
      const target = "/" + "a".repeat(i);
      accepted("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n", "GET " + target + " 1.1|Host=x");
    }
  });
  test("BAD_METHOD", () => {
    refused(" GET / HTTP/1.1\r\n", Refusal.BAD_METHOD);
    refused("\x16\x03\x01\x02", Refusal.BAD_METHOD);
    refused("G@T / HTTP/1.1\r\n", Refusal.BAD_METHOD);
    refused("GET\t/ HTTP/1.1\r\n", Refusal.BAD_METHOD);
    refused("asdf\r\n", Refusal.BAD_METHOD);
    refused("G\xc4T / HTTP/1.1\r\n", Refusal.BAD_METHOD);
    refused("\n", Refusal.BAD_METHOD);
    refused("\rGET / HTTP/1.1\r\n", Refusal.BAD_METHOD);
  });
  test("BAD_TARGET", () => {
    refused("GET  / HTTP/1.1\r\n", Refusal.BAD_TARGET);
    refused("GET /\t HTTP/1.1\r\n", Refusal.BAD_TARGET);
    refused("GET /\0 HTTP/1.1\r\n", Refusal.BAD_TARGET);
    refused("GET /\x7f HTTP/1.1\r\n", Refusal.BAD_TARGET);
    refused("GET \r\n", Refusal.BAD_TARGET);
  });
  test("NO_VERSION", () => {
    refused("GET /\r\n", Refusal.NO_VERSION);
    refused("GET /\n", Refusal.NO_VERSION);
    refused("GET HTTP/1.1\r\n", Refusal.NO_VERSION);
  });
  test("BAD_VERSION", () => {
    refused("GET / HTTP/1.1 \r\n", Refusal.BAD_VERSION);
    refused("GET / HTTP/1.1\n", Refusal.BAD_VERSION);
    refused("GET / HTTP/1.1\rX", Refusal.BAD_VERSION);
    refused("GET /  HTTP/1.1\r\n", Refusal.BAD_VERSION);
    refused("GET /a b HTTP/1.1\r\n", Refusal.BAD_VERSION);
    refused("GET / http/1.1\r\n", Refusal.BAD_VERSION);
    refused("GET / HTTP/1.10\r\n", Refusal.BAD_VERSION);
    refused("GET / HTTP/11\r\n", Refusal.BAD_VERSION);
    refused("GET / HTTP/1.x\r\n", Refusal.BAD_VERSION);
    refused("GET / HTTP/:.1\r\n", Refusal.BAD_VERSION);
    refused("GET / ICY/1.1\r\n", Refusal.BAD_VERSION);
    refused("GET / \r\n", Refusal.BAD_VERSION);
  });
  test("UNSUPPORTED_VERSION", () => {
    refused("GET / HTTP/0.9\r\n", Refusal.UNSUPPORTED_VERSION);
    refused("GET / HTTP/2.0\r\n", Refusal.UNSUPPORTED_VERSION);
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal.UNSUPPORTED_VERSION);
    expect(outcome("GET / HTTP/2.0")).toBe(PARTIAL);
    expect(outcome("GET / HTTP/2.0\r")).toBe(PARTIAL);
  });
  test("the size of a target that is still coming", () => {
    expect(outcome(CURL)).toBe(CURL.length);
    put(SOURCE, "GET /abc");
    headReset(HEAD);
    expect(parseHead(HEAD, SOURCE, 3, ROWS_MAX)).toBe(PARTIAL);
    expect(targetSize(HEAD)).toBe(0);
    expect(parseHead(HEAD, SOURCE, 8, ROWS_MAX)).toBe(PARTIAL);
    expect(targetSize(HEAD)).toBe(4);
  });
});

describe("header fields", () => {
  test("white space around a value", () => {
    accepted(GET + "Host: \t x \t \r\n\r\n", "GET / 1.1|Host=x");
    accepted(GET + "Host:x\r\nA: \t \r\nB:\r\nC:\t\r\n\r\n", "GET / 1.1|Host=x|A=|B=|C=");
    accepted(GET + HOST + "A: b\tc d\r\n\r\n", "GET / 1.1|Host=x|A=b\tc d");
  });
  test("tabs at every place of a block", () => {
    for (let i = 0; i < 70; i++) {
      const value = "b" + "b".repeat(i) + "\tc\t\td" + "e".repeat(70 - i);
      accepted(GET + HOST + "A:\t" + value + "\t\r\n\r\n", "GET / 1.1|Host=x|A=" + value);
    }
  });
  test("bytes from 0x80 up at every place of a block, also before a tab and at the end of a value", () => {
    for (let i = 0; i < 70; i++) {
      const value = "b".repeat(i) + "\xff\t\x80c" + "e".repeat(70 - i) + "\xe9";
      accepted(GET + HOST + "A: " + value + "\r\nB: \x80\r\n\r\n", "GET / 1.1|Host=x|A=" + value + "|B=\x80");
    }
  });
  test("names and values of every length around the vectors", () => {
    for (let i = 1; i < 140; i++) {
      const name = "n".repeat(i);
      const value = "v".repeat(i - 1);
      accepted(GET + HOST + name + ": " + value + "\r\n\r\n", "GET / 1.1|Host=x|" + name + "=" + value);
    }
  });
  test("bytes from 0x80 up in a value", () => {
    accepted(GET + HOST + "A: \x80\xff\r\n\r\n", "GET / 1.1|Host=x|A=\x80\xff");
  });
  test("known names", () => {
    const names = "hOST: x\r\nCONTENT-LENGTH: 0\r\nConnection: a\r\nExpect: 100-continue\r\nupGrade: b\r\n";
    expect(outcome(GET + "A: b\r\n" + names + "\r\n")).toBeGreaterThan(0);
    expect(knownRow(HEAD, HOST_FIELD)).toBe(1);
    expect(knownRow(HEAD, CONTENT_LENGTH_FIELD)).toBe(2);
    expect(knownRow(HEAD, CONNECTION_FIELD)).toBe(3);
    expect(knownRow(HEAD, EXPECT_FIELD)).toBe(4);
    expect(knownRow(HEAD, UPGRADE_FIELD)).toBe(5);
    expect(knownRow(HEAD, TRANSFER_ENCODING_FIELD)).toBe(-1);
    expect(outcome(GET + HOST + "Transfer-encodinG: chunked\r\n\r\n")).toBeGreaterThan(0);
    expect(knownRow(HEAD, TRANSFER_ENCODING_FIELD)).toBe(1);
    expect(isDuplicate(HEAD, CONNECTION_FIELD)).toBe(false);
    expect(outcome(GET + HOST + "Connection: a\r\nA: b\r\nconnection: c\r\n\r\n")).toBeGreaterThan(0);
    expect(knownRow(HEAD, CONNECTION_FIELD)).toBe(1);
    expect(isDuplicate(HEAD, CONNECTION_FIELD)).toBe(true);
    expect(isDuplicate(HEAD, HOST_FIELD)).toBe(false);
  });
  test("names that look like known ones", () => {
    const names =
      "Hosu: a\r\nContent-Lengti: b\r\nContent+Length: b\r\nTransfer-Encodinh: c\r\nTransfer.Encoding: c\r\n";
    expect(
      outcome(GET + HOST + names + "Connectiom: d\r\nExpecu: e\r\nUpgradf: f\r\nhostt: g\r\nhos: h\r\n\r\n"),
    ).toBeGreaterThan(0);
    expect(knownRow(HEAD, HOST_FIELD)).toBe(0);
    expect(isDuplicate(HEAD, HOST_FIELD)).toBe(false);
    for (let field = CONTENT_LENGTH_FIELD; field <= UPGRADE_FIELD; field++) expect(knownRow(HEAD, field)).toBe(-1);
    // 32 bytes longer than a known name: the same place in the table
    expect(outcome(GET + HOST + "host" + "t".repeat(32) + ": a\r\n\r\n")).toBeGreaterThan(0);
    expect(isDuplicate(HEAD, HOST_FIELD)).toBe(false);
  });
});

describe("refused header fields", () => {
  test("BAD_NAME", () => {
    refusedLine(": b\r\n", Refusal.BAD_NAME);
    refusedLine("A(b): c\r\n", Refusal.BAD_NAME);
    refusedLine("A\0: b\r\n", Refusal.BAD_NAME);
    refusedLine("\0A: b\r\n", Refusal.BAD_NAME);
    refusedLine("\x7f: b\r\n", Refusal.BAD_NAME);
    refusedLine("\xc3\xa9: c\r\n", Refusal.BAD_NAME);
    refusedLine("A\x01\r\n", Refusal.BAD_NAME);
  });
  test("NO_COLON", () => {
    refusedLine("nothing\r\n", Refusal.NO_COLON);
    refusedLine("nothing\n", Refusal.NO_COLON);
    refusedLine("a\rb: c\r\n", Refusal.NO_COLON);
  });
  test("SPACE_BEFORE_COLON", () => {
    refusedLine("A : b\r\n", Refusal.SPACE_BEFORE_COLON);
    refusedLine("A\t: b\r\n", Refusal.SPACE_BEFORE_COLON);
  });
  test("FOLDED_FIELD", () => {
    refusedLine(" A: b\r\n", Refusal.FOLDED_FIELD);
    refusedLine("\tA: b\r\n", Refusal.FOLDED_FIELD);
    refusedLine(" \r\n", Refusal.FOLDED_FIELD);
  });
  test("BAD_VALUE", () => {
    refusedLine("A: b\0c\r\n", Refusal.BAD_VALUE);
    refusedLine("A: b\x01\r\n", Refusal.BAD_VALUE);
    refusedLine("A: \x7f\r\n", Refusal.BAD_VALUE);
    refusedLine("A: \t\x0b\r\n", Refusal.BAD_VALUE);
    refusedLine("A: b\t\t\x1f\tc\r\n", Refusal.BAD_VALUE);
  });
  test("BAD_LINE_END", () => {
    refusedLine("A: b\nB: c\r\n", Refusal.BAD_LINE_END);
    refusedLine("A: b\rB: c\r\n", Refusal.BAD_LINE_END);
    refusedLine("A: b\r\r\n", Refusal.BAD_LINE_END);
    refusedLine("A: b\t\n", Refusal.BAD_LINE_END);
    refusedLine("\n", Refusal.BAD_LINE_END);
    refusedLine("\rA: b\r\n", Refusal.BAD_LINE_END);
  });
  test("TOO_MANY_FIELDS", () => {
    let lines = HOST;
    for (let i = 1; i < ROWS_MAX; i++) lines += "A" + i.toString() + ": b\r\n";
    expect(outcome(GET + lines + "\r\n")).toBeGreaterThan(0);
    expect(rowCount(HEAD)).toBe(ROWS_MAX);
    refused(GET + lines + "A: b\r\n", Refusal.TOO_MANY_FIELDS);
    // A line that is not well-formed has its own refusal.
    refused(GET + lines + "A b\r\n", Refusal.SPACE_BEFORE_COLON);
  });
});

describe("empty lines before a request", () => {
  test("whole ones are dropped", () => {
    put(SOURCE, "\r\n\r\n\rG");
    expect(skipEmptyLines(SOURCE, 0)).toBe(0);
    expect(skipEmptyLines(SOURCE, 1)).toBe(PARTIAL);
    expect(skipEmptyLines(SOURCE, 2)).toBe(2);
    expect(skipEmptyLines(SOURCE, 3)).toBe(PARTIAL);
    expect(skipEmptyLines(SOURCE, 4)).toBe(4);
    expect(skipEmptyLines(SOURCE, 5)).toBe(PARTIAL);
    expect(skipEmptyLines(SOURCE, 6)).toBe(4);
    put(SOURCE, "\nGET");
    expect(skipEmptyLines(SOURCE, 4)).toBe(0);
  });
});
