// Hostile input costs time in proportion to its size: ten times as much takes no more than twenty times as long.
// Reference: Tornado's test/security_corpus, test_scaling; CVE-2024-52804, CVE-2025-67725, CVE-2025-67726.
import { expect, test } from "vitest";
import type { BodyReader } from "../../../host/http/bodyreader.js";
import { negotiateCoding } from "../../../host/http/compression/acceptencoding.js";
import { readForm } from "../../../host/http/form/form.js";
import { resolveFormLimits } from "../../../host/http/form/limits.js";
import { parseParameters } from "../../../host/http/form/parameters.js";
import { parseUrlencoded } from "../../../host/http/form/urlencoded.js";
import { HTTPHeaders, parseCookies } from "../../../host/index.js";
import { seen } from "../support/exchange.js";

const UNBOUNDED = { argumentsMax: 1e9, partsMax: 1e9, partHeaderBytesMax: 1e9, textBytesMax: 1e9 };

/** Reads a multipart body that comes in blocks of 64 KiB, or of other sizes. */
async function multipart(body: Buffer, blockBytes = 65_536): Promise<unknown> {
  let at = 0;
  const source = {
    next: async () => (at < body.length ? body.subarray(at, (at += blockBytes)) : null),
  } as BodyReader;
  const headers = new HTTPHeaders([["content-type", "multipart/form-data; boundary=b"]]);
  const limits = resolveFormLimits(UNBOUNDED);
  return readForm({ headers, body: source, onOver: () => {} }, limits, { onFile: () => {} }).catch(() => null);
}

const part = (head: string, data = ""): string => `--b\r\n${head}\r\n\r\n${data}\r\n`;
const NAMED = "Content-Disposition: form-data; name=a";

test.each<[string, number, (size: number) => unknown]>([
  ["backslashes in a cookie", 50_000, (n) => parseCookies(`a="${"\\".repeat(n)}"`)],
  ["quotes in a cookie", 50_000, (n) => parseCookies(`a=${'"'.repeat(n)}`)],
  ["octal escapes in a cookie", 20_000, (n) => parseCookies(`a="${"\\101".repeat(n)}"`)],
  ["semicolons in a cookie", 50_000, (n) => parseCookies(";".repeat(n))],
  ["cookies of one name", 20_000, (n) => parseCookies("a=b;".repeat(n))],
  ["spaces in a cookie", 50_000, (n) => parseCookies(`a=${" ".repeat(n)}b`)],
  ["repeated header fields", 5_000, (n) => new HTTPHeaders(Array(n).fill(["a", "b"])).get("a")?.length],
  ["codings in Accept-Encoding", 5_000, (n) => negotiateCoding("gzip;q=0.1,".repeat(n), ["br"])],
  ["semicolons in Accept-Encoding", 20_000, (n) => negotiateCoding(";".repeat(n), ["br"])],
  [
    "addresses in X-Forwarded-For",
    300,
    (n) => {
      const headers: [string, string][] = [["x-forwarded-for", "10.0.0.1,".repeat(n)]];
      return seen({ headers, descriptor: 10 }, { xheaders: true, trustedDownstream: ["10.0.0.0/8"] }).remoteAddress;
    },
  ],
  [
    "pairs in Forwarded",
    300,
    (n) => {
      const headers: [string, string][] = [["forwarded", `${"for=10.0.0.1;a=b,".repeat(n)}for="x`]];
      return seen({ headers, descriptor: 10 }, { xheaders: "forwarded" }).remoteAddress;
    },
  ],
  ["an unfinished quoted string", 50_000, (n) => parseParameters(`a; b="${"\\\\".repeat(n)}`)],
  ["semicolons in a parameter list", 50_000, (n) => parseParameters(`a${";".repeat(n)}`)],
  ["spaces in a parameter list", 50_000, (n) => parseParameters(`a${" ".repeat(n)}b`)],
  ["parameters", 5_000, (n) => parseParameters(`a${Array.from({ length: n }, (_, i) => `; p${i}=x`).join("")}`)],
  ["percent signs in a form", 50_000, (n) => parseUrlencoded(Buffer.from("%".repeat(n)), 1e9)],
  ["escapes in a form", 30_000, (n) => parseUrlencoded(Buffer.from("%41".repeat(n)), 1e9)],
  ["arguments of a form", 10_000, (n) => parseUrlencoded(Buffer.from("a=b&".repeat(n)), 1e9)],
  ["parts of a form", 2_000, (n) => multipart(Buffer.from(`${part(NAMED, "x").repeat(n)}--b--`))],
  ["almost boundaries", 100_000, (n) => multipart(Buffer.from(`${part(NAMED, "\r\n--".repeat(n))}--b--`))],
  ["line ends in a part", 200_000, (n) => multipart(Buffer.from(`${part(NAMED, "\r".repeat(n))}--b--`))],
  ["a part's long header", 200_000, (n) => multipart(Buffer.from(`${part(`${NAMED}\r\nX: ${"x".repeat(n)}`)}--b--`))],
  [
    "a part's header byte by byte",
    20_000,
    (n) => multipart(Buffer.from(`${part(`${NAMED}\r\nX: ${"x".repeat(n)}`)}--b--`), 1),
  ],
  ["a part's many fields", 10_000, (n) => multipart(Buffer.from(`${part(`${NAMED}${"\r\nX: y".repeat(n)}`)}--b--`))],
  [
    "a long file name",
    50_000,
    (n) => multipart(Buffer.from(`${part(`${NAMED}; filename="${"\\".repeat(2 * n)}"`)}--b--`)),
  ],
])("%s", async (_name, size, run) => {
  await run(size); // compiled and warm
  // ten small ones leave as much garbage as a large one; the calmest of a few rounds counts
  let small = Number.POSITIVE_INFINITY;
  let large = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5 || (large > 2 * small + 20 && round < 15); round++) {
    small = Math.min(
      small,
      await msOf(async () => {
        for (let i = 0; i < 10; i++) await run(size);
      }),
    );
    large = Math.min(large, await msOf(() => run(size * 10)));
  }
  expect(large, `ten times ${(small / 10).toFixed(2)} ms became ${large.toFixed(2)} ms`).toBeLessThan(2 * small + 20); // what is squared takes seconds here
});

async function msOf(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
