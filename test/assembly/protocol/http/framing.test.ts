import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  BODY_NONE,
  UPGRADE_FIELD,
  bodyKind,
  contentLength,
  expectContinue,
  keepAlive,
  knownRow,
  upgrade,
} from "../../../../assembly/protocol/http/head";
import { Refusal } from "../../../../assembly/protocol/http/refusal";
import { BROWSER, CURL, OLD, PROXIED, UPLOAD, WEBSOCKET } from "./support/requests";
import { HEAD, outcome } from "./support/support";

const HTTP11: string = "POST / HTTP/1.1\r\nHost: x\r\n";
const HTTP10: string = "POST / HTTP/1.0\r\n";

function accepted(start: string, fields: string): void {
  expect(outcome(start + fields + "\r\n")).toBe(start.length + fields.length + 2);
}

function refused(start: string, fields: string, refusal: i32): void {
  expect(outcome(start + fields + "\r\n")).toBe(refusal);
}

function lengthIs(value: string, length: i64): void {
  accepted(HTTP11, "Content-Length: " + value + "\r\n");
  expect(contentLength(HEAD)).toBe(length);
  expect(bodyKind(HEAD)).toBe(length ? BODY_LENGTH : BODY_NONE);
}

function keepAliveIs(start: string, fields: string, expected: bool): void {
  accepted(start, fields);
  expect(keepAlive(HEAD)).toBe(expected);
}

describe("what real clients send", () => {
  test("a browser, curl, a proxy, ApacheBench", () => {
    accepted(BROWSER.substring(0, BROWSER.length - 2), "");
    expect(bodyKind(HEAD)).toBe(BODY_NONE);
    expect(keepAlive(HEAD)).toBe(true);
    expect(upgrade(HEAD)).toBe(false);
    accepted(CURL.substring(0, CURL.length - 2), "");
    expect(contentLength(HEAD)).toBe(5);
    accepted(PROXIED.substring(0, PROXIED.length - 2), "");
    accepted(OLD.substring(0, OLD.length - 2), "");
    expect(keepAlive(HEAD)).toBe(true);
  });
  test("an upload that waits for 100 Continue", () => {
    accepted(UPLOAD.substring(0, UPLOAD.length - 2), "");
    expect(bodyKind(HEAD)).toBe(BODY_CHUNKED);
    expect(contentLength(HEAD)).toBe(-1);
    expect(expectContinue(HEAD)).toBe(true);
  });
  test("a WebSocket handshake", () => {
    accepted(WEBSOCKET.substring(0, WEBSOCKET.length - 2), "");
    expect(upgrade(HEAD)).toBe(true);
    expect(knownRow(HEAD, UPGRADE_FIELD)).toBe(1);
  });
});

describe("Content-Length", () => {
  test("none", () => {
    accepted(HTTP11, "");
    expect(bodyKind(HEAD)).toBe(BODY_NONE);
    expect(contentLength(HEAD)).toBe(0);
  });
  test("numbers", () => {
    lengthIs("0", 0);
    lengthIs("000", 0);
    lengthIs("5", 5);
    lengthIs("0005", 5);
    lengthIs("0".repeat(100) + "16777216", 16777216);
    lengthIs("9223372036854775799", 9223372036854775799);
    accepted(HTTP10, "Content-Length: 7\r\n");
    expect(contentLength(HEAD)).toBe(7);
  });
  test("lists of equal numbers", () => {
    lengthIs("5,5", 5);
    lengthIs("5 \t, 05,\t5", 5);
  });
  test("BAD_LENGTH", () => {
    const values: StaticArray<string> = [
      "",
      "foo",
      "+10",
      "-1",
      "1_0",
      "0x5",
      "5.0",
      "5 5",
      "5a",
      "a5",
      "\xb25",
      "5\xa0",
      ",",
      ",5",
      "5,",
      "5,,5",
      "5;5",
      "5,x",
      "99999999999999999999x",
    ];
    for (let i = 0; i < values.length; i++)
      refused(HTTP11, "Content-Length: " + values[i] + "\r\n", Refusal.BAD_LENGTH);
  });
  test("SEVERAL_LENGTHS", () => {
    refused(HTTP11, "Content-Length: 5,6\r\n", Refusal.SEVERAL_LENGTHS);
    refused(HTTP11, "Content-Length: 5, 5, 55\r\n", Refusal.SEVERAL_LENGTHS);
    refused(HTTP11, "Content-Length: 5\r\nContent-Length: 5\r\n", Refusal.SEVERAL_LENGTHS);
    refused(HTTP11, "content-length: 5\r\nA: b\r\nCONTENT-LENGTH: 6\r\n", Refusal.SEVERAL_LENGTHS);
    refused(HTTP10, "Content-Length: 5\r\nContent-Length: 5\r\n", Refusal.SEVERAL_LENGTHS);
  });
  test("more than an i64 holds", () => {
    refused(HTTP11, "Content-Length: 9223372036854775808\r\n", Refusal.BODY_TOO_LARGE);
    refused(HTTP11, "Content-Length: 18446744073709551621\r\n", Refusal.BODY_TOO_LARGE); // 2 ** 64 + 5
    refused(HTTP11, "Content-Length: " + "9".repeat(300) + "\r\n", Refusal.BODY_TOO_LARGE);
  });
});

