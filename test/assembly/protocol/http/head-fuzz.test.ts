// Mutants of real heads through head.ts and through a plain byte-wise parser: same result, same rows, in any pieces.
import { TestOptions, expect, test } from "vitest-pool-assemblyscript/assembly";
import {
  PARTIAL,
  headReset,
  methodSize,
  minorVersion,
  nameOffset,
  nameSize,
  parseHead,
  rowCount,
  targetOffset,
  targetSize,
  valueOffset,
  valueSize,
} from "../../../../assembly/protocol/http/head";
import { below, mutate, seed } from "./support/random";
import { found, foundRows, referenceHead } from "./support/reference";
import { BROWSER, CURL, OLD, PROXIED, UPLOAD, WEBSOCKET, cookies } from "./support/requests";
import { HEAD, SOURCE, flush, outcomeOf, put, take } from "./support/support";

const MUTANTS: i32 = 100000;
const BYTES_MAX: i32 = 1200;
const ROWS_MAX: i32 = 14; // what the browser sends, so that one more is too many
const TABS: string =
  "GET /\t HTTP/1.1\r\nHost: a\tb\t\tc\r\nAccept:\t\t\t*/*\t\t\r\nA:\tb\r\nX-Long: " +
  "abcdefg\t".repeat(20) +
  "\r\n\r\n";
const SEEDS: StaticArray<string> = [CURL, BROWSER, WEBSOCKET, PROXIED, OLD, UPLOAD, TABS, cookies(400)];

/** Whether the state holds what the reference has found. */
function sameRows(): bool {
  if (methodSize(HEAD) != found[0] || targetOffset(HEAD) != found[1] || targetSize(HEAD) != found[2]) return false;
  if (minorVersion(HEAD) != found[3] || rowCount(HEAD) != foundRows) return false;
  for (let i = 0; i < foundRows; i++) {
    const row = 4 + 4 * i;
    if (nameOffset(HEAD, i) != found[row] || nameSize(HEAD, i) != found[row + 1]) return false;
    if (valueOffset(HEAD, i) != found[row + 2] || valueSize(HEAD, i) != found[row + 3]) return false;
  }
  return true;
}

function agrees(result: i32, expected: i32): bool {
  return result == expected && (result < 0 || sameRows());
}

/** In random pieces, each flush against the end of memory. */
function inPieces(size: i32): i32 {
  const slack = below(2) ? "\r\n" : "a: b";
  let result = PARTIAL;
  headReset(HEAD);
  for (let n = 0; result == PARTIAL && n < size;) {
    n = min(size, n + 1 + below(200));
    const source = flush(n, slack);
    memory.copy(source, SOURCE, n);
    result = parseHead(HEAD, source, n, ROWS_MAX);
  }
  return result;
}

test("mutants, against a plain parser", TestOptions.timeout(60000), () => {
  let accepted = 0;
  let refused = 0;
  for (let i = 0; i < MUTANTS; i++) {
    seed(i);
    const text = SEEDS[i % SEEDS.length];
    put(SOURCE, text);
    const size = mutate(SOURCE, text.length, BYTES_MAX);
    const expected = referenceHead(SOURCE, size, ROWS_MAX);
    headReset(HEAD);
    let fine = agrees(parseHead(HEAD, SOURCE, size, ROWS_MAX), expected);
    fine = fine && agrees(inPieces(size), size ? expected : PARTIAL);
    if (!fine) expect("seed " + i.toString() + ": " + take(SOURCE, size)).toBe("");
    if (expected >= 0) accepted++;
    else if (expected < PARTIAL) refused++;
  }
  // The mutants are neither all broken nor all harmless.
  expect(accepted).toBeGreaterThan(MUTANTS / 10);
  expect(refused).toBeGreaterThan(MUTANTS / 10);
});

test("some mutants in every way", TestOptions.timeout(60000), () => {
  for (let i = 0; i < 200; i++) {
    seed(1000000 + i);
    const text = SEEDS[i % SEEDS.length];
    put(SOURCE, text);
    outcomeOf(mutate(SOURCE, text.length, BYTES_MAX));
  }
});
