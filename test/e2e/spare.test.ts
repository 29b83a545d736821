// The spare process of the command's workers: it waits without the application, and is the next worker that is needed.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { isAlive, type ProcessId, sparesOf, workersOf } from "./support/processes.js";
import { eventually, NODE, run, type Server, start } from "./support/ways.js";

/** It says where it is loaded, and who answers. */
const APP = `
import { taskId } from "waterspout";
process.stderr.write(\`loaded in \${process.pid}\\n\`);
export default (request) => request.respond(200, { "Content-Type": "text/plain" }, \`\${taskId()} \${process.pid}\`);
`;

let folder: string;
let file: string;
let server: Server;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "waterspout-spare-"));
  file = path.join(folder, "app.mjs");
  writeFileSync(file, APP.replace('"waterspout"', JSON.stringify(path.resolve("dist/host/index.js"))));
  server = await serve("--workers", "2", "--reloadable");
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

const serve = (...args: string[]): Promise<Server> => start(NODE, file, [...args, "--access-log", "off"]);

/** The spare process that waits, once it is none of `before`. */
async function spareBeside(...before: ProcessId[]): Promise<ProcessId> {
  const known = before.map(({ pid }) => pid);
  const find = (): ProcessId | undefined => sparesOf(server.pid).find(({ pid }) => !known.includes(pid));
  await eventually("a spare process waits", () => find() !== undefined);
  expect(sparesOf(server.pid)).toHaveLength(1);
  return find()!;
}

/** By the task ids of all workers: which process answers. */
async function answering(): Promise<Map<string, number>> {
  const answers = await Promise.all(Array.from({ length: 30 }, () => server.get("/")));
  return new Map(
    answers.map(({ body }) => body.toString().split(" ") as [string, string]).map(([id, pid]) => [id, +pid]),
  );
}

test("it serves in the place of a worker that dies, with its number, and another one waits", async () => {
  const spare = await spareBeside();
  expect(server.output.stderr).not.toContain(`loaded in ${spare.pid}\n`);
  const [[id, victim]] = await answering();
  process.kill(victim, "SIGKILL");
  await server.complaint(new RegExp(`^waterspout: warning: worker process ${id} has ended by SIGKILL; it is started`));
  await eventually("it serves", async () => (await answering()).get(id) === spare.pid);
  await spareBeside(spare);
});

test("one that ends while it waits is started again", async () => {
  const spare = await spareBeside();
  process.kill(spare.pid, "SIGKILL");
  await server.complaint(/^waterspout: warning: the spare process has ended by SIGKILL; it is started again/);
  await spareBeside(spare);
});

test("a reload ends it; the new version has its own", async () => {
  const spare = await spareBeside();
  const workers = workersOf(server.pid);
  expect((await run(["reload", String(server.pid)])).code).toBe(0);
  await eventually("the version before has gone", () => ![spare, ...workers].some(isAlive));
  await spareBeside(spare);
  expect(workersOf(server.pid)).toHaveLength(2);
});

test("it ends when the command is killed", async () => {
  const processes = [await spareBeside(), ...workersOf(server.pid)];
  server.signal("SIGKILL");
  await server.exited;
  await eventually("none is left", () => !processes.some(isAlive));
});

test.each([[["--reloadable"]], [["--workers", "2", "--memory", "256M"]]])("there is none with %j", async (args) => {
  const without = await serve(...args);
  // Before a command says that it serves it has started all that it starts.
  expect(sparesOf(without.pid)).toEqual([]);
  await without.stop();
});
