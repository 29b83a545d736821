/**
 * Requests whose end two servers in a row may find at different places. Each header is sent with a body for every way
 * to read it: a body that is one whole request when it is read that way. So the answers show how the server reads it.
 *
 * Invariant: where the specification wants a refusal, no reading may be answered on a connection that goes on.
 * Reference: RFC 9112 6.3, 11.2.
 */
import { cameOf, type Exchange, exchange } from "./connection.js";
import { type Attack, atOnce, type Kinds, type Normal, shown, type Verdict } from "./finding.js";
import { isError, isKept, probe, report } from "./requests.js";
import { MISFRAMED, type Vector } from "./vectors.js";

/** What stands behind a head, so that both make one request when the body is read that way. */
const BODIES = { chunks: "0\r\n\r\n", "no body": "", "5 bytes": "hello" } as const;
type Reading = keyof typeof BODIES;

interface Pair {
  readonly name: string;
  /** Header lines, with their line ends. */
  readonly lines: string;
  /** The readings that are tried. */
  readonly tried: readonly Reading[];
  /** The ones that are right. None: it has to be refused. */
  readonly right?: readonly Reading[];
  /** The ones that the specification allows a lenient server. */
  readonly lenient?: readonly Reading[];
  readonly wants: string;
  /** Default: HTTP/1.1. */
  readonly version?: string;
}

const CODED: readonly Reading[] = ["chunks", "no body"];
const MEASURED: readonly Reading[] = ["5 bytes", "no body"];

function coding(
  name: string,
  lines: string,
  wants = "400, then a close (RFC 9112 6.3)",
  more: Partial<Pair> = {},
): Pair {
  return { name: `coding: ${name}`, lines: `${lines}\r\n`, tried: CODED, wants, ...more };
}

function length(
  name: string,
  lines: string,
  wants = "400, then a close (RFC 9112 6.3)",
  more: Partial<Pair> = {},
): Pair {
  return { name: `length: ${name}`, lines: `${lines}\r\n`, tried: MEASURED, wants, ...more };
}

