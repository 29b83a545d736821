// Heads of responses: whole, cut in two at every place with the bytes moved in between, and a byte at a time.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { PARTIAL, headReset } from "../../../../assembly/protocol/http/head";
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  BODY_NONE,
  bodyKind,
  contentLength,
  keepAlive,
  minorVersion,
  nameOffset,
  nameSize,
  rowCount,
  valueOffset,
  valueSize,
} from "../../../../assembly/protocol/http/headstate";
import { isHopByHop } from "../../../../assembly/protocol/http/hopbyhop";
import { Refusal } from "../../../../assembly/protocol/http/refusal";
import {
  BODY_UNTIL_CLOSE,
  checkResponse,
  parseResponseHead,
  reasonOffset,
  reasonSize,
  statusCode,
} from "../../../../assembly/protocol/http/responsehead";
import { HEAD, ROWS_MAX, SOURCE, flush, put, take } from "./support/support";

/** All that is known of the head in HEAD. */
function rendered(source: usize): string {
  let all = statusCode(HEAD).toString() + " 1." + minorVersion(HEAD).toString();
  all += " " + take(source + usize(reasonOffset(HEAD)), reasonSize(HEAD));
  for (let row = 0; row < rowCount(HEAD); row++) {
    all += "|" + take(source + usize(nameOffset(HEAD, row)), nameSize(HEAD, row));
    all += "=" + take(source + usize(valueOffset(HEAD, row)), valueSize(HEAD, row));
  }
  return all;
}

/** What the parser says in the end, and of what. */
function parsed(text: string): string {
  put(SOURCE, text);
  headReset(HEAD);
  const n = parseResponseHead(HEAD, SOURCE, text.length, ROWS_MAX);
  const whole = n.toString() + (n >= 0 ? " " + rendered(SOURCE) : "");
  for (let cut = 0; cut <= text.length; cut++) {
    headReset(HEAD);
    const first = flush(cut, "x\r\n: ");
    put(first, text.substring(0, cut));
    const before = parseResponseHead(HEAD, first, cut, ROWS_MAX);
    if (before != PARTIAL) {
      expect(before.toString() + (before >= 0 ? " " + rendered(first) : "")).toBe(whole);
      continue;
    }
    put(SOURCE, text);
    const after = parseResponseHead(HEAD, SOURCE, text.length, ROWS_MAX);
    expect(after.toString() + (after >= 0 ? " " + rendered(SOURCE) : "")).toBe(whole);
  }
  headReset(HEAD);
  let last = PARTIAL;
  for (let size = 0; size <= text.length && last == PARTIAL; size++) {
    last = parseResponseHead(HEAD, SOURCE, size, ROWS_MAX);
  }
  expect(last).toBe(n);
  return whole;
}

function accepted(text: string, expected: string): void {
  expect(parsed(text)).toBe(text.length.toString() + " " + expected);
  expect(parsed(text + "HTTP/1.1 200")).toBe(text.length.toString() + " " + expected); // that is not the head's
}

function refused(text: string, refusal: i32): void {
  expect(parsed(text)).toBe(refusal.toString());
}

test("status, reason and fields", () => {
  accepted("HTTP/1.1 200 OK\r\n\r\n", "200 1.1 OK");
  accepted(
    "HTTP/1.0 404 Not Found\r\nServer: x\r\nContent-Length: 0\r\n\r\n",
    "404 1.0 Not Found|Server=x|Content-Length=0",
  );
  accepted("HTTP/1.1 999 \r\nA:b\r\n\r\n", "999 1.1 |A=b");
  accepted("HTTP/1.1 204\r\nA: \r\n\r\n", "204 1.1 |A=");
  accepted("HTTP/1.2 200 caf\xe9 \tau lait\r\n\r\n", "200 1.1 caf\xe9 \tau lait");
  accepted("HTTP/1.1 200 " + "r".repeat(200) + "\r\nA: b\r\n\r\n", "200 1.1 " + "r".repeat(200) + "|A=b");
});

test("what is no status line", () => {
  refused("GET / HTTP/1.1\r\n\r\n", Refusal.BAD_VERSION);
  refused("http/1.1 200 OK\r\n\r\n", Refusal.BAD_VERSION);
  refused("HTTP/2.0 200 OK\r\n\r\n", Refusal.BAD_VERSION);
  refused("HTTP/1.x 200 OK\r\n\r\n", Refusal.BAD_VERSION);
  refused("HTTP/1.1  200 OK\r\n\r\n", Refusal.BAD_VERSION);
  refused("HTTP/1.1 099 OK\r\n\r\n", Refusal.BAD_VERSION);
  refused("HTTP/1.1 20 OK\r\n\r\n", Refusal.BAD_VERSION);
  refused("HTTP/1.1 2000 OK\r\n\r\n", Refusal.BAD_VERSION);
  refused("\r\nHTTP/1.1 200 OK\r\n\r\n", Refusal.BAD_VERSION);
  refused("HTTP/1.1 200 OK\n\n", Refusal.BAD_LINE_END);
  refused("HTTP/1.1 200 OK\rX\r\n\r\n", Refusal.BAD_LINE_END);
  refused("HTTP/1.1 200 O\0K\r\n\r\n", Refusal.BAD_LINE_END);
});

