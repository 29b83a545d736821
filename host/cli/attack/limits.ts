/**
 * What has no end: a server must stop taking it at some size, by an answer, a close, or by not reading on.
 *
 * Invariant: no more than ATTACK_FLOOD_BYTES_MAX is sent on a connection.
 */
import { ATTACK_FLOOD_BYTES_MAX } from "../../core/limits.js";
import { Connection, cameOf } from "./connection.js";
import { type Attack, atOnce, type Kinds, shown, type Verdict } from "./finding.js";

const PIECE_BYTES = 64 << 10;

interface Flood {
  readonly name: string;
  readonly begin: (attack: Attack) => string;
  /** It is sent again and again. */
  readonly more: string;
  readonly wants: string;
  /** What it is when the server takes everything. */
  readonly whenTaken: Verdict;
}

const HEAD_WANTS = "a bound, and a refusal at it (RFC 9112 3, 5.4 of RFC 9110)";
const CHUNKED = "Transfer-Encoding: chunked\r\n";

const FLOODS: readonly Flood[] = [
  { name: "a request line", begin: () => "GET /", more: "a", wants: HEAD_WANTS, whenTaken: "fail" },
  { name: "a method", begin: () => "", more: "A", wants: HEAD_WANTS, whenTaken: "fail" },
  { name: "empty lines in front", begin: () => "", more: "\r\n", wants: "a bound (RFC 9112 2.2)", whenTaken: "note" },
  {
    name: "a field's name",
    begin: (attack) => head(attack, "GET", "").slice(0, -2),
    more: "a",
    wants: HEAD_WANTS,
    whenTaken: "fail",
  },
  {
    name: "a field's value",
    begin: (attack) => `${head(attack, "GET", "").slice(0, -2)}A: `,
    more: "a",
    wants: HEAD_WANTS,
    whenTaken: "fail",
  },
  {
    name: "fields",
    begin: (attack) => head(attack, "GET", "").slice(0, -2),
    more: "A: b\r\n",
    wants: HEAD_WANTS,
    whenTaken: "fail",
  },
  {
    name: "a chunk's size, in zeros",
    begin: (attack) => head(attack, "POST", CHUNKED),
    more: "0",
    wants: "a bound (RFC 9112 7.1)",
    whenTaken: "fail",
  },
  {
    name: "a chunk's extension",
    begin: (attack) => `${head(attack, "POST", CHUNKED)}1;`,
    more: "a",
    wants: "a bound (RFC 9112 7.1.1)",
    whenTaken: "fail",
  },
  {
    name: "trailers",
    begin: (attack) => `${head(attack, "POST", CHUNKED)}0\r\n`,
    more: "A: b\r\n",
    wants: "a bound (RFC 9112 7.1.2)",
    whenTaken: "fail",
  },
  {
    name: "a body in chunks",
    begin: (attack) => head(attack, "POST", CHUNKED),
    more: `400\r\n${"a".repeat(0x400)}\r\n`,
    wants: "a bound, of the server or the application",
    whenTaken: "note",
  },
  {
    name: "a body of 2^40 bytes",
    begin: (attack) => head(attack, "POST", `Content-Length: ${2 ** 40}\r\n`),
    more: "a",
    wants: "a bound, of the server or the application",
    whenTaken: "note",
  },
];

export const limits: Kinds = {
  count: () => FLOODS.length,
  run: (attack) => atOnce(FLOODS, attack.connections, (each) => flood(attack, each)),
};

function head({ target }: Attack, method: string, fields: string): string {
  return `${method} ${target.path} HTTP/1.1\r\nHost: ${target.host}\r\n${fields}\r\n`;
}

async function flood(attack: Attack, { name, begin, more, wants, whenTaken }: Flood): Promise<void> {
  const connection = await Connection.open(attack.target);
  const first = begin(attack);
  connection.send(first);
  const { taken, isStuck } = await pour(connection, more, () => connection.answers.length > 0);
  await connection.until(() => connection.answers.length > 0, isStuck ? 0 : attack.target.answerMs);
  const { answers, isClosed } = connection;
  connection.destroy();
  const isBounded = isStuck || isClosed || answers.length > 0;
  const what = answers[0]?.status ?? (isStuck ? "not read on" : cameOf({ answers, isClosed }));
  attack.found({
    name: `${name} without end`,
    sent: `${shown(first)}${shown(more.slice(0, 20))}…`,
    came: `${what}, after ${sizeOf(taken)}`,
    wants,
    verdict: isBounded ? "pass" : whenTaken,
  });
}

/**
 * Sends `more` again and again, until the server answers as `isDone` says, closes, or stops reading; returns how much
 * it or its kernel has taken, and whether it has stopped reading.
 */
export async function pour(
  connection: Connection,
  more: string | Buffer,
  isDone: () => boolean,
): Promise<{ taken: number; isStuck: boolean }> {
  const bytes = Buffer.from(more as string, "latin1");
  const piece = Buffer.concat(Array.from({ length: Math.max(1, Math.floor(PIECE_BYTES / bytes.length)) }, () => bytes));
  let taken = 0;
  while (taken < ATTACK_FLOOD_BYTES_MAX && !connection.isClosed && !isDone()) {
    connection.send(piece);
    await connection.until(() => connection.unsent === 0 || isDone(), connection.target.answerMs);
    if (connection.unsent > 0 && !connection.isClosed && !isDone()) return { taken, isStuck: true };
    taken += piece.length;
  }
  return { taken, isStuck: false };
}

/** `"64 KiB"`. */
export function sizeOf(bytes: number): string {
  return bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}
