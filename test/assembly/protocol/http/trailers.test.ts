import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import {
  TRAILER_ROW_BYTES,
  isSafeTrailer,
  trailerField,
  trailerNameOffset,
  trailerNameSize,
  trailerValueOffset,
  trailerValueSize,
} from "../../../../assembly/protocol/http/trailers";
import { flush, put, take } from "./support/support";

const row: usize = memory.data(TRAILER_ROW_BYTES, 8);

/** The fields of well-formed lines, flush against the end of memory. */
function fields(lines: string): string {
  const size = lines.length;
  const source = flush(size, "\r\n");
  put(source, lines);
  let text = "";
  let at = 0;
  while (at < size) {
    at = trailerField(row, source, size, at);
    text += take(source + trailerNameOffset(row), trailerNameSize(row)) + "=";
    text += take(source + trailerValueOffset(row), trailerValueSize(row)) + "|";
  }
  expect(at).toBe(size);
  return text;
}

function isSafe(name: string): bool {
  const source = flush(name.length, ",,authorization,");
  put(source, name);
  return isSafeTrailer(source, name.length);
}

describe("fields", () => {
  test("names and values without the white space around them", () => {
    expect(fields("A: b\r\n")).toBe("A=b|");
    expect(fields("X-Sum:1\r\nB:\r\nC:\t \r\nD: \te:f g\x80 \t\r\n")).toBe("X-Sum=1|B=|C=|D=e:f g\x80|");
    expect(fields("a".repeat(100) + ": " + "b".repeat(100) + "\r\n")).toBe(
      "a".repeat(100) + "=" + "b".repeat(100) + "|",
    );
  });
  test("the same name twice is two fields", () => {
    expect(fields("A: b\r\nA: c\r\n")).toBe("A=b|A=c|");
  });
});

describe("which are safe", () => {
  test("what is about the content that has gone by", () => {
    const names: StaticArray<string> = [
      "X-Checksum",
      "Content-Digest",
      "repr-digest",
      "ETag",
      "Server-Timing",
      "grpc-status",
      "i",
      "t",
      "tea",
      "e",
      "hos",
      "hosts",
      "range-x",
      "x-forwarded",
      "x",
      "via-",
      "content",
      "if",
      "proxy",
      "cookie3",
      "traile",
      "trailers",
      "-",
      "x-real-ip2",
    ];
    for (let i = 0; i < names.length; i++) assert(isSafe(names[i]), names[i]);
  });
  test("nothing that frames, routes, authenticates, or modifies the request", () => {
    const names: StaticArray<string> = [
      "Transfer-Encoding",
      "Content-Length",
      "content-type",
      "CONTENT-RANGE",
      "Content-Encoding",
      "content-",
      "Host",
      "Connection",
      "Keep-Alive",
      "Upgrade",
      "TE",
      "te",
      "Trailer",
      "Expect",
      "Authorization",
      "Proxy-Authorization",
      "Cookie",
      "Set-Cookie",
      "If-Match",
      "if-none-match",
      "Range",
      "Cache-Control",
      "Max-Forwards",
      "Pragma",
      "Via",
      "Forwarded",
      "X-Forwarded-For",
      "x-forwarded-proto",
      "X-Real-IP",
      "X-Scheme",
      "Origin",
      "Referer",
      "Sec-Fetch-Site",
      "Sec-WebSocket-Key",
      "HTTP2-Settings",
      "X-HTTP-Method-Override",
      "WWW-Authenticate",
      "From",
    ];
    for (let i = 0; i < names.length; i++) assert(!isSafe(names[i]), names[i]);
  });
});