describe("Transfer-Encoding", () => {
  test("chunked in any case", () => {
    const values: StaticArray<string> = ["chunked", "Chunked", "CHUNKED", " \tchunked\t "];
    for (let i = 0; i < values.length; i++) {
      accepted(HTTP11, "Transfer-Encoding:" + values[i] + "\r\n");
      expect(bodyKind(HEAD)).toBe(BODY_CHUNKED);
      expect(contentLength(HEAD)).toBe(-1);
    }
  });
  test("LENGTH_AND_CODING", () => {
    refused(HTTP11, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Refusal.LENGTH_AND_CODING);
    refused(HTTP11, "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", Refusal.LENGTH_AND_CODING);
    refused(HTTP11, "Transfer-Encoding: x\r\nContent-Length: y\r\n", Refusal.LENGTH_AND_CODING);
  });
  test("CODING_IN_HTTP10", () => {
    refused(HTTP10, "Transfer-Encoding: chunked\r\n", Refusal.CODING_IN_HTTP10);
    refused(HTTP10, "Transfer-Encoding: gzip\r\n", Refusal.CODING_IN_HTTP10);
  });
  test("BAD_CODING", () => {
    const values: StaticArray<string> = [
      "",
      "chunked, chunked",
      "chunked,",
      ",chunked",
      "chunked, gzip",
      "chunked;a=b",
      "chunked x",
      "chun\tked",
      "gzip,,chunked",
      '"chunked"',
      "chunked\x80",
      "gzip chunked",
      "(chunked)",
      ",",
      "gzip",
      "identity",
      "xchunked",
      "chunkedx",
      "chunke",
      "a\t,\tb",
      "a;b=c, chunked",
    ];
    for (let i = 0; i < values.length; i++)
      refused(HTTP11, "Transfer-Encoding: " + values[i] + "\r\n", Refusal.BAD_CODING);
    refused(HTTP11, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Refusal.BAD_CODING);
    refused(HTTP11, "Transfer-Encoding: gzip\r\nA: b\r\nTransfer-Encoding: chunked\r\n", Refusal.BAD_CODING);
  });
  test("UNSUPPORTED_CODING", () => {
    const values: StaticArray<string> = ["gzip, chunked", "gzip,CHUNKED", "a\t,\tb , chunked", "identity, chunked"];
    for (let i = 0; i < values.length; i++)
      refused(HTTP11, "Transfer-Encoding: " + values[i] + "\r\n", Refusal.UNSUPPORTED_CODING);
  });
});

