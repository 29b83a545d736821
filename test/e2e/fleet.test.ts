// Three hosts behind HAProxy, as deploy/haproxy.cfg has it: a rolling upgrade loses nothing, and a host that dies costs
// nothing that may be asked for again. `make fleet` is the long run, with machines and a network (docs/fleet.md).
import { spawnSync } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";

import { Clients, type Kind } from "../losses/clients.js";
import { HAProxy } from "../losses/haproxy.js";
import { Versioned } from "../losses/server.js";
import { adminOf } from "./suites/inspect.js";
import { processTree } from "./support/processes.js";
import { eventually, NODE, run, type Server } from "./support/ways.js";

const KINDS: readonly Kind[] = [
  { name: "fresh", target: "/", kept: false, pauseMs: 20 },
  { name: "kept", target: "/", kept: true, pauseMs: 10 },
  { name: "handler", target: "/slow?ms=300", kept: true, pauseMs: 0 },
  { name: "post", method: "POST", target: "/", kept: true, pauseMs: 20 },
];

test.runIf(spawnSync("haproxy", ["-v"]).error === undefined)("three hosts behind HAProxy", async () => {
  const app = new Versioned();
  onTestFinished(() => app.remove());
  const hosts = await Promise.all([1, 2, 3].map(() => app.serve(NODE, ["--reloadable", "--inspect=0"])));
  onTestFinished(async () => void (await Promise.all(hosts.map((host) => host.stop()))));
  const haproxy = await HAProxy.start(await Promise.all(hosts.map(placeOf)));
  onTestFinished(() => haproxy.stop());
  const clients = new Clients(haproxy.port);
  for (const kind of KINDS) clients.add(kind, 4);
  for (const [index, host] of hosts.entries()) {
    app.edit(`"${index + 1}"`);
    expect(await run(["reload", String(host.pid)])).toMatchObject({ code: 0 });
    await eventually("it serves its new version", () => clients.bodies.has(String(index + 1)));
  }
  expect(clients.lost).toEqual([]);

  for (const { pid } of processTree(hosts[0].pid)) process.kill(pid, "SIGKILL");
  await hosts[0].exited;
  const before = clients.answered.get("handler")!;
  await eventually("clients of the others are served", () => clients.answered.get("handler")! >= before + 8);
  await clients.end();
  // HAProxy sends no POST twice, for it may have had its effect.
  expect(clients.lost.filter(({ kind }) => kind !== "post")).toEqual([]);
});

async function placeOf(host: Server): Promise<{ address: string; port: number; adminPort: number }> {
  const { url } = await adminOf(host);
  return { address: "127.0.0.1", port: host.port, adminPort: Number(new URL(url).port) };
}
