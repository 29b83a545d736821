// What can be wrong, in words for the client, and what an error of the database means for who has asked.
//
// Reference: PostgreSQL's error codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
import { HTTPError } from "waterspout";

/** Ends a request with a status and a sentence that its client gets. Nothing is logged. */
export class Problem extends HTTPError {
  readonly sentence: string;

  constructor(status: number, sentence: string, headers: Record<string, string> = {}) {
    super(status, { headers });
    this.sentence = sentence;
  }
}

/** For what is over soon. */
export function unavailable(sentence: string): Problem {
  return new Problem(503, sentence, { "Retry-After": "1" });
}

/** The database did not answer; whether it has done what was asked is not known. */
const LOST = /^(08|28|3D|53|57P|58|42P01|25006)/;
/** It had no time: a timeout, a lock, a conflict of transactions. */
const BUSY = /^(57014|55P03|40)/;
/** It cannot store such a value: a character that its encoding does not have, for example. */
const VALUE = /^22/;
const DUPLICATE = "23505";

/**
 * Whether the error is about the database as a whole. Errors of the server have a severity, those of a connection have
 * none.
 */
export function isLost(error: unknown): error is Error {
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof Problem) return false;
  return !("severity" in error) || LOST.test(sqlState(error));
}

/** What the client gets; an unforeseen error comes back as it is, and is a 500. */
export function problemOf(error: unknown): unknown {
  if (isLost(error)) return unavailable("the database is not available");
  const state = sqlState(error);
  if (BUSY.test(state)) return unavailable("the database is busy");
  if (state === DUPLICATE) return new Problem(409, "there is a user with this name already");
  if (VALUE.test(state)) return new Problem(400, "the database cannot store this");
  return error;
}

function sqlState(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}