describe("Connection", () => {
  test("HTTP/1.1 goes on unless it says close", () => {
    keepAliveIs(HTTP11, "", true);
    keepAliveIs(HTTP11, "Connection: keep-alive\r\n", true);
    keepAliveIs(HTTP11, "Connection: closed, xclose, clos\r\n", true);
    keepAliveIs(HTTP11, "Connection:\r\n", true);
    keepAliveIs(HTTP11, "Connection: close\r\n", false);
    keepAliveIs(HTTP11, "Connection: CLOSE\r\n", false);
    keepAliveIs(HTTP11, "Connection: close, x\r\n", false);
    keepAliveIs(HTTP11, "Connection: ,, keep-alive \t, Close ,\r\n", false);
    keepAliveIs(HTTP11, "Connection: keep-alive\r\nA: b\r\nX-Onnection: c\r\nconnection: close\r\n", false);
    keepAliveIs(HTTP11, "Connection: close\r\nConnection: keep-alive\r\n", false);
    keepAliveIs(HTTP11, "Connection: a\r\nHonnection: close\r\nConnection: b\r\n", true);
  });
  test("HTTP/1.0 ends unless it says keep-alive", () => {
    keepAliveIs(HTTP10, "", false);
    keepAliveIs(HTTP10, "Connection: x\r\n", false);
    keepAliveIs(HTTP10, "Connection: keep-alivx, keep-aliv, xeep-alive\r\n", false);
    keepAliveIs(HTTP10, "Connection: Keep-Alive\r\n", true);
    keepAliveIs(HTTP10, "Connection: x, KEEP-ALIVE\r\n", true);
    keepAliveIs(HTTP10, "Connection: keep-alive, close\r\n", false);
  });
  test("BAD_CONNECTION", () => {
    const values: StaticArray<string> = [
      "a b",
      "close;",
      '"close"',
      "close x",
      "keep-alive, @",
      "\xe9",
      "a=b",
      "close\tx",
    ];
    for (let i = 0; i < values.length; i++) {
      refused(HTTP11, "Connection: " + values[i] + "\r\n", Refusal.BAD_CONNECTION);
      refused(HTTP11, "Connection: close\r\nConnection: " + values[i] + "\r\n", Refusal.BAD_CONNECTION);
    }
  });
  test("Upgrade needs HTTP/1.1 and both fields", () => {
    accepted(HTTP11, "Connection: UPGRADE\r\nUpgrade: h2c\r\n");
    expect(upgrade(HEAD)).toBe(true);
    accepted(HTTP11, "Connection: upgrade\r\n");
    expect(upgrade(HEAD)).toBe(false);
    accepted(HTTP11, "Upgrade: h2c\r\n");
    expect(upgrade(HEAD)).toBe(false);
    accepted(HTTP11, "Connection: upgrades, upgradd\r\nUpgrade: h2c\r\n");
    expect(upgrade(HEAD)).toBe(false);
    accepted(HTTP10, "Connection: upgrade\r\nUpgrade: h2c\r\n");
    expect(upgrade(HEAD)).toBe(false);
  });
});

describe("Expect", () => {
  test("100-continue in any case, with a body", () => {
    accepted(HTTP11, "Expect: 100-continue\r\nContent-Length: 1\r\n");
    expect(expectContinue(HEAD)).toBe(true);
    accepted(HTTP11, "Content-Length: 1\r\nExpect: 100-Continue\r\n");
    expect(expectContinue(HEAD)).toBe(true);
    accepted(HTTP11, "Content-Length: 1\r\n");
    expect(expectContinue(HEAD)).toBe(false);
  });
  test("means nothing without a body, or in HTTP/1.0", () => {
    accepted(HTTP11, "Expect: 100-continue\r\nContent-Length: 0\r\n");
    expect(expectContinue(HEAD)).toBe(false);
    accepted(HTTP11, "Expect: 100-continue\r\n");
    expect(expectContinue(HEAD)).toBe(false);
    accepted(HTTP10, "Expect: 100-continue\r\nContent-Length: 1\r\n");
    expect(expectContinue(HEAD)).toBe(false);
    accepted(HTTP10, "Expect: tea\r\n");
  });
  test("EXPECTATION", () => {
    const values: StaticArray<string> = ["", "tea", "100-continu", "100-continue, 100-continue", "100-continue;a"];
    for (let i = 0; i < values.length; i++) refused(HTTP11, "Expect: " + values[i] + "\r\n", Refusal.EXPECTATION);
    refused(HTTP11, "Expect: 100-continue\r\nExpect: 100-continue\r\n", Refusal.EXPECTATION);
  });
});
