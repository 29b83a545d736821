// The option inspect in a program of one's own: when the admin server begins, what it says, and that it ends with the
// server.
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { Logger } from "../../../host/core/log.js";
import { HTTPServer } from "../../../host/server/httpserver.js";
import { serving } from "../../../host/workers/fork.js";

function logging(): { logger: Logger; url: () => string } {
  const lines: string[] = [];
  const logger: Logger = { debug() {}, info: (line) => lines.push(String(line)), warn() {}, error() {} };
  return { logger, url: () => /http:\S+/.exec(lines.join("\n"))?.[0] ?? "" };
}

async function isClosed(url: string): Promise<boolean> {
  return fetch(`${url}health/live`).then(
    () => false,
    () => true,
  );
}

function inspectedServer() {
  const { logger, url } = logging();
  const options = { runtime: "node", inspect: { port: 0 }, logger } as const;
  const server = new HTTPServer((request) => request.respond(200, {}, "hi"), options);
  onTestFinished(() => server.stop(0));
  return { server, url };
}

test("it is there while the server is, tells where by the logger, and is none of the servers that a signal stops", async () => {
  const { server, url } = inspectedServer();
  expect([server.state, server.workersServing]).toEqual(["starting", 0]);
  await server.listen(0);
  await server.listen(0);
  expect([server.state, server.workersServing]).toEqual(["serving", 2]);
  expect(await (await fetch(`${url()}health/ready`)).text()).toBe("ready\n");
  expect([...serving]).toEqual([server]);
  await server.stop();
  expect(server.state).toBe("stopping");
  expect(await isClosed(url())).toBe(true);
  expect(serving.size).toBe(0);
});

test("it does not stay when the server cannot listen, and begins again with the next try", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void taken.close());
  const { server, url } = inspectedServer();
  await expect(server.listen((taken.address() as { port: number }).port)).rejects.toThrow(/in use/);
  expect(await isClosed(url())).toBe(true);
  await server.listen(0);
  expect(server.state).toBe("serving");
});

test("restarts, hot and cold connections and refusals are in server.stats()", async () => {
  const { server } = inspectedServer();
  await server.listen(0);
  const [{ port } = { port: 0 }] = server.addresses;
  await fetch(`http://127.0.0.1:${port}/`);
  const stats = await server.stats();
  expect(stats).toMatchObject({ requestsEver: 1, requestsRefused: 0, workerRestarts: 0 });
  expect(stats.connectionsHot + stats.connectionsCold).toBe(stats.connectionsNow);
  expect(stats.turnTimes.reduce((sum, count) => sum + count)).toBe(stats.turns);
  expect(Object.values(stats.refused).every((count) => count === 0)).toBe(true);
});
