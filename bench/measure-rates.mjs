// Takes the figures of rows that ask at a fixed rate, and of those that measure the same load with one number varied.

import { openIdle, runAtRate, runLoad } from "./load.mjs";
import { LOAD_CORE } from "./machine.mjs";
import { cpuSeconds } from "./processes.mjs";
import { pointName } from "./report.mjs";
import { guard, interleave, serverCore, stopServers } from "./rounds.mjs";
import { startServer } from "./servers.mjs";

const WARM_UP_SECONDS = 1;

export async function latencyRow(contenders, { rounds, seconds, progress }, { rate }) {
  await eachRunning(contenders, rounds, async (contender, label) => {
    const { port, pid } = contender.running;
    await runAtRate(port, { rate, seconds: WARM_UP_SECONDS }, LOAD_CORE);
    const { cpuMicros, result } = await cost(pid, () => runAtRate(port, { rate, seconds }, LOAD_CORE));
    contender.samples.push({ ...result, cpuMicros });
    progress(`${label}: p50 ${result.p50Micros} µs, p99 ${result.p99Micros} µs, p99.9 ${result.p999Micros} µs`);
  });
}

/** `vary` is one of runLoad's numbers, or `idle`: connections beside. A sample has a figure for each of `values`. */
export async function curveRow(contenders, { rounds, seconds, progress }, { vary, values }) {
  await eachRunning(contenders, rounds, async (contender, label) => {
    const sample = {};
    for (const value of values) {
      sample[pointName(value)] = await point(contender.running, { vary, value, seconds });
    }
    contender.samples.push(sample);
    const figures = values.map((value) => sample[pointName(value)].toFixed(1));
    progress(`${label}: ${figures.join(", ")} µs of CPU a request`);
  });
}

/** CPU µs a request. */
async function point({ port, pid }, { vary, value, seconds }) {
  const idle = vary === "idle" && value > 0 ? await openIdle(port, value, LOAD_CORE) : null;
  const load = vary === "idle" ? {} : { [vary]: value };
  try {
    await runLoad(port, { ...load, seconds: WARM_UP_SECONDS }, LOAD_CORE);
    const { cpuMicros } = await cost(pid, async () => {
      const { requests } = await runLoad(port, { ...load, seconds }, LOAD_CORE);
      return { count: requests };
    });
    await idle?.verify();
    return cpuMicros;
  } finally {
    await idle?.close();
  }
}

/** `result` of a load, which has a `count`, and the server's CPU for each of them. */
async function cost(pid, load) {
  const before = cpuSeconds(pid);
  const result = await load();
  const after = cpuSeconds(pid);
  const spent = after.main + after.children - before.main - before.children;
  return { result, cpuMicros: (spent / result.count) * 1e6 };
}

/** Servers that run through all rounds. */
async function eachRunning(contenders, rounds, take) {
  const servers = [];
  for (const contender of contenders) {
    await guard(contender, async () => {
      contender.running = await startServer(contender.server, serverCore(contender));
      servers.push(contender.running);
    });
  }
  try {
    await interleave(contenders, rounds, take);
  } finally {
    await stopServers(servers, contenders);
  }
}
