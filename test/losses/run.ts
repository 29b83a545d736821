// `make losses`: what clients lose while a server is reloaded and while its workers are killed, a long time. The short
// form is in test/e2e/reload.test.ts and test/e2e/workers.test.ts.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { eventually, NODE, run, type Server, WASMTIME, type Way } from "../e2e/support/ways.js";
import { Clients, KINDS } from "./clients.js";
import { killOne, lossesOfOthers } from "./kills.js";
import { Versioned } from "./server.js";

const HELP = `node --import tsx test/losses/run.ts [--reloads 100] [--kills 100] [--runtime node|wasmtime]

${KINDS.map(({ name, many }) => `${many} ${name}`).join(", ")}: clients that ask all the time, while a server of two workers is
reloaded, and while its workers are killed, one after the other. Status 1: something was lost that need not be.
`;

const { values } = parseArgs({
  options: {
    reloads: { type: "string", default: "100" },
    kills: { type: "string", default: "100" },
    runtime: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

/** Serves, runs `work` with all clients at work, and prints what it says of them. */
async function underLoad(way: Way, work: (server: Server, clients: Clients, app: Versioned) => Promise<string>) {
  const app = new Versioned();
  const server = await app.serve(way, ["--workers", "2", "--reloadable"]);
  const clients = new Clients(server.port);
  try {
    for (const kind of KINDS) clients.add(kind, kind.many);
    await eventually("each kind is served", () => clients.answered.size === KINDS.length);
    const text = await work(server, clients, app);
    await clients.end();
    const answered = KINDS.map(({ name }) => `${name} ${clients.answered.get(name)}`).join(", ");
    console.log(`${way.name}: ${text}; answered: ${answered}`);
    return clients;
  } finally {
    await server.stop().catch((error: Error) => console.error(`${way.name}: ${error.message}`));
    app.remove();
  }
}

function middle(times: number[]): string {
  const sorted = times.toSorted((one, other) => one - other).map(Math.round);
  return `${sorted[sorted.length >> 1]} ms in the middle, ${sorted.at(-1)} ms at most`;
}

/** Returns how much was lost. */
async function reloads(way: Way, many: number): Promise<number> {
  const times: number[] = [];
  const { lost } = await underLoad(way, async (server, clients, app) => {
    for (let version = 1; version <= many; version++) {
      app.edit(`"${version % 10}"`);
      const begun = performance.now();
      const { code, stderr } = await run(["reload", String(server.pid)]);
      if (code !== 0) throw new Error(`reload ${version}: ${stderr}`);
      times.push(performance.now() - begun);
      await eventually(`version ${version}`, () => clients.bodies.has(String(version % 10)));
    }
    return `${many} reloads, ${middle(times)}`;
  });
  for (const kind of KINDS)
    console.log(`  ${kind.name}: ${lost.filter((loss) => loss.kind === kind.name).length} lost`);
  for (const loss of lost.slice(0, 20)) console.log(`  ${JSON.stringify(loss)}`);
  return lost.length;
}

/** Returns how much was lost of clients of other workers, and of those that connected. */
async function kills(way: Way, many: number): Promise<number> {
  const times: number[] = [];
  const cut = new Set<number>();
  const { lost } = await underLoad(way, async (server) => {
    for (let i = 0; i < many; i++) {
      times.push(await killOne(server, cut));
      await sleep(600); // a worker that is killed sooner is held to be in a loop
    }
    return `${many} kills, served again after ${middle(times)}`;
  });
  const others = lossesOfOthers(lost, cut);
  console.log(`  lost with a killed worker: ${lost.length - others.length}; otherwise: ${others.length}`);
  for (const loss of others.slice(0, 20)) console.log(`  ${JSON.stringify(loss)}`);
  return others.length;
}

let lost = 0;
for (const way of [NODE, WASMTIME].filter(({ name }) => name === (values.runtime ?? name))) {
  if (Number(values.reloads) > 0) lost += await reloads(way, Number(values.reloads));
  if (Number(values.kills) > 0) lost += await kills(way, Number(values.kills));
}
process.exitCode = lost === 0 ? 0 : 1;
