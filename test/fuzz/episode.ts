// One episode over a scripted network: clients act on a connection that fails in every way, then all connections end.
//
// Invariant: after the last client is done, every connection and every handler ends within the time limits.
import { FuzzClient } from "./client.js";
import type { Random } from "./random.js";
import type { ScriptedWasi } from "./scriptedwasi.js";

const CLIENTS_MAX = 8;
const STEPS_MAX = 20_000;
/** Longer than every time limit. Then the clients that have vanished and that no limit ends are reset. */
const SOCKETS_END_MS = 700_000;
const END_MS = SOCKETS_END_MS + 100_000;

/** The server under test. */
export interface Served {
  readonly wasi: ScriptedWasi;
  /** What happens outside of the module between two turns; `isDraining`: the clients are done. */
  step(isDraining: boolean): Promise<void>;
  /** Handlers that have not returned. */
  busy(): number;
  /** What a client sends first, such as the header of a proxy in front of it. Default: nothing. */
  preamble?(): Buffer;
}

/** Lets `ms` pass and runs a turn of the module; returns how long the next turn may wait. */
export function turn(wasi: ScriptedWasi, ms: number): number {
  wasi.pass(ms);
  const restMs = wasi.turn();
  if (restMs < 0) throw new Error("it has ended");
  return restMs;
}

/** Plays an episode to its end. Returns its clients; `firstId` and those behind it number them. */
export async function play(
  served: Served,
  random: Random,
  targets: readonly string[],
  firstId: number,
): Promise<FuzzClient[]> {
  const { wasi } = served;
  wasi.faults.short = random.pick([0, 2, 5]);
  wasi.faults.again = random.pick([0, 3, 10]);
  wasi.faults.full = random.pick([0, 0, 20]);
  const clients = Array.from({ length: 1 + random.below(CLIENTS_MAX) }, (_, index) => {
    return new FuzzClient(firstId + index, wasi.connect(), random, targets, served.preamble?.());
  });
  for (let steps = 0; clients.some(({ done }) => !done); steps++) {
    if (steps > STEPS_MAX) throw new Error("clients do not come to an end");
    random.pick(clients).step();
    if (!random.once(3)) turn(wasi, random.once(4) ? random.below(50) : 0);
    await served.step(false);
  }
  wasi.faults.full = 0;
  await drain(served, clients);
  return clients;
}

async function drain(served: Served, clients: readonly FuzzClient[]): Promise<void> {
  const { wasi } = served;
  for (let passedMs = 0; wasi.wires.size + wasi.queue.length + served.busy() > 0; ) {
    for (const client of clients) client.check();
    const ms = Math.min(1000, Math.max(1, turn(wasi, 0)));
    wasi.pass(ms);
    passedMs += ms;
    await served.step(true);
    // A websocket that is not pinged, and a handler that waits for its client to leave, have no limit while the client
    // is only silent.
    if (passedMs > SOCKETS_END_MS) {
      for (const client of clients) if (client.maySocket || served.busy() > 0) client.reset();
    }
    if (passedMs > END_MS) {
      throw new Error(`${wasi.wires.size} connections and ${served.busy()} handlers do not end`);
    }
  }
}
