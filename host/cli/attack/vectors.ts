/**
 * Requests, byte for byte, and what has to come of them. Each stands alone. `waterspout attack` sends them to any
 * server; the tests to the demo, on every way to run, whole and a byte at a time, and expect these very answers.
 *
 * Reference: RFC 9112, unless a name says otherwise.
 */

export interface Vector {
  readonly name: string;
  /** Latin-1: a character is a byte. The targets are `/` and `/echo`, the Host is `x`. */
  readonly bytes: string;
  /** What the demo answers. */
  readonly status: number;
  readonly body?: string;
  /** A server that takes it, or answers the next request behind it, errs; but where the request ends is clear. */
  readonly isTolerable?: boolean;
  /** It does not end: a server with larger limits waits for more. */
  readonly isEndless?: boolean;
}

const GET = "GET / HTTP/1.1\r\n";
const HOST = "Host: x\r\n";
const POST = "POST /echo HTTP/1.1\r\nHost: x\r\n";
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const HELLO = "Hello, world";

const fields = (count: number): string => Array.from({ length: count }, (_, i) => `X-${i}: ${i}\r\n`).join("");

/** Answered by the demo's handler. */
export const ACCEPTED: readonly Vector[] = [
  // --- the request line ---
  { name: "a plain GET", bytes: `${GET}${HOST}\r\n`, status: 200, body: HELLO },
  { name: "empty lines before it (2.2)", bytes: `\r\n\r\n${GET}${HOST}\r\n`, status: 200, body: HELLO },
  { name: "HTTP/1.0 without Host", bytes: "GET / HTTP/1.0\r\n\r\n", status: 200, body: HELLO },
  { name: "an unknown method", bytes: `BREW / HTTP/1.1\r\n${HOST}\r\n`, status: 405 },
  { name: "every token character in a method", bytes: `A!#$%&'*+-.^_\`|~09z / HTTP/1.1\r\n${HOST}\r\n`, status: 405 },
  { name: "a target as long as allowed", bytes: `GET /${"a".repeat(16383)} HTTP/1.1\r\n${HOST}\r\n`, status: 404 },
  // --- header fields ---
  { name: "names in any case", bytes: `${GET}hOST: x\r\nACCEPT: *\r\n\r\n`, status: 200, body: HELLO },
  { name: "no space after the colon", bytes: `${GET}Host:x\r\nA:b\r\n\r\n`, status: 200, body: HELLO },
  { name: "spaces and tabs around a value", bytes: `${GET}Host: \t x \t\r\nA: \t \r\n\r\n`, status: 200, body: HELLO },
  { name: "an empty value", bytes: `${GET}${HOST}A:\r\n\r\n`, status: 200, body: HELLO },
  { name: "bytes above 0x7f in a value", bytes: `${GET}${HOST}A: \xe9\xff\r\n\r\n`, status: 200, body: HELLO },
  {
    name: "every token character in a name",
    bytes: `${GET}${HOST}!#$%&'*+-.^_\`|~09aZ: b\r\n\r\n`,
    status: 200,
    body: HELLO,
  },
  { name: "an empty Host (3.2)", bytes: `${GET}Host:\r\n\r\n`, status: 200, body: HELLO },
  { name: "a hundred header fields", bytes: `${GET}${HOST}${fields(99)}\r\n`, status: 200, body: HELLO },
  { name: "60 KiB of header", bytes: `${GET}${HOST}A: ${"a".repeat(60 * 1024)}\r\n\r\n`, status: 200, body: HELLO },
  // --- bodies ---
  { name: "Content-Length: 0", bytes: `${POST}Content-Length: 0\r\n\r\n`, status: 200, body: "" },
  { name: "a POST without framing has no body (6.3)", bytes: `${POST}\r\n`, status: 200, body: "" },
  {
    name: "Content-Length with zeros in front",
    bytes: `${POST}Content-Length: 0005\r\n\r\nhello`,
    status: 200,
    body: "hello",
  },
  {
    name: "a body of line ends and NUL",
    bytes: `${POST}Content-Length: 5\r\n\r\n\r\n\0\r\n`,
    status: 200,
    body: "\r\n\0\r\n",
  },
  { name: "a GET with a body", bytes: `${GET}${HOST}Content-Length: 5\r\n\r\nhello`, status: 200, body: HELLO },
  { name: "chunks", bytes: `${CHUNKED}4\r\nfoo=\r\n3\r\nbar\r\n0\r\n\r\n`, status: 200, body: "foo=bar" },
  {
    name: "chunked in capitals",
    bytes: `${POST}Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    status: 200,
    body: "a",
  },
  {
    name: "sizes in both cases, with zeros",
    bytes: `${CHUNKED}00a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n`,
    status: 200,
  },
  { name: "chunk extensions (7.1.1)", bytes: `${CHUNKED}1;a=b;c="d e"\r\na\r\n0;z\r\n\r\n`, status: 200, body: "a" },
  { name: "trailers (7.1.2)", bytes: `${CHUNKED}1\r\na\r\n0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n`, status: 200, body: "a" },
];

/** Refused by the server itself with a complete answer; the connection ends after it. */
export const REFUSED: readonly Vector[] = [
  // --- the request line ---
  { name: "garbage", bytes: "asdf\r\n\r\n", status: 400 },
  { name: "binary garbage", bytes: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", status: 400 },
  { name: "no version (HTTP/0.9)", bytes: "GET /\r\n\r\n", status: 400 },
  { name: "two spaces", bytes: `GET  / HTTP/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "two spaces before the version", bytes: `GET /  HTTP/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "a space in the target", bytes: `GET /a b HTTP/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "a space in front", bytes: ` GET / HTTP/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "a space behind", bytes: `GET / HTTP/1.1 \r\n${HOST}\r\n`, status: 400 },
  { name: "tabs for spaces", bytes: `GET\t/\tHTTP/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "no target", bytes: `GET HTTP/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "a method that is no token", bytes: `FOO,BAR / HTTP/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "NUL in the target", bytes: `GET /\0 HTTP/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "DEL in the target", bytes: `GET /\x7f HTTP/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "http in lower case", bytes: `GET / http/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "a version of too many digits", bytes: `GET / HTTP/1.10\r\n${HOST}\r\n`, status: 400 },
  { name: "another protocol", bytes: `GET / ICY/1.1\r\n${HOST}\r\n`, status: 400 },
  { name: "HTTP/2.0", bytes: `GET / HTTP/2.0\r\n${HOST}\r\n`, status: 505 },
  { name: "the preface of HTTP/2", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505 },
  {
    name: "a target that is too long",
    bytes: `GET /${"a".repeat(16384)} HTTP/1.1\r\n${HOST}\r\n`,
    status: 414,
    isTolerable: true,
  },
  { name: "a request line without end", bytes: `GET /${"a".repeat(70_000)}`, status: 414, isEndless: true },
  // --- header fields ---
  { name: "no Host (3.2)", bytes: `${GET}A: b\r\n\r\n`, status: 400, isTolerable: true },
  { name: "two Hosts (3.2)", bytes: `${GET}${HOST}Host: y\r\n\r\n`, status: 400, isTolerable: true },
  { name: "the same Host twice", bytes: `${GET}${HOST}${HOST}\r\n`, status: 400, isTolerable: true },
  { name: "a space in Host", bytes: `${GET}Host: x y\r\n\r\n`, status: 400, isTolerable: true },
  { name: "no colon", bytes: `${GET}${HOST}nothing\r\n\r\n`, status: 400, isTolerable: true },
  { name: "no name", bytes: `${GET}${HOST}: b\r\n\r\n`, status: 400 },
  { name: "a space before the colon (5.1)", bytes: `${GET}${HOST}A : b\r\n\r\n`, status: 400 },
  { name: "a name that is no token", bytes: `${GET}${HOST}A(b): c\r\n\r\n`, status: 400, isTolerable: true },
  { name: "a name above 0x7f", bytes: `${GET}${HOST}\xc3\xa9: c\r\n\r\n`, status: 400, isTolerable: true },
  { name: "a folded line (5.2)", bytes: `${GET}${HOST}A: b\r\n c\r\n\r\n`, status: 400 },
  { name: "a line folded with a tab", bytes: `${GET}${HOST}A: b\r\n\tc\r\n\r\n`, status: 400 },
  { name: "space before the first field (2.2)", bytes: `${GET} ${HOST}\r\n`, status: 400 },
  { name: "NUL in a value", bytes: `${GET}${HOST}A: b\0c\r\n\r\n`, status: 400, isTolerable: true },
  { name: "NUL in a name", bytes: `${GET}${HOST}A\0: b\r\n\r\n`, status: 400 },
  { name: "a control character in a value", bytes: `${GET}${HOST}A: b\x01\r\n\r\n`, status: 400, isTolerable: true },
  { name: "LF alone in a value", bytes: `${GET}${HOST}A: b\nB: c\r\n\r\n`, status: 400 },
  { name: "CR alone in a value (2.2)", bytes: `${GET}${HOST}A: b\rB: c\r\n\r\n`, status: 400 },
  { name: "LF alone everywhere", bytes: "GET / HTTP/1.1\nHost: x\n\n", status: 400 },
  { name: "LF alone at the end of the head", bytes: `${GET}${HOST}\n`, status: 400 },
  { name: "too many header fields", bytes: `${GET}${HOST}${fields(100)}\r\n`, status: 431 },
  { name: "too large a header", bytes: `${GET}${HOST}A: ${"a".repeat(65_536)}\r\n\r\n`, status: 431 },
  { name: "a header without end", bytes: `${GET}${HOST}A: ${"a".repeat(70_000)}`, status: 431, isEndless: true },
  {
    name: "header fields without end",
    bytes: `${GET}${HOST}${"A: b\r\n".repeat(12_000)}`,
    status: 431,
    isEndless: true,
  },
  // --- expectations ---
  {
    name: "an unknown expectation (RFC 9110 10.1.1)",
    bytes: `${POST}Expect: tea\r\nContent-Length: 0\r\n\r\n`,
    status: 417,
  },
];

/** Refused in the same way, for the server behind might find the end of the request elsewhere (RFC 9112 11.2). */
export const MISFRAMED: readonly Vector[] = [
  // --- lengths and codings ---
  ...["foo", "+10", "1_0", "-1", "", "5,6", "5, 6", "0x5", "5 5", "5.0", "\xb25", "99999999999999999999"].map(
    (length) => ({
      name: `Content-Length: ${JSON.stringify(length)}`,
      bytes: `${POST}Content-Length: ${length}\r\n\r\nhello`,
      status: /^9+$/.test(length) ? 413 : 400,
    }),
  ),
  { name: "two lengths", bytes: `${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, status: 400 },
  {
    name: "length and chunks (6.1)",
    bytes: `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    name: "chunks and length",
    bytes: `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  { name: "chunked twice", bytes: `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`, status: 400 },
  {
    name: "Transfer-Encoding twice",
    bytes: `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    name: "gzip, chunked (6.1)",
    bytes: `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    status: 501,
    isTolerable: true,
  },
  {
    name: "an unknown coding",
    bytes: `${POST}Transfer-Encoding: xchunked, chunked\r\n\r\n0\r\n\r\n`,
    status: 501,
    isTolerable: true,
  },
  { name: "chunked not last (6.3)", bytes: `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, status: 400 },
  // --- chunks ---
  { name: "words behind a chunk's size", bytes: `${CHUNKED}2 x\r\nok\r\n0\r\n\r\n`, status: 400, isTolerable: true },
  ...["1_a", "0x2", "+2", "-2", "", " 2", "G", "1".repeat(70), "fffffffffffffffff", "2\r", "2\n"].map((size) => ({
    name: `a chunk of size ${JSON.stringify(size)}`,
    bytes: `${CHUNKED}${size}\r\nok\r\n0\r\n\r\n`,
    status: 400,
  })),
  { name: "a chunk that goes on after its size", bytes: `${CHUNKED}2\r\nokXX0\r\n\r\n`, status: 400 },
  { name: "a chunk that ends with LF", bytes: `${CHUNKED}2\r\nok\n0\r\n\r\n`, status: 400, isTolerable: true },
  { name: "LF after a chunk's size", bytes: `${CHUNKED}2\nok\r\n0\r\n\r\n`, status: 400, isTolerable: true },
  { name: "a bad trailer", bytes: `${CHUNKED}2\r\nok\r\n0\r\nno colon\r\n\r\n`, status: 400, isTolerable: true },
  { name: "a chunk larger than any body", bytes: `${CHUNKED}ffffffff\r\nok`, status: 413, isEndless: true },
];
