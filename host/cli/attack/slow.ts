/**
 * Clients that stop or go on a byte at a time, in every state of a connection, while others must be served.
 *
 * Invariant: `connections` clients at the most, shared by all states, for `patienceMs`.
 */
import { ATTACK_DRIP_MS } from "../../core/limits.js";
import { Connection, cameOf, exchange } from "./connection.js";
import { type Attack, type Kinds, shown, type Verdict } from "./finding.js";
import { probe } from "./requests.js";

interface State {
  readonly name: string;
  readonly begin: (attack: Attack) => string;
  /** Each of these is sent in turn; none: the client is silent. */
  readonly drips: readonly string[];
  readonly whenHeld: Verdict;
}

const STATES: readonly State[] = [
  { name: "nothing sent", begin: () => "", drips: [], whenHeld: "fail" },
  { name: "a request line that stops", begin: () => "GE", drips: [], whenHeld: "fail" },
  { name: "a request line, a byte at a time", begin: () => "GET /", drips: ["a"], whenHeld: "fail" },
  { name: "a head that stops", begin: (attack) => head(attack, ""), drips: [], whenHeld: "fail" },
  { name: "a field, a byte at a time", begin: (attack) => `${head(attack, "")}X: `, drips: ["a"], whenHeld: "fail" },
  { name: "fields, one at a time", begin: (attack) => head(attack, ""), drips: ["A: b\r\n"], whenHeld: "fail" },
  { name: "a body that stops", begin: (attack) => `${head(attack, LENGTH)}\r\na`, drips: [], whenHeld: "fail" },
  {
    name: "a body, a byte at a time",
    begin: (attack) => `${head(attack, LENGTH)}\r\n`,
    drips: ["a"],
    whenHeld: "fail",
  },
  { name: "a chunk's size, a byte at a time", begin: (attack) => chunked(attack), drips: ["0"], whenHeld: "fail" },
  { name: "chunks of one byte", begin: (attack) => chunked(attack), drips: ["1;a\r\nx\r\n"], whenHeld: "fail" },
  {
    name: "trailers, one at a time",
    begin: (attack) => `${chunked(attack)}0\r\n`,
    drips: ["A: b\r\n"],
    whenHeld: "fail",
  },
  {
    name: "nothing between two requests",
    begin: (attack) => `${head(attack, "", "GET")}\r\n`,
    drips: [],
    whenHeld: "note",
  },
];
const LENGTH = "Content-Length: 1000000\r\n";

function head({ target, normal }: Attack, fields: string, method: string = normal.method ?? "POST"): string {
  return `${method} ${target.path} HTTP/1.1\r\nHost: ${target.host}\r\n${fields}`;
}

function chunked(attack: Attack): string {
  return `${head(attack, "Transfer-Encoding: chunked\r\n")}\r\n`;
}

export const slow: Kinds = {
  count: () => STATES.length + 1,
  async run(attack) {
    const over = new AbortController();
    const served = serveOthers(attack, over.signal);
    const each = Math.max(1, Math.floor(attack.connections / STATES.length));
    await Promise.all(STATES.map((state) => hold(attack, state, each)));
    over.abort();
    await served;
  },
};

async function hold(attack: Attack, state: State, count: number): Promise<void> {
  const bytes = state.begin(attack);
  const lives = await Promise.all(Array.from({ length: count }, () => life(attack, state, bytes)));
  const { ms, came } = lives.reduce((longest, one) => (one.ms > longest.ms ? one : longest));
  const isHeld = ms === Number.POSITIVE_INFINITY;
  const { patienceMs } = attack;
  attack.found({
    name: state.name,
    sent: shown(bytes + state.drips.join("")),
    came: isHeld ? `${came} after ${patienceMs / 1000} s` : `${came}, after ${(ms / 1000).toFixed(1)} s`,
    wants: `an end within ${patienceMs / 1000} s`,
    verdict: isHeld ? state.whenHeld : "pass",
  });
}

/** How long the server has kept one client; forever means: for as long as it was watched. */
async function life({ target, patienceMs }: Attack, { drips }: State, bytes: string) {
  const connection = await Connection.open(target);
  const began = performance.now();
  connection.send(bytes);
  const drip = setInterval(() => {
    for (const each of drips) connection.send(each);
  }, ATTACK_DRIP_MS);
  await connection.until(() => false, patienceMs);
  clearInterval(drip);
  const { isClosed, closedAt, answers } = connection;
  connection.destroy();
  return { ms: isClosed ? closedAt - began : Number.POSITIVE_INFINITY, came: cameOf({ answers, isClosed }) };
}

/** Asks for the page again and again, until `signal`. */
async function serveOthers(attack: Attack, signal: AbortSignal): Promise<void> {
  let [longestMs, count, lost] = [0, 0, 0];
  while (!signal.aborted) {
    const began = performance.now();
    const { answers } = await exchange(attack.target, probe(attack.target)).catch(() => ({ answers: [] }));
    longestMs = Math.max(longestMs, performance.now() - began);
    count++;
    if (answers[0]?.isWhole !== true) lost++;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, ATTACK_DRIP_MS);
      signal.addEventListener("abort", wake);
    });
  }
  attack.found({
    name: "others meanwhile",
    sent: shown(probe(attack.target)),
    came: `${count - lost} of ${count} requests answered, the slowest in ${Math.ceil(longestMs)} ms`,
    wants: `an answer within ${attack.target.answerMs / 1000} s to each`,
    verdict: lost === 0 ? "pass" : "fail",
  });
}
