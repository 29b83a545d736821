import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import {
  ADDRESS,
  HOST,
  PATH,
  QUERY,
  TOKEN,
  blanks,
  isText,
  skip,
  skipOws,
  skipSurely,
  skipValue,
  skipVisible,
  skipVisibleSurely,
  stops,
  textBytes,
  unusual64,
  valueStops,
  valueStops64,
  writeBytes,
  writeText,
} from "../../../assembly/bytes/scan";
import { SOURCE, flush, put, take } from "../protocol/http/support/support";

const ALPHANUMERIC: string = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UNRESERVED: string = ALPHANUMERIC + "-._~";
const PCHAR: string = UNRESERVED + "%!$&'()*+,;=:@";

/** At each of 16 places, beside bytes of any kind, exactly the bytes of the string belong to the class. */
function classIs(table: usize, members: string): void {
  for (let byte = 0; byte < 256; byte++) {
    const expected = members.includes(String.fromCharCode(byte)) ? 0 : 1;
    for (let place = 0; place < 16; place++) {
      for (let i = 0; i < 16; i++) store<u8>(SOURCE + i, byte * 7 + i * 31);
      store<u8>(SOURCE + place, byte);
      assert(((stops(SOURCE, table) >> place) & 1) == expected, "byte " + byte.toString() + " at " + place.toString());
    }
  }
}

describe("classes", () => {
  test("TOKEN", () => classIs(TOKEN, ALPHANUMERIC + "!#$%&'*+-.^_`|~"));
  test("PATH", () => classIs(PATH, PCHAR + "/" + "|^[]"));
  test("QUERY", () => classIs(QUERY, PCHAR + "/?" + "|^[]{}\\`"));
  test("HOST", () => classIs(HOST, UNRESERVED + "!$&'()*+;="));
  test("ADDRESS", () => classIs(ADDRESS, "0123456789abcdefABCDEF:."));
  test("controls, blanks and bytes that no value holds", () => {
    for (let byte = 0; byte < 256; byte++) {
      const isControl = byte < 0x20 || byte == 0x7f;
      for (let place = 0; place < 64; place++) {
        memory.fill(SOURCE, 0x61, 64);
        store<u8>(SOURCE + place, byte);
        const bit = u64(1) << place;
        assert(unusual64(SOURCE) == (isControl || byte >= 0x80 ? bit : 0));
        assert(valueStops64(SOURCE) == (isControl && byte != 0x09 ? bit : 0));
        if (place >= 16) continue;
        assert(blanks(SOURCE) == (isControl || byte == 0x20 ? i32(bit) : 0));
        assert(valueStops(SOURCE) == (isControl && byte != 0x09 ? i32(bit) : 0));
      }
    }
  });
});

describe("scanners", () => {
  test("find the first stop, and none behind the end", () => {
    for (let size = 0; size < 50; size++) {
      const start = flush(size, ":");
      memory.fill(start, 0x61, size);
      expect(skip(start, start + size, TOKEN)).toBeGreaterThanOrEqual(start + size);
      expect(skipVisible(start, start + size)).toBeGreaterThanOrEqual(start + size);
      expect(skipValue(start, start + size)).toBeGreaterThanOrEqual(start + size);
      for (let at = 0; at < size; at++) {
        store<u8>(start + at, 0);
        expect(skip(start, start + size, TOKEN)).toBe(start + at);
        expect(skipSurely(start, TOKEN)).toBe(start + at);
        expect(skipVisible(start, start + size)).toBe(start + at);
        expect(skipVisibleSurely(start)).toBe(start + at);
        expect(skipValue(start, start + size)).toBe(start + at);
        store<u8>(start + at, 0x61);
      }
    }
  });
  test("white space", () => {
    put(SOURCE, " \t a ");
    expect(skipOws(SOURCE, SOURCE + 5)).toBe(SOURCE + 3);
    expect(skipOws(SOURCE, SOURCE + 2)).toBe(SOURCE + 2);
    expect(skipOws(SOURCE + 3, SOURCE + 5)).toBe(SOURCE + 3);
  });
});

describe("texts", () => {
  test("comparing in any case", () => {
    put(SOURCE, "A-Z@0 {`");
    expect(isText(SOURCE, 8, changetype<usize>("a-z@0 {`"))).toBe(true);
    expect(isText(SOURCE, 7, changetype<usize>("a-z@0 {`"))).toBe(false);
    put(SOURCE, "a-z`0 {`");
    expect(isText(SOURCE, 8, changetype<usize>("a-z@0 {`"))).toBe(false);
    put(SOURCE, "a\rz@0 {`");
    expect(isText(SOURCE, 8, changetype<usize>("a-z@0 {`"))).toBe(false);
    put(SOURCE, "a-z@0 [`");
    expect(isText(SOURCE, 8, changetype<usize>("a-z@0 {`"))).toBe(false);
  });
  test("writing", () => {
    expect(i32(textBytes(changetype<usize>("")))).toBe(0);
    expect(writeText(SOURCE, changetype<usize>(""))).toBe(SOURCE);
    const end = writeText(SOURCE, changetype<usize>("HTTP/1.1 404 Not Found, no chunk"));
    expect(take(SOURCE, i32(end - SOURCE))).toBe("HTTP/1.1 404 Not Found, no chunk");
    for (let size = 0; size < 70; size++) {
      const source = flush(size, "x");
      for (let i = 0; i < size; i++) store<u8>(source + i, i);
      expect(writeBytes(SOURCE, source, size)).toBe(SOURCE + size);
      expect(memory.compare(SOURCE, source, size)).toBe(0);
    }
  });
});
