// The load: wrk for throughput, and connections that stay open and silent.
// Invariant: a figure counts only when every answer was a 200 and no connection broke.

import { join } from "node:path";
import { OPEN_FILES, start, stop } from "./processes.mjs";
import { node, openLoop, ROOT, Unavailable, wrk } from "./tools.mjs";

export const CONNECTIONS = 64;
export const IDLE_CONNECTIONS = 10_000;
const FILES_BESIDE = 256; // what a process has open apart from them

/**
 * Requests answered in so many seconds, over keep-alive connections: GET `path` with so many fields more than Host,
 * unless `script`, one of peers/ for wrk, says otherwise. That of pipelining is asked by `pipelined`, at a time.
 */
export async function runLoad(port, load, core) {
  const { seconds, path = "/", connections = CONNECTIONS, fields = 0, pipelined = 1 } = load;
  const script = pipelined > 1 ? "pipelined.lua" : (load.script ?? null);
  const tool = wrk();
  const what = script === null ? [] : ["-s", join(ROOT, "bench/peers", script)];
  for (let i = 1; i <= fields; i++) what.push("-H", `X-Field-${i}: a value of some length`);
  const parameters = ["-t1", `-c${connections}`, `-d${seconds}s`, ...what, `http://127.0.0.1:${port}${path}`];
  const running = start([tool.command, ...parameters], { core, env: { ...tool.env, PIPELINED: String(pipelined) } });
  const how = await running.ended;
  const text = running.output();
  const done = /(\d+) requests in ([\d.]+)(ms|s|m),/.exec(text);
  if (done === null) throw new Error(`wrk failed (${how}): ${text.split("\n").at(-1)}`);

  const refused = /^\s*(Non-2xx or 3xx responses: \d+|Socket errors: .*)$/m.exec(text);
  if (refused !== null) throw new Error(`not every request was answered properly: ${refused[1]}`);
  const requests = Number(done[1]);
  return { requests, requestsPerSecond: Number(/^Requests\/sec:\s*([\d.]+)/m.exec(text)[1]) };
}

/** Requests at a fixed rate, each answer measured from when its request was due; the result is openloop's. */
export async function runAtRate(port, { rate, seconds, connections = CONNECTIONS }, core) {
  const tool = openLoop();
  const running = start([tool.command, ...[port, rate, seconds, connections].map(String)], { core });
  const how = await running.ended;
  if (how !== "exit code 0") throw new Error(`the load failed (${how}): ${running.output()}`);
  return JSON.parse(running.output());
}

/** Lines that an echo server sent back in so many seconds; `mode` and the result are those of peers/lines.mjs. */
export function runLines(port, { mode, connections, bytes, seconds }, core) {
  return runProgram("lines.mjs", [port, mode, connections, bytes, seconds], core);
}

/** Bodies of `bytes` in one direction; the result is that of peers/transfer.mjs. */
export function runTransfers(port, { mode, path, connections, bytes, seconds }, core) {
  return runProgram("transfer.mjs", [port, mode, path, bytes, connections, seconds], core);
}

/** Messages to a websocket echo and back; the result is that of peers/websocket.mjs. */
export function runMessages(port, { connections, bytes, messages }, core) {
  return runProgram("websocket.mjs", [port, connections, bytes, messages], core);
}

/** Runs a load of bench/peers to its end; resolves with the JSON that it prints. */
export async function runProgram(name, parameters, core) {
  const program = join(ROOT, "bench/peers", name);
  const load = start([node().command, program, ...parameters].map(String), { core });
  const how = await load.ended;
  if (how !== "exit code 0") throw new Error(`the load failed (${how}): ${load.output()}`);
  return JSON.parse(load.output());
}

/** Opens idle keep-alive connections from a process of their own; resolves when all have had one answer. */
export async function openIdle(port, count, core) {
  if (count + FILES_BESIDE > OPEN_FILES) {
    throw new Unavailable(`${count} connections need more open files than "ulimit -Hn" allows here: ${OPEN_FILES}`);
  }
  const program = join(ROOT, "bench/peers/idle.mjs");
  const holder = start([node().command, program, String(port), String(count)], { core, ipc: true });
  const message = () =>
    Promise.race([
      new Promise((resolve) => {
        holder.child.once("message", resolve);
      }),
      holder.ended.then((how) => ({ problem: `the helper ended: ${how}; ${holder.output()}` })),
    ]);
  const opened = await message();
  if (opened.problem) {
    await stop(holder);
    throw new Error(`idle connections: ${opened.problem}`);
  }
  return {
    /** Throws when the server has closed any of them. */
    async verify() {
      const answer = message();
      holder.child.send("count");
      const { open, problem } = await answer;
      if (open !== count) throw new Error(problem ?? `the server closed ${count - open} of ${count} idle connections`);
    },
    async close() {
      if (holder.how === null) holder.child.send("close");
      await holder.ended;
    },
  };
}
