/** Clients that send requests and read no answer: the server has to stop reading, or end them. */
import { Connection } from "./connection.js";
import { type Attack, atOnce, type Kinds, shown } from "./finding.js";
import { pour, sizeOf } from "./limits.js";

/** More answers than this were not in the kernels, but in the server. */
const KERNEL_BYTES_MAX = 24 << 20;
const METHODS = ["GET", "HEAD", "OPTIONS"] as const;

export const readers: Kinds = {
  count: () => METHODS.length,
  run: (attack) => atOnce(METHODS, attack.connections, (method) => stall(attack, method)),
};

/** Requests without end, of which no answer is read. */
async function stall(attack: Attack, method: string): Promise<void> {
  const { target, patienceMs } = attack;
  const request = `${method} ${target.path} HTTP/1.1\r\nHost: ${target.host}\r\n\r\n`;
  const connection = await Connection.open(target, false);
  const began = performance.now();
  const { taken, isStuck } = await pour(connection, request, () => false);
  if (isStuck) await connection.until(() => false, patienceMs);
  else {
    // A server that has closed may have read on to throw it away: then its end lies behind the answers in the kernel.
    connection.resume();
    await connection.until(() => connection.size > KERNEL_BYTES_MAX, target.answerMs);
  }
  const { isClosed, closedAt } = connection;
  connection.destroy();
  const how = isClosed ? `closed after ${((closedAt - began) / 1000).toFixed(1)} s` : isStuck ? "not read on" : "read";
  attack.found({
    name: `${method} again and again, no answer read`,
    sent: shown(request),
    came: `${how}, after ${sizeOf(taken)} of requests`,
    wants: `no more requests taken than answers go out, and an end within ${patienceMs / 1000} s`,
    verdict: isClosed ? "pass" : isStuck ? "note" : "fail",
  });
}