test("fields are read as strictly as those of requests", () => {
  refused("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", Refusal.SPACE_BEFORE_COLON);
  refused("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", Refusal.FOLDED_FIELD);
  refused("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", Refusal.FOLDED_FIELD);
  refused("HTTP/1.1 200 OK\r\nA: b\n\r\n\r\n", Refusal.BAD_LINE_END);
  refused("HTTP/1.1 200 OK\r\n" + "A: b\r\n".repeat(ROWS_MAX + 1) + "\r\n", Refusal.TOO_MANY_FIELDS);
});

/** What the head means: the body's kind and length, and whether the connection goes on; or the refusal. */
function meaning(text: string, bodiless: bool = false): string {
  put(SOURCE, text);
  headReset(HEAD);
  expect(parseResponseHead(HEAD, SOURCE, text.length, ROWS_MAX)).toBe(text.length);
  const refusal = checkResponse(HEAD, SOURCE, bodiless);
  if (refusal) return refusal.toString();
  return bodyKind(HEAD).toString() + " " + contentLength(HEAD).toString() + (keepAlive(HEAD) ? " kept" : "");
}

const OK: string = "HTTP/1.1 200 OK\r\n";
const OLD: string = "HTTP/1.0 200 OK\r\n";

test("where a body ends", () => {
  expect(meaning(OK + "Content-Length: 5\r\n\r\n")).toBe(BODY_LENGTH.toString() + " 5 kept");
  expect(meaning(OK + "Content-Length: 0\r\n\r\n")).toBe(BODY_NONE.toString() + " 0 kept");
  expect(meaning(OK + "Transfer-Encoding: Chunked\r\n\r\n")).toBe(BODY_CHUNKED.toString() + " -1 kept");
  expect(meaning(OK + "\r\n")).toBe(BODY_UNTIL_CLOSE.toString() + " -1");
  expect(meaning(OK + "Connection: keep-alive\r\n\r\n")).toBe(BODY_UNTIL_CLOSE.toString() + " -1");
});

test("answers without a body", () => {
  const none = BODY_NONE.toString();
  expect(meaning(OK + "Content-Length: 5\r\n\r\n", true)).toBe(none + " 5 kept");
  expect(meaning(OK + "Transfer-Encoding: chunked\r\n\r\n", true)).toBe(none + " -1 kept");
  expect(meaning("HTTP/1.1 204 No Content\r\n\r\n")).toBe(none + " -1 kept");
  expect(meaning("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")).toBe(none + " 5 kept");
  expect(meaning("HTTP/1.1 103 Early Hints\r\n\r\n")).toBe(none + " -1 kept");
});

test("what becomes of the connection", () => {
  expect(meaning(OK + "Content-Length: 5\r\nConnection: close\r\n\r\n")).toBe(BODY_LENGTH.toString() + " 5");
  expect(meaning(OLD + "Content-Length: 5\r\n\r\n")).toBe(BODY_LENGTH.toString() + " 5");
  expect(meaning(OLD + "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n")).toBe(BODY_LENGTH.toString() + " 5 kept");
});

test("answers whose end two parsers might see elsewhere are refused", () => {
  const both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
  expect(meaning(OK + both)).toBe(Refusal.LENGTH_AND_CODING.toString());
  expect(meaning(OK + both, true)).toBe(Refusal.LENGTH_AND_CODING.toString());
  expect(meaning(OK + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n")).toBe(Refusal.SEVERAL_LENGTHS.toString());
  expect(meaning(OK + "Content-Length: +5\r\n\r\n")).toBe(Refusal.BAD_LENGTH.toString());
  expect(meaning(OK + "Transfer-Encoding: gzip, chunked\r\n\r\n")).toBe(Refusal.UNSUPPORTED_CODING.toString());
  expect(meaning(OK + "Transfer-Encoding: chunked, gzip\r\n\r\n")).toBe(Refusal.BAD_CODING.toString());
  expect(meaning(OLD + "Transfer-Encoding: chunked\r\n\r\n")).toBe(Refusal.CODING_IN_HTTP10.toString());
});

/** The names of the fields that may be forwarded. */
function forwarded(fields: string): string {
  const text = OK + fields + "\r\n";
  put(SOURCE, text);
  headReset(HEAD);
  expect(parseResponseHead(HEAD, SOURCE, text.length, ROWS_MAX)).toBe(text.length);
  let names = "";
  for (let row = 0; row < rowCount(HEAD); row++) {
    if (!isHopByHop(HEAD, SOURCE, row)) names += take(SOURCE + usize(nameOffset(HEAD, row)), nameSize(HEAD, row)) + " ";
  }
  return names;
}

test("fields of this hop are known, and those that Connection names", () => {
  expect(
    forwarded(
      "connection: x\r\nKEEP-ALIVE: x\r\nProxy-Connection: x\r\nProxy-Authenticate: x\r\nProxy-Authorization: x\r\n" +
        "TE: x\r\nTrailer: x\r\nTransfer-Encoding: x\r\nUpgrade: x\r\nDate: x\r\nTEA: x\r\n",
    ),
  ).toBe("Date TEA ");
  expect(forwarded("A: 1\r\nConnection: close, B ,c\r\nB: 2\r\nConnection: ,d\r\nC: 3\r\nD: 4\r\nE: 5\r\n")).toBe(
    "A E ",
  );
  expect(forwarded("Connection: \r\nA: 1\r\n")).toBe("A ");
});
