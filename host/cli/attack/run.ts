/**
 * Runs the kinds of attack one after another, and looks in between whether the server still answers.
 *
 * Invariant: what takes no connection any more, or gives no answer, is a finding and ends the run.
 */
import { exchange } from "./connection.js";
import { type Attack, type Finding, KINDS, type Kind, type Kinds, type Normal } from "./finding.js";
import { limits } from "./limits.js";
import { readers } from "./readers.js";
import { isKept, probe, requests } from "./requests.js";
import { slow } from "./slow.js";
import { smuggling } from "./smuggling.js";
import type { Target } from "./target.js";
import { websocket } from "./websocket.js";

const BY_KIND: Readonly<Record<Kind, Kinds>> = { requests, smuggling, limits, slow, readers, websocket };

export interface AttackOptions {
  /** The kinds that are wanted; empty: all. */
  readonly only: readonly Kind[];
  readonly patienceMs: number;
  readonly connections: number;
  /** Called for each finding, and once at the start of each kind with `done` 0. */
  progress(kind: Kind, done: number, of: number): void;
}

/** Attacks `target`, and returns what was found. Rejects when it answers no proper request at first. */
export async function attackTarget(target: Target, options: AttackOptions): Promise<Finding[]> {
  const normal = await normalOf(target);
  const findings: Finding[] = [];
  for (const kind of kindsFor(target, options.only)) {
    let done = 0;
    const attack: Attack = {
      target,
      normal,
      patienceMs: options.patienceMs,
      connections: options.connections,
      found(finding) {
        findings.push({ kind, ...finding });
        options.progress(kind, ++done, count);
      },
    };
    const count = BY_KIND[kind].count(attack);
    options.progress(kind, 0, count);
    const failure = await BY_KIND[kind].run(attack).then(
      () => null,
      (error: Error) => error.message,
    );
    const end = failure ?? (await hasEnded(target));
    if (end === null) continue;
    const wants = "a server that goes on";
    findings.push({ kind, name: "the server afterwards", sent: "", came: end, wants, verdict: "fail" });
    break;
  }
  return findings;
}

function kindsFor({ socketPath, socketOnly }: Target, only: readonly Kind[]): Kind[] {
  const possible = socketOnly ? (["websocket"] as const) : KINDS.filter((kind) => kind !== "websocket" || socketPath);
  return possible.filter((kind) => only.length === 0 || only.includes(kind));
}

/** Why a proper request gets no answer; null when it gets one. */
async function hasEnded(target: Target): Promise<string | null> {
  try {
    return (await exchange(target, probe(target))).answers.length > 0 ? null : "no answer to a proper request";
  } catch (error) {
    return (error as Error).message;
  }
}

/** How the server answers what is right. */
async function normalOf(target: Target): Promise<Normal> {
  const { path, host } = target;
  const only = await exchange(target, probe(target));
  const get = only.answers[0]?.status;
  if (get === undefined) throw new Error(`${target.url} answers no request`);
  const normal: Normal = { get, body: 0, method: null };
  for (const method of ["POST", "GET"] as const) {
    const head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\n\r\na`;
    const got = await exchange(target, head + probe(target));
    const body = got.answers[0]?.status ?? 0;
    if (get !== 400 && isKept(got, 1, normal)) return { get, body, method };
  }
  return normal;
}

/** The findings as a table for people, by kind. */
export function textOf(url: string, findings: readonly Finding[]): string {
  const kinds = [...new Set(findings.map(({ kind }) => kind))];
  const parts = kinds.map((kind) => {
    const lines = findings.filter((finding) => finding.kind === kind).map(linesOf);
    return `${kind}\n${lines.join("")}`;
  });
  const count = (wanted: string): number => findings.filter(({ verdict }) => verdict === wanted).length;
  return `${parts.join("\n")}\n${url}: ${count("fail")} failed, ${count("note")} noted, ${count("pass")} passed\n`;
}

/** One line when it passed; otherwise also what was sent and what is wanted. */
function linesOf({ verdict, name, came, sent, wants }: Finding): string {
  const first = `  ${verdict.padEnd(6)}${name}: ${came}\n`;
  if (verdict === "pass") return first;
  const indent = " ".repeat(8);
  const more = sent === "" ? "" : `${indent}sent: ${sent}\n`;
  return `${first}${indent}wanted: ${wants}\n${more}`;
}
