// Takes the figures of one row. Those of the HTTP rows are in measure-http.mjs, those of the parser rows in
// measure-parser.mjs, those of timers in measure-timers.mjs, those of starts in measure-start.mjs, those at a fixed rate and
// of curves in measure-rates.mjs, those of memory after many requests in measure-growth.mjs.

import { statSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { withDatabase } from "./database.mjs";
import { CONNECTIONS, IDLE_CONNECTIONS, openIdle, runLines, runLoad } from "./load.mjs";
import { LOAD_CORE, SERVER_CORE } from "./machine.mjs";
import { growthRow } from "./measure-growth.mjs";
import { transfersRow, websocketRow } from "./measure-http.mjs";
import { parserRow } from "./measure-parser.mjs";
import { curveRow, latencyRow } from "./measure-rates.mjs";
import { startRow } from "./measure-start.mjs";
import { timersRow } from "./measure-timers.mjs";
import { cpuSeconds, memoryBytes } from "./processes.mjs";
import { guard, guardAll, interleave, serverCore, stopServers } from "./rounds.mjs";
import { built, startServer } from "./servers.mjs";

const WARM_UP_SECONDS = 1;
const WARM_UP_CONNECTIONS = 100; // a hundredth of what is then opened: runs every path once, hides little
const SETTLE_MS = 1000;
const LOAD_BUSY = 0.95; // of a core: beyond it the load is the bottleneck

const KINDS = {
  throughput: throughputRow,
  lines: linesRow,
  memory: memoryRow,
  size: sizeRow,
  transfers: transfersRow,
  websocket: websocketRow,
  parser: parserRow,
  timers: timersRow,
  start: startRow,
  growth: growthRow,
  latency: latencyRow,
  curve: curveRow,
};

/** Adds `samples`, or a `problem`, to each contender of the row. */
export async function measureRow(row, options) {
  const contenders = Object.entries(row.contenders).map(([key, contender]) => ({
    key,
    title: contender.title ?? contender.server.title,
    product: contender.product ?? contender.server?.product ?? false,
    ...contender,
    samples: [],
    problem: null,
    unavailable: false,
  }));
  const measure = () => KINDS[row.kind](contenders, options, row);
  await (row.database === true ? guardAll(contenders, () => withDatabase(measure)) : measure());
  return { ...row, contenders };
}

async function throughputRow(contenders, { rounds, seconds, progress }, { path, script, connections }) {
  const servers = new Map(); // contenders that differ only in what is beside them share a server
  for (const contender of contenders) {
    const key = `${contender.server.title} ${contender.anyCore ?? false}`;
    await guard(contender, async () => {
      if (!servers.has(key)) servers.set(key, await startServer(contender.server, serverCore(contender)));
      contender.running = servers.get(key);
    });
  }
  try {
    await interleave(contenders, rounds, async (contender, label) => {
      const sample = await throughputSample(contender, { path, script, connections, seconds });
      contender.samples.push(sample);
      const each = sample.cpuMicros.toFixed(1);
      progress(
        `${label}: ${Math.round(sample.requestsPerSecond).toLocaleString("en")} requests/s, ${each} µs of CPU each`,
      );
    });
  } finally {
    await stopServers(servers.values(), contenders);
  }
}

async function throughputSample({ running, idle = 0, anyCore }, load) {
  const loadCore = anyCore ? null : LOAD_CORE;
  const idleConnections = idle > 0 ? await openIdle(running.port, idle, loadCore) : null;
  try {
    await runLoad(running.port, { ...load, seconds: WARM_UP_SECONDS }, loadCore);
    const cpuBefore = cpuSeconds(running.pid);
    const startedAt = performance.now();
    const { requests, requestsPerSecond } = await runLoad(running.port, load, loadCore);
    const elapsed = (performance.now() - startedAt) / 1000;
    const cpuAfter = cpuSeconds(running.pid);
    const { rss } = memoryBytes(running.pid);
    await idleConnections?.verify();

    const main = cpuAfter.main - cpuBefore.main;
    const children = cpuAfter.children - cpuBefore.children;
    return {
      requestsPerSecond,
      cpuMicros: ((main + children) / requests) * 1e6,
      mainCpuMicros: (main / requests) * 1e6,
      childCpuMicros: (children / requests) * 1e6,
      busy: (main + children) / elapsed,
      rss,
    };
  } finally {
    await idleConnections?.close();
    if (idle > 0) await sleep(SETTLE_MS); // the server closes them before the next one is measured
  }
}

async function linesRow(contenders, { rounds, seconds, progress }, { mode, bytes }) {
  await interleave(contenders, rounds, async (contender, label) => {
    const running = await startServer(contender.server, SERVER_CORE);
    try {
      const sample = await linesSample(running, { mode, bytes, seconds });
      contender.samples.push(sample);
      const held = sample.loadBusy > LOAD_BUSY ? "; the load could do no more" : "";
      progress(
        `${label}: ${Math.round(sample.perSecond).toLocaleString("en")}/s, p50 ${Math.round(sample.p50Micros)} µs${held}`,
      );
    } finally {
      await running.stop();
    }
  });
}

/** As much as goes over CONNECTIONS at a time, and then how long one takes that is alone. */
async function linesSample({ port, pid }, { mode, bytes, seconds }) {
  await runLines(port, { mode, bytes, connections: CONNECTIONS, seconds: WARM_UP_SECONDS }, LOAD_CORE);
  const before = cpuSeconds(pid);
  const startedAt = performance.now();
  const load = await runLines(port, { mode, bytes, connections: CONNECTIONS, seconds }, LOAD_CORE);
  const elapsed = (performance.now() - startedAt) / 1000;
  const after = cpuSeconds(pid);
  const alone = await runLines(port, { mode, bytes, connections: 1, seconds: WARM_UP_SECONDS }, LOAD_CORE);
  const spent = after.main + after.children - before.main - before.children;
  return {
    perSecond: load.perSecond,
    cpuMicros: (spent / load.count) * 1e6,
    busy: spent / elapsed,
    loadBusy: load.busy,
    p50Micros: load.p50Micros,
    p99Micros: load.p99Micros,
    aloneMicros: alone.p50Micros,
  };
}

async function memoryRow(contenders, { rounds, progress }, { connections = IDLE_CONNECTIONS }) {
  await interleave(contenders, rounds, async (contender, label) => {
    const running = await startServer(contender.server, serverCore(contender));
    try {
      const sample = await memorySample(running, connections);
      contender.samples.push(sample);
      progress(`${label}: ${Math.round(sample.rss).toLocaleString("en")} bytes a connection`);
    } finally {
      await running.stop();
    }
  });
}

async function memorySample({ port, pid }, count) {
  const warmUp = await openIdle(port, WARM_UP_CONNECTIONS, LOAD_CORE);
  await warmUp.close();
  await sleep(SETTLE_MS);
  const before = memoryBytes(pid);
  const connections = await openIdle(port, count, LOAD_CORE);
  try {
    await sleep(SETTLE_MS);
    const after = memoryBytes(pid);
    await connections.verify();
    const each = (kind) => (after[kind] - before[kind]) / count;
    return { rss: each("rss"), pss: each("pss"), baseRss: before.rss };
  } finally {
    await connections.close();
  }
}

async function sizeRow(contenders) {
  for (const contender of contenders) {
    await guard(contender, () => {
      const files = contender.files?.() ?? [built(contender.file)];
      contender.samples.push({ bytes: files.reduce((sum, file) => sum + statSync(file).size, 0) });
    });
  }
}
