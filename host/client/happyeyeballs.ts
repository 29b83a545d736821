/**
 * Connecting to a name that has several addresses: the families take turns, and the first connection wins.
 *
 * Invariants: one attempt of each family is in flight; the second family starts after SECOND_FAMILY_MS or when an
 * attempt of the first has failed; when one has won, or the caller gives up, all others are closed.
 * Reference: RFC 8305 5, in the form of Tornado's tcpclient.py.
 */
import type { Duplex } from "node:stream";
import { type Address, hostAndPort } from "../core/address.js";
import { ConnectError } from "../core/errors.js";
import { SECOND_FAMILY_MS } from "../core/limits.js";

/** Makes a connection to one address; ends the attempt when `signal` aborts. */
export type Connector = (address: Address, signal: AbortSignal) => Promise<Duplex>;

/**
 * Connects to the first of `addresses` that answers. Rejects with ConnectError when none does, and with the reason of
 * `signal`.
 */
export function connectToFirst(
  addresses: readonly Address[],
  connector: Connector,
  signal: AbortSignal,
): Promise<Duplex> {
  const { family } = addresses[0] as Address;
  const first = addresses.filter((address) => address.family === family);
  const second = addresses.filter((address) => address.family !== family);
  return new Promise((resolve, reject) => {
    const race = new AbortController();
    const failures: { address: Address; error: NodeJS.ErrnoException }[] = [];
    let attempts = 0;

    const settle = (): void => {
      clearTimeout(headStart);
      signal.removeEventListener("abort", giveUp);
      race.abort();
    };
    const giveUp = (): void => {
      settle();
      reject(signal.reason);
    };
    const attempt = async (queue: Address[]): Promise<void> => {
      const address = queue.shift();
      if (address === undefined || race.signal.aborted) return;
      attempts++;
      try {
        const connection = await connector(address, race.signal);
        if (race.signal.aborted) return void connection.destroy();
        settle();
        resolve(connection);
      } catch (error) {
        attempts--;
        if (race.signal.aborted) return;
        failures.push({ address, error: error as NodeJS.ErrnoException });
        void attempt(queue);
        startSecond();
        if (attempts > 0 || second.length > 0) return;
        settle();
        reject(failed(failures));
      }
    };
    let started = false;
    const startSecond = (): void => {
      if (started) return;
      started = true;
      clearTimeout(headStart);
      void attempt(second);
    };

    const headStart = setTimeout(startSecond, SECOND_FAMILY_MS);
    if (signal.aborted) return giveUp();
    signal.addEventListener("abort", giveUp);
    void attempt(first);
  });
}

function failed(failures: { address: Address; error: NodeJS.ErrnoException }[]): ConnectError {
  const first = failures[0]?.error;
  const list = failures.map(({ address, error }) => `${hostAndPort(address)} (${error.code ?? error.message})`);
  return new ConnectError(first?.code ?? "CONNECT", `cannot connect to ${list.join(", ")}`, { cause: first });
}
