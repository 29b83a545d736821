// Requests for the differential fuzz: from the corpus, spliced and mutated, and from a grammar of what parsers have
// disagreed on. The same seed gives the same requests.

const METHODS = [
  "GET",
  "POST",
  "HEAD",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
  "TRACE",
  "CONNECT",
  "get",
  "PURGE",
  "M-SEARCH",
];
const TARGETS = [
  "/",
  "/a?b",
  "*",
  "http://x/",
  "http://x",
  "x:80",
  "/a%20b",
  "//a",
  "/\\",
  "/a|b",
  "/\xe4",
  "/a#b",
  "https://[::1]:1/",
];
const VERSIONS = [
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/1.2",
  "HTTP/2.0",
  "HTTP/0.9",
  "http/1.1",
];
const FIELDS = [
  ...["Content-Length: 5", "Content-Length: 0", "Content-Length: 3", "Content-Length: 5, 5", "Content-Length: 05"],
  ...["Content-Length: +5", "Content-Length: 5 5", "Content-Length:", "content-length:5", "Content-Length: 5,6"],
  ...[
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: gzip",
  ],
  ...[
    "Transfer-Encoding: Chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding:chunked ",
    "Transfer-Encoding: \tchunked",
  ],
  ...[
    "Transfer-Encoding: identity",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunked;a=b",
    "Transfer-Encoding:",
  ],
  ...[
    "Connection: close",
    "Connection: keep-alive",
    "Connection: close, keep-alive",
    "Connection: x, close",
    "Connection: upgrade",
  ],
  ...[
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Upgrade: h2c",
    "Expect: 100-continue",
    "Expect: x",
    "Connection:",
  ],
  ...[
    "Host: y",
    "Host: a b",
    "Host:",
    "A: b",
    "A:",
    "A: \xe4",
    "A : b",
    " A: b",
    "A: b\r\n c",
    "A: b\tc",
    ": b",
    "A",
    "A\0: b",
  ],
  ...[
    "A: b\x01",
    "A: b\x7f",
    "A: b\0",
    "A: b\rc",
    "A: b\nC: d",
    "Keep-Alive: 5",
    "Proxy-Connection: close",
    "TE: trailers",
  ],
];
const BODIES = [
  ...[
    "",
    "",
    "hello",
    "abc",
    "0\r\n\r\n",
    "3\r\nabc\r\n0\r\n\r\n",
    "3;a=b\r\nabc\r\n0\r\n\r\n",
    "3 \r\nabc\r\n0\r\n\r\n",
  ],
  ...[
    "3\nabc\n0\n\n",
    "0x3\r\nabc\r\n0\r\n\r\n",
    "3\r\nabcX0\r\n\r\n",
    "3\r\nabc\r\n0\r\nA: b\r\n\r\n",
    "0\r\nA : b\r\n\r\n",
  ],
  ...[
    "0000000000000000003\r\nabc\r\n0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "-1\r\n",
    "3\r\nabc\r\n0\r\n\n",
    "0;a\x01\r\n\r\n",
    "5\r\nhello\r\n",
  ],
];
const PIECES = [
  "\r\n",
  "\n",
  "\r",
  " ",
  "\t",
  "\0",
  ":",
  ",",
  ";",
  "\x0b",
  "\x7f",
  "\x80",
  "\xff",
  "0",
  "a",
  "\r\n ",
  "\r\n\r\n",
  ", ",
  "chunked",
  "5",
];

export class Generator {
  private state: number;

  constructor(
    private readonly seed: number,
    private readonly corpus: Buffer[],
    /** What chooses in place of the seed: a number from 0 to below its argument. */
    private readonly choose: ((limit: number) => number) | null = null,
  ) {
    this.state = seed;
  }

  next(): Buffer {
    let bytes: Buffer = this.pick(this.corpus);
    const kind = this.below(10);
    if (kind < 4) bytes = this.grammatical();
    else if (kind < 6) bytes = this.splice(bytes, this.pick(this.corpus));
    for (let i = this.below(4); i > 0 && bytes.length; i--) bytes = this.mutate(bytes);
    if (this.below(4) === 0) bytes = Buffer.concat([bytes, this.pick(this.corpus)]);
    return bytes;
  }

  /** xorshift32 with a multiplication, from 0 to below `limit`. */
  private below(limit: number): number {
    if (this.choose !== null) return this.choose(limit);
    this.state = (this.state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.state ^ (this.state >>> 15) ^ this.seed, this.state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % limit;
  }

  private pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)];
  }

  private grammatical(): Buffer {
    const lines = [`${this.pick(METHODS)} ${this.pick(TARGETS)} ${this.pick(VERSIONS)}`];
    if (this.below(8)) lines.push("Host: x");
    for (let i = this.below(4); i > 0; i--) lines.push(this.pick(FIELDS));
    const head = lines.join(this.below(30) ? "\r\n" : "\n");
    return Buffer.from(`${head}\r\n\r\n${this.pick(BODIES)}`, "latin1");
  }

  private splice(a: Buffer, b: Buffer): Buffer {
    return Buffer.concat([a.subarray(0, this.below(a.length + 1)), b.subarray(this.below(b.length + 1))]);
  }

  private mutate(bytes: Buffer): Buffer {
    const at = this.below(bytes.length);
    const size = 1 + this.below(this.below(4) ? 3 : 40);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (this.below(5)) {
      case 0:
        return Buffer.concat([before, after.subarray(size)]);
      case 1:
        return Buffer.concat([before, after.subarray(0, size), after]);
      case 2:
        return Buffer.concat([before, Buffer.from([this.below(256)]), after.subarray(1)]);
      case 3:
        return Buffer.concat([before, Buffer.from(this.pick(FIELDS), "latin1"), Buffer.from("\r\n"), after]);
      default:
        return Buffer.concat([before, Buffer.from(this.pick(PIECES), "latin1"), after.subarray(this.below(2))]);
    }
  }
}
