import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { REQUESTS_MAX } from "../../../../assembly/core/limits";
import { LAST_REFUSAL, Refusal, statusOf, textOf, textSizeOf } from "../../../../assembly/protocol/http/refusal";
import {
  bareRefusal,
  chunkHead,
  chunkTail,
  chunkedField,
  closeField,
  contentLengthField,
  continueResponse,
  dateField,
  endOfHead,
  field,
  isDate,
  isUpgrade,
  keepAliveField,
  keptForField,
  lastChunk,
  refusalResponse,
  statusLine,
  upgradeOptionField,
} from "../../../../assembly/protocol/http/writer";
import { SOURCE, flush, put, take } from "./support/support";

const TARGET: usize = SOURCE + 4096;

/** What has been written up to `end`. */
function written(end: usize): string {
  return take(TARGET, i32(end - TARGET));
}

function status(code: i32, reason: string): string {
  const source = flush(reason.length, "\r\n");
  put(source, reason);
  return written(statusLine(TARGET, code, source, reason.length));
}

/** Name and value lie flush against the end of memory, one after the other. */
function fieldOf(name: string, value: string): string {
  const source = flush(name.length + value.length, "\r\n");
  put(source, name + value);
  const end = field(TARGET, source, name.length, source + name.length, value.length);
  return end ? written(end) : "refused";
}

describe("status line", () => {
  test("standard phrases", () => {
    expect(status(200, "")).toBe("HTTP/1.1 200 OK\r\n");
    expect(status(101, "")).toBe("HTTP/1.1 101 Switching Protocols\r\n");
    expect(status(404, "")).toBe("HTTP/1.1 404 Not Found\r\n");
    expect(status(511, "")).toBe("HTTP/1.1 511 Network Authentication Required\r\n");
    expect(status(299, "")).toBe("HTTP/1.1 299 Unknown\r\n");
    expect(status(999, "")).toBe("HTTP/1.1 999 Unknown\r\n");
  });
  test("reasons of a handler's", () => {
    expect(status(200, "Fine")).toBe("HTTP/1.1 200 Fine\r\n");
    expect(status(418, "I'm a\tteapot \xe9")).toBe("HTTP/1.1 418 I'm a\tteapot \xe9\r\n");
    expect(status(404, "x".repeat(100))).toBe("HTTP/1.1 404 " + "x".repeat(100) + "\r\n");
    expect(status(200, "OK\r\nSet-Cookie: a")).toBe("HTTP/1.1 200 Unknown\r\n");
    expect(status(200, "\n")).toBe("HTTP/1.1 200 Unknown\r\n");
    expect(status(200, "a".repeat(30) + "\0")).toBe("HTTP/1.1 200 Unknown\r\n");
  });
});

