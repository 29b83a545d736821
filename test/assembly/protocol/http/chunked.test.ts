import { TestOptions, describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import {
  CHUNKED_BYTES,
  CHUNK_DATA,
  CHUNK_END,
  CHUNK_NEED_MORE,
  CHUNK_TRAILERS,
  chunkedConsumed,
  chunkedGiveBack,
  chunkedNext,
  chunkedOffset,
  chunkedRemaining,
  chunkedReset,
  chunkedSize,
} from "../../../../assembly/protocol/http/chunked";
import {
  CHUNK_EXCESS_BYTES_MAX,
  CHUNK_LINE_BYTES_MAX,
  FIELDS_MAX,
  TRAILER_BYTES_MAX,
} from "../../../../assembly/core/limits";
import { PARTIAL } from "../../../../assembly/protocol/http/head";
import { Refusal } from "../../../../assembly/protocol/http/refusal";
import { below, mutate, seed } from "./support/random";
import { checksum, dataBytes, dataSum, referenceChunked } from "./support/reference";
import { SOURCE, flush, put, take } from "./support/support";

const state: usize = memory.data(CHUNKED_BYTES, 8);
let bytes: i32 = 0;
let sum: u32 = 0;
/** The trailer lines, for the tests that look at them. */
let trailers: string = "";
let keepsTrailers: bool = false;

/** Feeds bytes from SOURCE, flush against the end of memory: the bytes consumed at the END, PARTIAL, or a Refusal. */
function feed(from: i32, to: i32, slack: string): i32 {
  const source = flush(to - from, slack);
  memory.copy(source, SOURCE + from, to - from);
  let at = 0;
  while (true) {
    const event = chunkedNext(state, source + at, to - from - at);
    if (event < 0) return event;
    const consumed = chunkedConsumed(state);
    if (event == CHUNK_TRAILERS) {
      assert(chunkedOffset(state) + chunkedSize(state) == consumed, "the lines end what is consumed");
      if (keepsTrailers) trailers += take(source + at + chunkedOffset(state), chunkedSize(state));
    }
    if (event == CHUNK_DATA) {
      assert(
        chunkedSize(state) > 0 && chunkedOffset(state) + chunkedSize(state) == consumed,
        "the data ends what is consumed",
      );
      sum = checksum(sum, source + at + chunkedOffset(state), chunkedSize(state));
      bytes += chunkedSize(state);
    }
    at += consumed;
    if (event == CHUNK_END) return at;
    if (event != CHUNK_NEED_MORE) continue;
    assert(at == to - from, "all is consumed");
    return PARTIAL;
  }
}

/** The bytes at SOURCE in pieces of that size; of random sizes for 0. */
function inPieces(size: i32, piece: i32, slack: string): i32 {
  chunkedReset(state);
  bytes = 0;
  sum = 0;
  trailers = "";
  let at = 0;
  while (at < size) {
    const next = min(size, at + (piece ? piece : 1 + below(40)));
    const result = feed(at, next, slack);
    if (result != PARTIAL) return result < 0 ? result : at + result;
    at = next;
  }
  return PARTIAL;
}

/** The result of the body, which must not depend on how it is cut nor on what lies behind it. */
function outcome(text: string): i32 {
  put(SOURCE, text);
  const expected = inPieces(text.length, text.length + 1, "\r\n");
  const wholeBytes = bytes;
  const wholeSum = sum;
  for (let piece = 1; piece < min(text.length, 60); piece++) {
    const result = inPieces(text.length, piece, piece & 1 ? "\r\n" : "a");
    assert(result == expected, "pieces of " + piece.toString() + ": " + result.toString());
    assert(bytes == wholeBytes && sum == wholeSum, "data in pieces of " + piece.toString());
  }
  assert(referenceChunked(SOURCE, text.length) == expected, "the plain decoder says otherwise");
  assert(dataBytes == wholeBytes && dataSum == wholeSum, "the plain decoder has other data");
  return expected;
}

function accepted(text: string, size: i32): void {
  expect(outcome(text)).toBe(text.length);
  expect(bytes).toBe(size);
  expect(outcome(text + "GET / HTTP/1.1\r\n")).toBe(text.length);
}

function refused(text: string, refusal: i32): void {
  expect(outcome(text)).toBe(refusal);
  expect(outcome(text + "\r\n0\r\n\r\n")).toBe(refusal);
  expect(outcome("3\r\nabc\r\n" + text)).toBe(refusal);
}

describe("bodies", () => {
  test("chunks", () => {
    accepted("0\r\n\r\n", 0);
    accepted("4\r\nfoo=\r\n3\r\nbar\r\n0\r\n\r\n", 7);
    accepted("00a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n", 20);
    accepted("000000000000000a\r\n0123456789\r\n0000000000000000\r\n\r\n", 10);
    accepted("4\r\n\r\n\r\n\r\n0\r\n\r\n", 4);
    accepted("c8\r\n" + "x".repeat(200) + "\r\n0\r\n\r\n", 200);
  });
  test("extensions", () => {
    accepted('1;a=b;c="d e"\r\na\r\n0;z\r\n\r\n', 1);
    accepted("1 \t;\ta\r\na\r\n0 ;\r\n\r\n", 1);
    accepted("1;" + "\x80".repeat(100) + "\r\na\r\n0\r\n\r\n", 1);
  });
  test("trailers", () => {
    accepted("0\r\nA: b\r\n\r\n", 0);
    accepted("1\r\na\r\n0\r\nX-Sum: 1\r\nB:\r\nC:\t\x80 d \r\n\r\n", 1);
    accepted("0\r\n" + "n".repeat(100) + ": " + "v".repeat(100) + "\r\n\r\n", 0);
  });
  test("trailers, to be kept", () => {
    keepsTrailers = true;
    const lines = "X-Sum: 1\r\nB:\r\nC:\t\x80 d \r\n";
    accepted("1\r\na\r\n0\r\n" + lines + "\r\n", 1);
    expect(trailers).toBe(lines);
    accepted("1\r\na\r\n0\r\n\r\n", 1);
    expect(trailers).toBe("");
  });
  test("what is still to come", () => {
    put(SOURCE, "7fffffffffffffff\r\nab");
    chunkedReset(state);
    expect(chunkedNext(state, SOURCE, 20)).toBe(CHUNK_DATA);
    expect(chunkedOffset(state)).toBe(18);
    expect(chunkedSize(state)).toBe(2);
    expect(chunkedRemaining(state)).toBe(i64.MAX_VALUE - 2);
  });
  test("data that is given back comes again", () => {
    put(SOURCE, "4\r\nabcd\r\n0\r\n\r\n");
    chunkedReset(state);
    expect(chunkedNext(state, SOURCE, 14)).toBe(CHUNK_DATA);
    expect(chunkedSize(state)).toBe(4);
    chunkedGiveBack(state, 3);
    expect(chunkedNext(state, SOURCE + 4, 10)).toBe(CHUNK_DATA);
    expect(chunkedOffset(state)).toBe(0);
    expect(chunkedSize(state)).toBe(3);
    chunkedGiveBack(state, 3);
    expect(chunkedNext(state, SOURCE + 4, 1)).toBe(CHUNK_DATA);
    expect(chunkedNext(state, SOURCE + 5, 9)).toBe(CHUNK_DATA);
    expect(chunkedSize(state)).toBe(2);
    expect(chunkedNext(state, SOURCE + 7, 7)).toBe(CHUNK_END);
    expect(chunkedConsumed(state)).toBe(7);
  });
  test("the end stays the end", () => {
    put(SOURCE, "0\r\n\r\nG");
    chunkedReset(state);
    expect(chunkedNext(state, SOURCE, 6)).toBe(CHUNK_END);
    expect(chunkedConsumed(state)).toBe(5);
    expect(chunkedNext(state, SOURCE + 5, 1)).toBe(CHUNK_END);
    expect(chunkedConsumed(state)).toBe(0);
  });
  test("nothing in, nothing out", () => {
    chunkedReset(state);
    expect(chunkedNext(state, SOURCE, 0)).toBe(CHUNK_NEED_MORE);
    expect(chunkedConsumed(state)).toBe(0);
  });
  test("five thousand chunks of one byte", () => {
    put(SOURCE, "1\r\nx\r\n".repeat(5000) + "0\r\n\r\n");
    expect(inPieces(30005, 0, "\r\n")).toBe(30005);
    expect(bytes).toBe(5000);
  });
});

describe("refusals", () => {
  test("BAD_CHUNK_SIZE", () => {
    const sizes: StaticArray<string> = [
      "1_a",
      "0x2",
      "+2",
      "-2",
      " 2",
      "\t2",
      "G",
      "2 x",
      "2 ",
      "\n",
      ";a",
      "2\n",
      "2\r\r",
      "\r",
      "2,",
      "\x80",
      "1".repeat(17),
      "0".repeat(17),
      "8000000000000000",
      "ffffffffffffffff",
      "2\0",
      "@",
      "`",
      ":",
      "/",
      "g",
    ];
    for (let i = 0; i < sizes.length; i++) refused(sizes[i] + "\r\nok", Refusal.BAD_CHUNK_SIZE);
  });
  test("BAD_CHUNK_EXTENSION", () => {
    refused("2;a\nok", Refusal.BAD_CHUNK_EXTENSION);
    refused("2;a\rok", Refusal.BAD_CHUNK_EXTENSION);
    refused("2;a\0\r\nok", Refusal.BAD_CHUNK_EXTENSION);
    refused("2;\x7f\r\nok", Refusal.BAD_CHUNK_EXTENSION);
    refused('2;a="\r"\r\nok', Refusal.BAD_CHUNK_EXTENSION);
  });
  test("CHUNK_LINE_TOO_LONG", () => {
    const most = "1;" + "a".repeat(i32(CHUNK_LINE_BYTES_MAX) - 2);
    accepted(most + "\r\nx\r\n0\r\n\r\n", 1);
    refused(most + "a", Refusal.CHUNK_LINE_TOO_LONG);
    refused("1" + " ".repeat(i32(CHUNK_LINE_BYTES_MAX)), Refusal.CHUNK_LINE_TOO_LONG);
  });
  test("TOO_MUCH_CHUNKING", () => {
    // Each chunk's line is 18 bytes that are free for its one byte, and 128 more.
    const chunk = "1;" + "a".repeat(18 + 128 - 4) + "\r\nx\r\n";
    const most = i32(CHUNK_EXCESS_BYTES_MAX / 128);
    accepted(chunk.repeat(most) + "0\r\n\r\n", most);
    expect(outcome(chunk.repeat(most + 1))).toBe(Refusal.TOO_MUCH_CHUNKING);
    // Data makes up for it.
    accepted(chunk.repeat(most) + "40\r\n" + "y".repeat(64) + "\r\n" + chunk + "0\r\n\r\n", most + 65);
  });
  test("BAD_CHUNK_END", () => {
    refused("2\r\nokXX", Refusal.BAD_CHUNK_END);
    refused("2\r\nok\n", Refusal.BAD_CHUNK_END);
    refused("2\r\nok\rX", Refusal.BAD_CHUNK_END);
    refused("2\r\nok0\r\n", Refusal.BAD_CHUNK_END);
  });
  test("BAD_TRAILER", () => {
    const trailers: StaticArray<string> = [
      "no colon\r\n",
      ": a\r\n",
      "A : b\r\n",
      " A: b\r\n",
      "A: b\n",
      "A: b\rX",
      "A: b\0\r\n",
      "\n",
      "\rX",
      "A\r\n",
      "A: b\r\n c\r\n",
      "A: b\r\n\n",
    ];
    for (let i = 0; i < trailers.length; i++) refused("0\r\n" + trailers[i], Refusal.BAD_TRAILER);
  });
  test("TRAILERS_TOO_LARGE", () => {
    const most = "0\r\nA: " + "b".repeat(i32(TRAILER_BYTES_MAX) - 7) + "\r\n\r\n";
    accepted(most, 0);
    refused("0\r\nA: " + "b".repeat(i32(TRAILER_BYTES_MAX) - 6) + "\r\n\r\n", Refusal.TRAILERS_TOO_LARGE);
    refused("0\r\n" + "a".repeat(i32(TRAILER_BYTES_MAX) + 1), Refusal.TRAILERS_TOO_LARGE);
    accepted("0\r\n" + "A: b\r\n".repeat(FIELDS_MAX) + "\r\n", 0);
    refused("0\r\n" + "A: b\r\n".repeat(FIELDS_MAX + 1) + "\r\n", Refusal.TRAILERS_TOO_LARGE);
    refused("0\r\n" + "A:\r\n".repeat(FIELDS_MAX) + "A", Refusal.TRAILERS_TOO_LARGE);
  });
});

const MUTANTS: i32 = 100000;
const SEEDS: StaticArray<string> = [
  "4\r\nfoo=\r\n3\r\nbar\r\n0\r\n\r\n",
  '1;a=b;c="d e"\r\na\r\n1F ; x\r\n' + "x".repeat(31) + "\r\n0;z\r\n\r\n",
  'a\r\n0123456789\r\n0\r\nX-Sum: 1\r\nETag: \t"a" \r\n\r\n',
  "00c8\r\n" + "\r\n0\r\n".repeat(40) + "\r\n2\r\n\r\n\r\n0\r\n\r\n",
];

test("mutants, against a plain decoder", TestOptions.timeout(60000), () => {
  let accepted = 0;
  let refused = 0;
  for (let i = 0; i < MUTANTS; i++) {
    seed(i);
    const text = SEEDS[i % SEEDS.length];
    put(SOURCE, text);
    const size = mutate(SOURCE, text.length, 1000);
    const expected = referenceChunked(SOURCE, size);
    let fine = inPieces(size, i & 1 ? 0 : size + 1, i & 2 ? "\r\n" : "0") == expected;
    fine = fine && bytes == dataBytes && sum == dataSum;
    if (!fine) expect("seed " + i.toString() + ": " + take(SOURCE, size)).toBe("");
    if (expected >= 0) accepted++;
    else if (expected < PARTIAL) refused++;
  }
  expect(accepted).toBeGreaterThan(MUTANTS / 20);
  expect(refused).toBeGreaterThan(MUTANTS / 10);
});
