/**
 * What an attack finds, and what it is given.
 *
 * Invariant: a verdict is about safety. `fail`: the server hangs, ends, takes without bound, or reads bytes as other
 * requests than the next server would. `note`: nothing of that, but it is worth knowing.
 */
import type { Target } from "./target.js";

export const KINDS = ["requests", "smuggling", "limits", "slow", "readers", "websocket"] as const;
export type Kind = (typeof KINDS)[number];

export type Verdict = "pass" | "fail" | "note";

export interface Finding {
  readonly kind: Kind;
  /** What was tried: `"two lengths"`. */
  readonly name: string;
  /** The bytes, printable and cut; empty when the name says it all. */
  readonly sent: string;
  readonly came: string;
  /** What the specification wants, and where it says so. */
  readonly wants: string;
  readonly verdict: Verdict;
}

/** How the server answers proper requests. */
export interface Normal {
  /** The status of GET. */
  readonly get: number;
  /** The status of `method` with a body. */
  readonly body: number;
  /** A method after whose body the server keeps the connection: POST, else GET; null when it does so after neither. */
  readonly method: "POST" | "GET" | null;
}

/** What every kind of attack is given. */
export interface Attack {
  readonly target: Target;
  readonly normal: Normal;
  /** How long a slow client is watched. */
  readonly patienceMs: number;
  /** Connections at the same time. */
  readonly connections: number;
  found(finding: Omit<Finding, "kind">): void;
}

/** One kind of attack: it reports as many findings as `count` says. */
export interface Kinds {
  count(attack: Attack): number;
  run(attack: Attack): Promise<void>;
}

const SHOWN_MAX = 300;

/** Bytes as one printable line. */
export function shown(bytes: string | Buffer): string {
  const text = typeof bytes === "string" ? bytes : bytes.toString("latin1");
  const line = JSON.stringify(text.slice(0, SHOWN_MAX))
    .slice(1, -1)
    .replaceAll(/[^ -~]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return text.length > SHOWN_MAX ? `${line}… (${text.length} bytes)` : line;
}

/** Calls `each` for all of `items`, so many at a time. */
export async function atOnce<Item>(items: readonly Item[], limit: number, each: (item: Item) => Promise<void>) {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await each(next);
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, worker));
}