describe("fields", () => {
  test("accepted", () => {
    expect(fieldOf("Content-Type", "text/plain")).toBe("Content-Type: text/plain\r\n");
    expect(fieldOf("a", "")).toBe("a: \r\n");
    expect(fieldOf("Set-Cookie", "a=b\tc; \xe9\xff")).toBe("Set-Cookie: a=b\tc; \xe9\xff\r\n");
    for (let i = 1; i < 70; i++) {
      const name = "n".repeat(i);
      const value = "v".repeat(i - 1);
      expect(fieldOf(name, value)).toBe(name + ": " + value + "\r\n");
    }
  });
  test("names that are no token", () => {
    const names: StaticArray<string> = ["", "a b", "a:", "a\r\n", "\xe9", "a" + "b".repeat(40) + "("];
    for (let i = 0; i < names.length; i++) expect(fieldOf(names[i], "x")).toBe("refused");
  });
  test("values with control characters", () => {
    const values: StaticArray<string> = ["\r\nSet-Cookie: a", "a\n", "\r", "\0", "\x7f", "a".repeat(40) + "\x01"];
    for (let i = 0; i < values.length; i++) expect(fieldOf("A", values[i])).toBe("refused");
  });
  test("fields that frame the message", () => {
    const names: StaticArray<string> = [
      "Content-Length",
      "content-length",
      "CONTENT-LENGTH",
      "Transfer-Encoding",
      "transfer-encoding",
      "Connection",
      "CONNECTION",
    ];
    for (let i = 0; i < names.length; i++) expect(fieldOf(names[i], "x")).toBe("refused");
    expect(fieldOf("Content+Length", "x")).toBe("Content+Length: x\r\n");
    expect(fieldOf("Connectiom", "x")).toBe("Connectiom: x\r\n");
    expect(fieldOf("Connection2", "x")).toBe("Connection2: x\r\n");
  });
  test("a date is noticed", () => {
    put(SOURCE, "DaTedatfupdate");
    expect(isDate(SOURCE, 4)).toBe(true);
    expect(isDate(SOURCE, 3)).toBe(false);
    expect(isDate(SOURCE + 4, 4)).toBe(false);
    expect(isDate(SOURCE + 8, 6)).toBe(false);
    expect(isDate(SOURCE + 10, 4)).toBe(true);
  });
  test("an upgrade is noticed", () => {
    put(SOURCE, "uPGRADEd");
    expect(isUpgrade(SOURCE, 7)).toBe(true);
    expect(isUpgrade(SOURCE, 8)).toBe(false);
    expect(isUpgrade(SOURCE + 1, 7)).toBe(false);
  });
  test("Content-Length", () => {
    expect(written(contentLengthField(TARGET, 0))).toBe("Content-Length: 0\r\n");
    expect(written(contentLengthField(TARGET, i64.MAX_VALUE))).toBe("Content-Length: 9223372036854775807\r\n");
    let power: i64 = 1;
    for (let i = 0; i < 18; i++, power *= 10) {
      for (let d = -1; d <= 1; d++) {
        expect(written(contentLengthField(TARGET, power + d))).toBe(
          "Content-Length: " + (power + d).toString() + "\r\n",
        );
      }
    }
  });
  test("constant fields", () => {
    expect(written(chunkedField(TARGET))).toBe("Transfer-Encoding: chunked\r\n");
    expect(written(closeField(TARGET))).toBe("Connection: close\r\n");
    expect(written(keepAliveField(TARGET))).toBe("Connection: keep-alive\r\n");
    expect(written(keptForField(TARGET, 0, REQUESTS_MAX))).toBe("Keep-Alive: timeout=0\r\n");
    expect(written(keptForField(TARGET, 2147482, REQUESTS_MAX - 1))).toBe(
      "Keep-Alive: timeout=2147482, max=999999\r\n",
    );
    expect(written(upgradeOptionField(TARGET, false))).toBe("Connection: Upgrade\r\n");
    expect(written(upgradeOptionField(TARGET, true))).toBe("Connection: Upgrade, close\r\n");
    expect(written(endOfHead(TARGET))).toBe("\r\n");
    expect(written(continueResponse(TARGET))).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  });
});

describe("chunks", () => {
  test("sizes", () => {
    expect(written(chunkHead(TARGET, 1))).toBe("1\r\n");
    expect(written(chunkHead(TARGET, 0xabcdef0))).toBe("abcdef0\r\n");
    expect(written(chunkHead(TARGET, i32.MAX_VALUE))).toBe("7fffffff\r\n");
    for (let i = 0; i < 31; i++) {
      expect(written(chunkHead(TARGET, 1 << i))).toBe((1 << i).toString(16) + "\r\n");
      if (i) expect(written(chunkHead(TARGET, (1 << i) - 1))).toBe(((1 << i) - 1).toString(16) + "\r\n");
    }
  });
  test("ends", () => {
    expect(written(chunkTail(TARGET))).toBe("\r\n");
    expect(written(lastChunk(TARGET))).toBe("0\r\n\r\n");
  });
});

function date(seconds: i64): string {
  return written(dateField(TARGET, seconds));
}

