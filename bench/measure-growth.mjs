// Takes the figures of rows that ask for memory after few and after many requests: what a server keeps of each shows
// there.

import { runLoad } from "./load.mjs";
import { LOAD_CORE, SERVER_CORE } from "./machine.mjs";
import { memoryBytes } from "./processes.mjs";
import { interleave } from "./rounds.mjs";
import { startServer } from "./servers.mjs";

const FIRST_SECONDS = 1;
const SLICE_SECONDS = 5;

/** `load` of a contender is runLoad's, `requests` how many are sent at least. Once, whatever the rounds. */
export async function growthRow(contenders, { progress }, { requests }) {
  await interleave(contenders, 1, async (contender, label) => {
    const running = await startServer(contender.server, SERVER_CORE);
    try {
      const first = await runLoad(running.port, { ...contender.load, seconds: FIRST_SECONDS }, LOAD_CORE);
      const few = memoryBytes(running.pid).rss;
      let sent = first.requests;
      while (sent < requests) {
        sent += (await runLoad(running.port, { ...contender.load, seconds: SLICE_SECONDS }, LOAD_CORE)).requests;
      }
      const many = memoryBytes(running.pid).rss;
      contender.samples.push({ few, many, firstRequests: first.requests, requests: sent, growth: many / few });
      progress(`${label}: ${few} bytes after ${first.requests} requests, ${many} after ${sent}`);
    } finally {
      await running.stop();
    }
  });
}