const PAIRS: readonly Pair[] = [
  coding("chunked", "Transfer-Encoding: chunked", "chunks (RFC 9112 7.1)", { right: ["chunks"] }),
  coding("chunked behind a tab", "Transfer-Encoding:\tchunked", "chunks (RFC 9112 5)", { right: ["chunks"] }),
  coding("a space in front of the colon", "Transfer-Encoding : chunked", "400 (RFC 9112 5.1)"),
  coding("a tab in front of the colon", "Transfer-Encoding\t: chunked", "400 (RFC 9112 5.1)"),
  coding("x in front", "Transfer-Encoding: xchunked"),
  coding("a second field", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
  coding("identity in a second field", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
  coding("a vertical tab", "Transfer-Encoding: \x0bchunked"),
  coding("a form feed behind", "Transfer-Encoding: chunked\x0c"),
  coding("a folded line", "Transfer-Encoding\r\n : chunked", "400 (RFC 9112 5.2)"),
  coding("in a folded value", "X: x\r\n Transfer-Encoding: chunked", "400, or one field X (RFC 9112 5.2)", {
    lenient: ["no body"],
  }),
  coding("its value folded", "Transfer-Encoding:\r\n chunked", "400, or chunks (RFC 9112 5.2)", {
    lenient: ["chunks"],
  }),
  coding("behind LF", "X: x\nTransfer-Encoding: chunked", "400, or chunks (RFC 9112 2.2)", { lenient: ["chunks"] }),
  coding("behind CR", "X: x\rTransfer-Encoding: chunked", "400, or one field X (RFC 9112 2.2)", {
    lenient: ["no body"],
  }),
  coding("in quotes", 'Transfer-Encoding: "chunked"'),
  coding("identity, chunked", "Transfer-Encoding: identity, chunked", "501, or chunks (RFC 9112 6.1)", {
    lenient: ["chunks"],
  }),
  coding("chunked, identity", "Transfer-Encoding: chunked, identity"),
  coding("chunked twice", "Transfer-Encoding: chunked, chunked"),
  coding("identity", "Transfer-Encoding: identity"),
  coding("an underscore", "Transfer_Encoding: chunked", "no body: it is another field", { right: ["no body"] }),
  coding("NUL behind the name", "Transfer-Encoding\0: chunked", "400 (RFC 9110 5.1)"),
  coding("a parameter", "Transfer-Encoding: chunked;a"),
  coding("a trailing comma", "Transfer-Encoding: chunked,", "400, or chunks (RFC 9110 5.6.1)", { lenient: ["chunks"] }),
  coding("a no-break space", "Transfer-Encoding:\xa0chunked"),
  coding("nothing", "Transfer-Encoding:", "400, or no body: the list is empty", { lenient: ["no body"] }),
  coding("HTTP/1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked", "400, or a close (RFC 9112 6.1)", {
    version: "HTTP/1.0",
  }),
  // A server that goes by the length takes eight bytes, three of the request behind it: what is left is none.
  coding(
    "with a length",
    "Content-Length: 8\r\nTransfer-Encoding: chunked",
    "400, or a close behind it (RFC 9112 6.1)",
  ),
  coding(
    "behind a length",
    "Transfer-Encoding: chunked\r\nContent-Length: 8",
    "400, or a close behind it (RFC 9112 6.1)",
  ),
  length("with chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked", "400, or a close behind it (RFC 9112 6.1)"),
  length("five", "Content-Length: 5", "5 bytes (RFC 9112 6.3)", { right: ["5 bytes"] }),
  length("with zeros in front", "Content-Length: 0005", "5 bytes (RFC 9110 8.6)", { right: ["5 bytes"] }),
  length("the same twice", "Content-Length: 5\r\nContent-Length: 5", "400, or 5 bytes (RFC 9112 6.3)", {
    lenient: ["5 bytes"],
  }),
  length("two that differ", "Content-Length: 5\r\nContent-Length: 0"),
  length("two that differ, the other way round", "Content-Length: 0\r\nContent-Length: 5"),
  length("two in a list", "Content-Length: 5, 0"),
  length("NUL behind the name", "Content-Length\0: 5", "400 (RFC 9110 5.1)"),
  length("a space in front of the colon", "Content-Length : 5", "400 (RFC 9112 5.1)"),
  length("its value folded", "Content-Length:\r\n 5", "400, or 5 bytes (RFC 9112 5.2)", { lenient: ["5 bytes"] }),
  length("a plus", "Content-Length: +5"),
  length("a minus", "Content-Length: -5"),
  length("hexadecimal", "Content-Length: 0x5"),
  length("an underscore", "Content-Length: 0_5"),
  length("a fraction", "Content-Length: 5.0"),
  length("an exponent", "Content-Length: 5e0"),
  length("two words", "Content-Length: 5 5"),
  length("another digit behind", "Content-Length: 5\xb2"),
  length("nothing", "Content-Length:"),
  length("five beyond 2^32", "Content-Length: 4294967301", "413, or a body that is awaited"),
  length("five beyond 2^64", "Content-Length: 18446744073709551621", "400 or 413"),
];

/** Requests whose end is clear, and behind which there must be no answer. */
const ENDS: readonly (Vector & { wants: string })[] = [
  {
    name: "a request behind one with Connection: close",
    bytes: "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    status: 200,
    wants: "one answer, then a close (RFC 9112 9.6)",
  },
  {
    name: "a request behind garbage",
    bytes: "asdf\r\n\r\n",
    status: 400,
    wants: "400, then a close (RFC 9112 2.2)",
  },
  {
    name: "a request behind CONNECT",
    bytes: "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    status: 501,
    wants: "a refusal",
    isTolerable: true,
  },
  {
    name: "words behind a body",
    bytes: "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\naxyz ",
    status: 400,
    wants: "400 for what is no request",
  },
];

const misframed = MISFRAMED.filter(({ isEndless }) => isEndless !== true);

export const smuggling: Kinds = {
  count: ({ normal }) => (normal.method === null ? 1 : PAIRS.length + misframed.length + ENDS.length),
  async run(attack) {
    if (attack.normal.method === null) {
      const came = `${attack.normal.get} for GET, ${attack.normal.body} with a body, and no connection is kept`;
      const wants = "a path at which GET is answered with another status than 400, and connections are kept";
      attack.found({ name: "none could be tried", sent: "", came, wants, verdict: "note" });
      return;
    }
    const { connections } = attack;
    await atOnce(PAIRS, Math.ceil(connections / MEASURED.length), (pair) => tryPair(attack, pair));
    const wants = "400, then a close (RFC 9112 6.3, 7.1)";
    await atOnce(misframed, connections, (vector) => report(attack, vector, wants, judged));
    await atOnce(ENDS, connections, (vector) => report(attack, vector, vector.wants, judgedEnd));
  },
};

async function tryPair(attack: Attack, pair: Pair): Promise<void> {
  const { target, normal } = attack;
  const { name, lines, tried, wants, version = "HTTP/1.1" } = pair;
  const head = `${normal.method} ${target.path} ${version}\r\nHost: ${target.host}\r\n${lines}\r\n`;
  const results = await Promise.all(
    tried.map(async (reading): Promise<[Reading, Exchange]> => {
      return [reading, await exchange(target, head + BODIES[reading] + probe(target))];
    }),
  );
  attack.found({
    name,
    sent: shown(head),
    came: results.map(([reading, got]) => `${reading}: ${cameOf(got)}`).join("; "),
    wants,
    verdict: pairVerdict(pair, results, normal),
  });
}

function pairVerdict({ right = [], lenient = [] }: Pair, results: [Reading, Exchange][], normal: Normal): Verdict {
  const kept = results.filter(([, got]) => isKept(got, 1, normal));
  const [first, second] = kept.map(([name]) => name);
  if (second !== undefined) return "fail"; // both readings
  if (first !== undefined) return right.includes(first) ? "pass" : lenient.includes(first) ? "note" : "fail";
  const isTaken = results.some(([, { answers }]) => answers.length === 1 && !isError(answers[0]?.status ?? 0));
  return isTaken || right.length > 0 ? "note" : "pass";
}

function judged(got: Exchange, { isTolerable }: Vector, normal: Normal): Verdict {
  const [first] = got.answers;
  if (first === undefined) return got.isClosed ? "pass" : "note";
  if (isKept(got, 1, normal) || !got.isClosed) return isTolerable === true ? "note" : "fail";
  return isError(first.status) || got.answers.length > 1 ? "pass" : "note";
}

function judgedEnd(got: Exchange, { isTolerable }: Vector, normal: Normal): Verdict {
  if (got.answers.length === 0 && !got.isClosed) return "note";
  return isKept(got, 1, normal) && isTolerable !== true ? "fail" : "pass";
}
