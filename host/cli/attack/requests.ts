/**
 * Requests that are right and ought to be served, and ones that are wrong: each on a connection of its own, with a
 * proper request behind it, whose answer shows that the server has taken what came before.
 */
import { cameOf, type Exchange, exchange } from "./connection.js";
import { type Attack, atOnce, type Finding, type Kinds, type Normal, shown, type Verdict } from "./finding.js";
import type { Target } from "./target.js";
import { ACCEPTED, REFUSED, type Vector } from "./vectors.js";

const BAD_REQUEST = 400;
/** What says that the form of a request is at fault, and not what it asks for. */
const REFUSALS: readonly number[] = [BAD_REQUEST, 411, 413, 414, 431, 505];

const refused = REFUSED.filter(({ isEndless }) => isEndless !== true);

export const requests: Kinds = {
  count: () => ACCEPTED.length + refused.length,
  async run(attack) {
    await atOnce(ACCEPTED, attack.connections, (vector) => report(attack, vector, "an answer", accepted));
    await atOnce(refused, attack.connections, (vector) =>
      report(attack, vector, `${vector.status}, then a close (RFC 9112)`, judged),
    );
  },
};

/** Sends one, and reports what `judge` says of it. */
export async function report(
  attack: Attack,
  vector: Vector,
  wants: string,
  judge: (got: Exchange, vector: Vector, normal: Normal) => Verdict,
): Promise<void> {
  const { target, normal } = attack;
  const bytes = aimed(vector.bytes, target, normal);
  const got = await exchange(target, bytes + probe(target));
  attack.found({
    name: vector.name,
    sent: shown(bytes),
    came: cameOf(got),
    wants,
    verdict: judge(got, vector, normal),
  } satisfies Omit<Finding, "kind">);
}

/** A proper request, after which the server closes. */
export function probe({ path, host }: Target): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
}

/** The bytes of a vector for this server: its Host and its path, and a method that it serves. */
function aimed(bytes: string, { path, host }: Target, { method }: Normal): string {
  return bytes
    .replaceAll("Host: x\r\n", () => `Host: ${host}\r\n`)
    .replace(/^POST \/echo /, () => `${method ?? "POST"} ${path} `)
    .replace(/^(\w+) \/ /, (_, own: string) => `${own} ${path} `);
}

/** Whether the proper request behind `count` others was answered as such. */
export function isKept({ answers }: Exchange, count: number, { get }: Normal): boolean {
  const last = answers.at(-1);
  return answers.length > count && last?.isWhole === true && last.status === get;
}

/** Whether a status is an error; 0 stands for what is no answer. */
export function isError(status: number): boolean {
  return status >= 400 || status === 0;
}

function accepted({ answers, isClosed }: Exchange): Verdict {
  const [first] = answers;
  if (first === undefined) return isClosed ? "note" : "fail"; // it hangs
  return REFUSALS.includes(first.status) ? "note" : "pass";
}

function judged(got: Exchange, { isTolerable }: Vector, normal: Normal): Verdict {
  const [first] = got.answers;
  if (first === undefined) return got.isClosed ? "pass" : "note";
  if (isKept(got, 1, normal)) return first.status === BAD_REQUEST && isTolerable !== true ? "fail" : "note";
  return isError(first.status) ? "pass" : "note";
}
