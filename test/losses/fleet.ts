// `make fleet`: what clients of HAProxy lose while the three hosts behind it are upgraded, killed and cut off, one after
// the other. docs/fleet.md has its figures; a short form of the upgrade is in test/e2e/fleet.test.ts.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { processTree } from "../e2e/support/processes.js";
import { eventually, NODE, run, type Server, WASMTIME, type Way } from "../e2e/support/ways.js";
import { Clients, KINDS, type Kind, type Loss } from "./clients.js";
import { HAProxy } from "./haproxy.js";
import { Machine, makeBridge } from "./machines.js";
import { Versioned } from "./server.js";

const HELP = `make fleet ARGS="[--rounds 3] [--runtime node|wasmtime] [--cut-seconds 10]"

Clients that ask all the time, HAProxy with deploy/haproxy.cfg, and three hosts in network namespaces. In each round each
host is reloaded; is stopped and started again; loses all its processes at once; is cut off from the network. Status 1:
something was lost that a retry could save.
`;
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    runtime: { type: "string" },
    "cut-seconds": { type: "string", default: "10" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const HOSTS = 3;
const PORT = 8881;
const ADMIN_PORT = 9881;
/** More than HAProxy needs to learn that a host is back, and than TCP waits until it sends something lost again. */
const BACK_MS_MAX = 60_000;
/** HAProxy does not send these again: they may have had their effect. */
const POSTS: Kind & { many: number } = { name: "post", method: "POST", target: "/", kept: true, pauseMs: 20, many: 20 };
const DOWNLOADS = KINDS.find(({ readEveryMs }) => readEveryMs !== undefined)!;
const ALL = [...KINDS, POSTS];
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** A machine, and what serves on it. Its answers are a letter that no other host has. */
class Host {
  #server: Server | null = null;
  #letter = "";

  constructor(
    readonly machine: Machine,
    readonly way: Way,
    readonly app: Versioned,
    readonly nextLetter: () => string,
  ) {}

  async start(): Promise<void> {
    this.#edit();
    const places = ["--address", "0.0.0.0", "--port", String(PORT)];
    const admin = [`--inspect=${ADMIN_PORT}`, "--inspect-address", "0.0.0.0"];
    const { wrap } = this.machine;
    this.#server = await this.app.serve(this.way, ["--reloadable", ...places, ...admin], { wrap });
  }

  /** Stops in order. */
  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = null;
  }

  async kill(): Promise<void> {
    const server = this.#server!;
    for (const { pid } of processTree(server.pid)) process.kill(pid, "SIGKILL");
    await server.exited;
    await this.stop();
  }

  async reload(): Promise<void> {
    this.#edit();
    const { code, stderr } = await run(["reload", String(this.#server!.pid)]);
    if (code !== 0) throw new Error(stderr);
  }

  /** Resolves when clients get answers of it, from now on. */
  async answers({ bodies }: Clients): Promise<void> {
    const before = bodies.get(this.#letter) ?? 0;
    await eventually("the host answers", () => (bodies.get(this.#letter) ?? 0) > before, BACK_MS_MAX);
  }

  #edit(): void {
    this.#letter = this.nextLetter();
    this.app.edit(`"${this.#letter}"`);
  }
}

interface Step {
  readonly name: string;
  /** The kinds of clients that no retry of HAProxy can help: their answer has begun, or they may not be sent twice. */
  readonly loses: readonly Kind[];
  act(host: Host): Promise<void>;
}

const STEPS: readonly Step[] = [
  { name: "reloaded", loses: [], act: (host) => host.reload() },
  { name: "stopped and started again", loses: [POSTS], act: (host) => host.stop().then(() => host.start()) },
  { name: "killed and started again", loses: [DOWNLOADS, POSTS], act: (host) => host.kill().then(() => host.start()) },
  {
    name: `cut off for ${values["cut-seconds"]} s`,
    loses: [DOWNLOADS, POSTS],
    async act({ machine }) {
      machine.cut();
      await sleep(Number(values["cut-seconds"]) * 1000);
      machine.join();
    },
  },
];

/** Returns how much was lost that need not be. */
async function underLoad(step: Step, hosts: readonly Host[], port: number): Promise<number> {
  const clients = new Clients(port);
  for (const kind of ALL) clients.add(kind, kind.many);
  await eventually("each kind is served", () => clients.answered.size === ALL.length);
  const begun = performance.now();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const host of hosts) {
      await step.act(host);
      await host.answers(clients);
    }
  }
  const seconds = Math.round((performance.now() - begun) / 1000);
  await clients.end();
  const { lost, answered } = clients;
  const kinds = ALL.map(({ name }) => {
    const many = lost.filter(({ kind }) => kind === name).length;
    return `${name} ${answered.get(name)}${many === 0 ? "" : `, lost ${many}`}`;
  });
  console.log(`${hosts[0].way.name}: ${step.name}, ${values.rounds} x ${HOSTS} in ${seconds} s: ${kinds.join("; ")}`);
  for (const [why, many] of reasonsOf(lost)) console.log(`  ${many} x ${why}`);
  return lost.filter(({ kind }) => !step.loses.some(({ name }) => name === kind)).length;
}

function reasonsOf(lost: readonly Loss[]): Map<string, number> {
  const reasons = new Map<string, number>();
  for (const { kind, why } of lost) {
    const reason = `${kind}: ${why.replace(/\d{4,} bytes.*/s, "… bytes")}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return reasons;
}

/** Returns how much was lost that need not be. */
async function fleet(way: Way, machines: readonly Machine[]): Promise<number> {
  const app = new Versioned();
  let letters = 0;
  const nextLetter = (): string => LETTERS[letters++ % LETTERS.length];
  const hosts = machines.map((machine) => new Host(machine, way, app, nextLetter));
  const places = machines.map(({ address }) => ({ address, port: PORT, adminPort: ADMIN_PORT }));
  let haproxy: HAProxy | null = null;
  let lost = 0;
  try {
    for (const host of hosts) await host.start();
    haproxy = await HAProxy.start(places);
    for (const step of STEPS) lost += await underLoad(step, hosts, haproxy.port);
  } finally {
    for (const host of hosts) await host.stop().catch((error: Error) => console.error(error.message));
    await haproxy?.stop();
    app.remove();
  }
  return lost;
}

makeBridge();
const machines: Machine[] = [];
for (let number = 1; number <= HOSTS; number++) machines.push(await Machine.start(number));
let lost = 0;
for (const way of [NODE, WASMTIME].filter(({ name }) => name === (values.runtime ?? name)))
  lost += await fleet(way, machines);
for (const machine of machines) machine.remove();
console.log(lost === 0 ? "nothing was lost that a retry could save" : `${lost} lost that a retry could have saved`);
process.exitCode = lost === 0 ? 0 : 1;
