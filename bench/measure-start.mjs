// Takes the figures of the row that starts servers: how long it takes until the first byte of an answer comes.
// Invariant: the clock runs from the call that starts the process, so the programs that pin it count for all alike.

import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { SERVER_CORE } from "./machine.mjs";
import { start, stop } from "./processes.mjs";
import { median } from "./report.mjs";
import { interleave } from "./rounds.mjs";
import { freePort, startServer } from "./servers.mjs";

const STARTS_PER_ROUND = 7;
const FIRST_BYTE_MS = 10_000;
/** Between two attempts to connect. */
const RETRY_MS = 1;

export async function startRow(contenders, { rounds, progress }) {
  await interleave(contenders, rounds, async (contender, label) => {
    const checked = await startServer(contender.server, SERVER_CORE); // its answer, and all files are in memory
    await checked.stop();
    const each = [];
    for (let i = 0; i < STARTS_PER_ROUND; i++) each.push(await timeOfStart(contender.server));
    const milliseconds = median(each);
    contender.samples.push({ milliseconds, slowest: Math.max(...each) });
    progress(`${label}: ${milliseconds.toFixed(1)} ms`);
  });
}

async function timeOfStart(server) {
  const port = await freePort();
  const { command, env } = server.launch(port);
  const startedAt = performance.now();
  const started = start(command, { core: SERVER_CORE, env });
  try {
    while (!(await answers(port))) {
      if (started.how !== null) throw new Error(`it did not start: ${started.how}; ${started.output()}`);
      if (performance.now() - startedAt > FIRST_BYTE_MS) throw new Error(`no answer in ${FIRST_BYTE_MS / 1000} s`);
      await sleep(RETRY_MS);
    }
    return performance.now() - startedAt;
  } finally {
    await stop(started);
  }
}

/** Whether a byte of an answer has come; false at once where nothing listens. */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: FIRST_BYTE_MS });
    const end = (hasCome) => {
      socket.destroy();
      resolve(hasCome);
    };
    socket.on("connect", () => socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    socket.on("data", () => end(true));
    for (const event of ["error", "end", "timeout"]) socket.on(event, () => end(false));
  });
}
