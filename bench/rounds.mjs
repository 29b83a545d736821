// How the contenders of a row take turns.
// Invariant: they do so round by round and in alternating order, so that what disturbs the machine disturbs them alike.
// A contender that fails is out for the rest of its row; the others go on.

import { SERVER_CORE } from "./machine.mjs";
import { Unavailable } from "./tools.mjs";

/** Where a contender's server runs. */
export function serverCore({ anyCore }) {
  return anyCore ? null : SERVER_CORE;
}

/** Calls `take` for each contender that is still in, in each round. */
export async function interleave(contenders, rounds, take) {
  for (let round = 1; round <= rounds; round++) {
    const order = round % 2 === 1 ? contenders : contenders.toReversed();
    for (const contender of order) {
      if (contender.problem !== null) continue;
      await guard(contender, () => take(contender, `round ${round}/${rounds}  ${contender.title}`));
    }
  }
}

/** A failure is the contender's, not the bench's. */
export async function guard(contender, action) {
  try {
    await action();
  } catch (error) {
    contender.problem = error.message;
    contender.unavailable = error instanceof Unavailable;
  }
}

/** What fails here takes all of them out. */
export async function guardAll(contenders, action) {
  const [first] = contenders;
  await guard(first, action);
  if (first.problem === null) return;
  for (const other of contenders) Object.assign(other, { problem: first.problem, unavailable: first.unavailable });
}

export async function stopServers(servers, contenders) {
  for (const server of servers) {
    const users = contenders.filter((contender) => contender.running === server);
    await guard(users[0], () => server.stop());
  }
}
