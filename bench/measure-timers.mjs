// Takes the figures of the row "timers": what one costs while 1,000, 10,000 and 100,000 are armed, in a process of each
// contender's own.

import { join } from "node:path";
import { runProgram } from "./load.mjs";
import { SERVER_CORE } from "./machine.mjs";
import { start } from "./processes.mjs";
import { interleave } from "./rounds.mjs";
import { compiled, ROOT, tornado } from "./tools.mjs";

const BEST_OF = 5;

/** A contender's `timers`: "sandbox", "node" or "tornado". */
export async function timersRow(contenders, { rounds, progress }) {
  await interleave(contenders, rounds, async (contender, label) => {
    const sample = await measure(contender.timers);
    sample.growthPercent = (sample.pair100000 / sample.pair1000) * 100;
    contender.samples.push(sample);
    progress(
      `${label}: ${sample.pair100000.toFixed(0)} ns with 100,000 armed, ${sample.pair1000.toFixed(0)} with 1,000`,
    );
  });
}

async function measure(which) {
  if (which === "sandbox") return runProgram("timers.mjs", [compiled("timers", "minimal"), BEST_OF], SERVER_CORE);
  if (which === "node") return runProgram("timers.mjs", ["node", BEST_OF], SERVER_CORE);
  const command = [tornado().command, join(ROOT, "bench/peers/tornado_timers.py"), String(BEST_OF)];
  const program = start(command, { core: SERVER_CORE });
  const how = await program.ended;
  if (how !== "exit code 0") throw new Error(`it failed (${how}): ${program.output()}`);
  return JSON.parse(program.output());
}
