// What a parser makes of a connection's bytes, in a form in which parsers can be compared.

export interface Message {
  kind: "message";
  method: string;
  target: string;
  /** In hexadecimal. */
  body: string;
  keepAlive: boolean;
}

export type Step =
  | Message
  /** Nothing more is read. */
  | { kind: "refused"; reason: string }
  /** The bytes end inside a head or a body. */
  | { kind: "needs head" }
  | { kind: "needs body" };

/**
 * Messages in their order, then perhaps why there are no more. After a message that ends the connection nothing
 * follows.
 */
export type Outcome = Step[];

export interface Disagreement {
  /**
   * `message`, `refused BAD_HOST`, `needs body`, `nothing`; for two different messages what differs: `message body
   * keep-alive`.
   */
  we: string;
  they: string;
  /** The index of the first step on which they differ. */
  at: number;
}

/** The first step on which two parsers differ; two refusals are no difference, whatever their reasons. */
export function disagreement(ours: Outcome, theirs: Outcome): Disagreement | null {
  for (let at = 0; at < Math.max(ours.length, theirs.length); at++) {
    const [a, b] = [ours[at], theirs[at]];
    if (a?.kind === "refused" && b?.kind === "refused") return null;
    if (a?.kind === "message" && b?.kind === "message") {
      const parts = (["method", "target", "body", "keepAlive"] as const).filter((part) => a[part] !== b[part]);
      if (parts.length)
        return { we: `message ${parts.join(" ")}`, they: `message ${parts.map((part) => b[part]).join(" ")}`, at };
      if (!a.keepAlive) return null;
    } else if (a?.kind !== b?.kind) return { we: named(a), they: named(b), at };
  }
  return null;
}

function named(step: Step | undefined): string {
  if (step === undefined) return "nothing";
  return step.kind === "refused" ? `refused ${step.reason}` : step.kind;
}
