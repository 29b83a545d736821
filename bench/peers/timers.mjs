// What a timer costs while many are armed: in the sandbox's loop, run by Node, or of Node's own.
// Usage: node bench/peers/timers.mjs TIMERS.WASM|node ROUNDS
// It prints one line of JSON: for 1,000, 10,000 and 100,000 armed ones the nanoseconds of arming one and removing it
// again (pair1000, …), and those of arming one that is due and running it (fire1000, …). The best of ROUNDS counts: it
// was disturbed least.

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

const ARMED = [1000, 10_000, 100_000];
const TIMES = 10_000;
const DELAY_MS_MIN = 1_000_000; // none of those that are only there fires meanwhile

const [which, rounds] = process.argv.slice(2);

const nanos = async (work) => {
  const began = performance.now();
  await work();
  return ((performance.now() - began) * 1e6) / TIMES;
};

/** Functions that arm `count` more, arm one and remove it `times` times, and arm `count` that are due and run them. */
function sandbox() {
  let memory = null;
  const imports = {
    clock_time_get(_clock, _precision, at) {
      new DataView(memory.buffer).setBigUint64(at, process.hrtime.bigint(), true);
      return 0;
    },
    poll_oneoff(_subscriptions, _events, _count, at) {
      new DataView(memory.buffer).setUint32(at, 0, true);
      return 0;
    },
    fd_fdstat_get: () => 8, // there are no descriptors
  };
  const module = new WebAssembly.Module(readFileSync(which));
  const wanted = WebAssembly.Module.imports(module).map(({ name }) => [name, imports[name] ?? (() => 8)]);
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: Object.fromEntries(wanted) });
  memory = exports.memory;
  exports._initialize?.();
  exports.turn(0);
  return {
    arm: exports.arm,
    churn: exports.churn,
    fire(count) {
      const before = exports.fired();
      exports.due(count);
      while (exports.fired() - before < count) exports.turn(0);
    },
  };
}

function nodeTimers() {
  const delay = () => DELAY_MS_MIN + Math.floor(Math.random() * DELAY_MS_MIN);
  return {
    arm(count) {
      for (; count > 0; count--) setTimeout(() => {}, delay()).unref();
    },
    churn(times) {
      for (; times > 0; times--) clearTimeout(setTimeout(() => {}, delay()));
    },
    fire(count) {
      return new Promise((resolve) => {
        let left = count;
        for (let index = 0; index < count; index++) {
          setTimeout(() => {
            if (--left === 0) resolve();
          }, 1);
        }
      });
    },
  };
}

const timers = which === "node" ? nodeTimers() : sandbox();
const result = {};
let armed = 0;
for (const count of ARMED) {
  timers.arm(count - armed);
  armed = count;
  let pair = Infinity;
  let fire = Infinity;
  for (let round = 0; round < Number(rounds); round++) {
    pair = Math.min(pair, await nanos(() => timers.churn(TIMES)));
    fire = Math.min(fire, await nanos(() => timers.fire(TIMES)));
  }
  result[`pair${count}`] = pair;
  result[`fire${count}`] = fire;
}
process.stdout.write(`${JSON.stringify(result)}\n`);
