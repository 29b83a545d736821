// Takes the figures of the parser rows: the head parser alone, over the same bytes, beside two others.
// Those in WebAssembly run in one process of Node; the native one runs right before or after it, on the same core.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "./load.mjs";
import { SERVER_CORE } from "./machine.mjs";
import { bufferOf } from "./peers/requests.mjs";
import { start } from "./processes.mjs";
import { interleave } from "./rounds.mjs";
import { BENCH_DIRECTORY, compiled, httparse } from "./tools.mjs";

/** A contender's `parser`: "wasm" with the `key` of peers/parser.mjs, or "httparse" with the variant of its program. */
export async function parserRow(contenders, { rounds, seconds, progress }, { request }) {
  const { bytes, requests } = bufferOf(request);
  mkdirSync(BENCH_DIRECTORY, { recursive: true });
  const file = join(BENCH_DIRECTORY, `${request}.http`);
  writeFileSync(file, bytes);
  /** What one process has measured for several contenders, by round. */
  const measured = new Map();
  await interleave(contenders, rounds, async (contender, label) => {
    const round = contender.samples.length;
    if (!measured.has(round)) measured.set(round, {});
    const known = measured.get(round);
    if (contender.parser === "httparse") {
      Object.assign(known, await runNative(file, contender.variant, seconds));
    } else if (known.waterspout === undefined) {
      Object.assign(
        known,
        (await runProgram("parser.mjs", [compiled("heads", "minimal"), request, seconds], SERVER_CORE)).perSecond,
      );
    }
    const perSecond = known[contender.variant];
    contender.samples.push({
      perSecond,
      gigabytesPerSecond: (perSecond * bytes.length) / requests / 1e9,
      nanosEach: 1e9 / perSecond,
    });
    progress(`${label}: ${(1e9 / perSecond).toFixed(1)} ns`);
  });
}

async function runNative(file, variant, seconds) {
  const native = start([httparse().command, file, variant, seconds].map(String), { core: SERVER_CORE });
  const how = await native.ended;
  if (how !== "exit code 0") throw new Error(`it failed (${how}): ${native.output()}`);
  return { [variant]: JSON.parse(native.output()).perSecond };
}
