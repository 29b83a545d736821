// Takes the figures of the rows that send large bodies, or websocket messages.

import { performance } from "node:perf_hooks";
import { CONNECTIONS, runMessages, runTransfers } from "./load.mjs";
import { LOAD_CORE, SERVER_CORE } from "./machine.mjs";
import { cpuSeconds } from "./processes.mjs";
import { interleave } from "./rounds.mjs";
import { startServer } from "./servers.mjs";

const MB = 1e6;
const WARM_UP_SECONDS = 1;
const SMALL_PATH = "/download/1m"; // the warm-up takes the small bodies, also before large ones
const SMALL_BYTES = 2 ** 20;
const WARM_UP_PART = 20; // of the messages

export async function transfersRow(contenders, { rounds, seconds, progress }, { mode, path, bytes, connections }) {
  const transfers = { mode, path, bytes, connections };
  await interleave(contenders, rounds, async (contender, label) => {
    const running = await startServer(contender.server, SERVER_CORE);
    try {
      const warmUp = {
        ...transfers,
        path: mode === "upload" ? path : SMALL_PATH,
        bytes: SMALL_BYTES,
        seconds: WARM_UP_SECONDS,
      };
      await runTransfers(running.port, warmUp, LOAD_CORE);
      const { load, cpu, busy } = await costOf(running, () =>
        runTransfers(running.port, { ...transfers, seconds }, LOAD_CORE),
      );
      const megabytes = load.bytes / MB;
      const sample = {
        megabytesPerSecond: megabytes / load.seconds,
        cpuMicrosPerMegabyte: (cpu / megabytes) * 1e6,
        busy,
        loadBusy: load.busy,
      };
      contender.samples.push(sample);
      progress(`${label}: ${Math.round(sample.megabytesPerSecond).toLocaleString("en")} MB/s`);
    } finally {
      await running.stop();
    }
  });
}

export async function websocketRow(contenders, { rounds, progress }, { bytes, messages }) {
  await interleave(contenders, rounds, async (contender, label) => {
    const running = await startServer(contender.server, SERVER_CORE);
    try {
      const warmUp = { bytes, connections: CONNECTIONS, messages: messages / WARM_UP_PART };
      await runMessages(running.port, warmUp, LOAD_CORE);
      const { load, cpu, busy } = await costOf(running, () =>
        runMessages(running.port, { bytes, messages, connections: CONNECTIONS }, LOAD_CORE),
      );
      const { perSecond, p50Micros, p99Micros } = load;
      const cpuMicros = (cpu / load.count) * 1e6;
      contender.samples.push({ perSecond, cpuMicros, busy, loadBusy: load.busy, p50Micros, p99Micros });
      progress(
        `${label}: ${Math.round(perSecond).toLocaleString("en")} messages/s, ${cpuMicros.toFixed(1)} µs of CPU each`,
      );
    } finally {
      await running.stop();
    }
  });
}

/** What a load costs the server: `cpu` seconds of all its processes, `busy` cores. */
async function costOf({ pid }, load) {
  const before = cpuSeconds(pid);
  const startedAt = performance.now();
  const result = await load();
  const elapsed = (performance.now() - startedAt) / 1000;
  const after = cpuSeconds(pid);
  const cpu = after.main + after.children - before.main - before.children;
  return { load: result, cpu, busy: cpu / elapsed };
}