describe("Date", () => {
  test("known days", () => {
    expect(date(0)).toBe("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    expect(date(-1)).toBe("Date: Wed, 31 Dec 1969 23:59:59 GMT\r\n");
    expect(date(-302443200)).toBe("Date: Wed, 01 Jun 1960 12:00:00 GMT\r\n");
    expect(date(-2203891200)).toBe("Date: Thu, 01 Mar 1900 00:00:00 GMT\r\n");
    expect(date(784111777)).toBe("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    expect(date(784111777)).toBe("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    expect(date(784111778)).toBe("Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
    expect(date(951782399)).toBe("Date: Mon, 28 Feb 2000 23:59:59 GMT\r\n");
    expect(date(951782400)).toBe("Date: Tue, 29 Feb 2000 00:00:00 GMT\r\n");
    expect(date(4107542399)).toBe("Date: Sun, 28 Feb 2100 23:59:59 GMT\r\n");
    expect(date(4107542400)).toBe("Date: Mon, 01 Mar 2100 00:00:00 GMT\r\n");
    expect(date(253402300799)).toBe("Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n");
  });
  test("every day of 400 years, counted one by one", () => {
    const days = "ThuFriSatSunMonTueWed";
    const months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const lengths: StaticArray<i32> = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let day = 1;
    let month = 0;
    let year = 1970;
    for (let n = 0; n < 146097; n++) {
      const end = dateField(TARGET, i64(n) * 86400 + 3661);
      let fine = end == TARGET + 37;
      for (let i = 0; i < 3; i++) {
        fine = fine && load<u8>(TARGET + 6 + i) == u8(days.charCodeAt((n % 7) * 3 + i));
        fine = fine && load<u8>(TARGET + 14 + i) == u8(months.charCodeAt(month * 3 + i));
      }
      fine = fine && (load<u8>(TARGET + 11) - 48) * 10 + load<u8>(TARGET + 12) - 48 == u8(day);
      const century = i32(load<u8>(TARGET + 18) - 48) * 10 + i32(load<u8>(TARGET + 19) - 48);
      fine = fine && century * 100 + i32(load<u8>(TARGET + 20) - 48) * 10 + i32(load<u8>(TARGET + 21) - 48) == year;
      if (!fine) expect(written(end)).toBe("day " + n.toString());
      const leap = month == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
      if (++day > lengths[month] + i32(leap)) {
        day = 1;
        if (++month == 12) {
          month = 0;
          year++;
        }
      }
    }
    expect(year).toBe(2370);
  });
  test("times without a date keep the line's size", () => {
    expect(date(i64.MIN_VALUE)).toBe("Date: Mon, 01 Jan 0001 00:00:00 GMT\r\n");
    expect(date(253402300800)).toBe("Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n");
    expect(date(i64.MAX_VALUE)).toBe("Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n");
  });
});

describe("refusals", () => {
  test("a complete answer", () => {
    expect(written(refusalResponse(TARGET, Refusal.BAD_LENGTH, 784111777))).toBe(
      "HTTP/1.1 400 Bad Request\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n" +
        "Content-Length: 31\r\nConnection: close\r\n\r\nContent-Length is not a number\n",
    );
  });
  test("a bare one, as Node's server has it", () => {
    expect(written(bareRefusal(TARGET, Refusal.BAD_LENGTH))).toBe(
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    );
    expect(written(bareRefusal(TARGET, Refusal.MEMORY_SHORT))).toBe(
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n\r\n",
    );
  });
  test("each has a status and a sentence, and fits", () => {
    const statuses = "400 408 413 414 417 431 501 503 505";
    let seen = "";
    for (let code = -2; code >= LAST_REFUSAL; code--) {
      expect(statuses.includes(statusOf(code).toString())).toBe(true);
      if (!seen.includes(statusOf(code).toString())) seen += statusOf(code).toString();
      const sentence = take(textOf(code), textSizeOf(code));
      expect(sentence.length).toBeGreaterThan(10);
      expect(sentence.length).toBeLessThanOrEqual(108);
      for (let i = 0; i < sentence.length; i++) assert(sentence.charCodeAt(i) >= 0x20 && sentence.charCodeAt(i) < 0x7f);
      memory.fill(TARGET, 0, 512);
      const answer = written(refusalResponse(TARGET, code, 0));
      expect(answer.endsWith("\r\n\r\n" + sentence + "\n")).toBe(true);
      expect(answer.includes("\r\nContent-Length: " + (sentence.length + 1).toString() + "\r\n")).toBe(true);
      for (let i = 384; i < 512; i++) assert(load<u8>(TARGET + i) == 0, "more than the promised room");
    }
    expect(seen.length).toBe(27);
  });
  test("no two sentences are the same", () => {
    for (let a = -2; a >= LAST_REFUSAL; a--) {
      const sentence = take(textOf(a), textSizeOf(a));
      for (let b = -2; b > a; b--) assert(take(textOf(b), textSizeOf(b)) != sentence, sentence);
    }
  });
  test("what is no refusal", () => {
    expect(statusOf(0)).toBe(500);
    expect(statusOf(LAST_REFUSAL - 1)).toBe(500);
  });
});
