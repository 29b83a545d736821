// To import the package must be harmless: it reads no environment variable but, once, the one that switches internals
// of Node off (docs/node-internals.md), and one that is set in any way breaks nothing.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";

import { ROOT } from "./support/ways.js";

const PACKAGE = path.join(ROOT, "dist/host/index.js");
const PROGRAM = `
const read = [];
const env = process.env;
const note = (name) => String(name).startsWith("WATERSPOUT_") && read.push(name);
process.env = new Proxy(env, {
  get: (target, name) => (note(name), target[name]),
  has: (target, name) => (note(name), name in target),
});
const { taskId, bindSockets } = await import(${JSON.stringify(PACKAGE)});
const before = [...read];
const [socket] = await bindSockets(0);
console.log(JSON.stringify({ before, taskId: taskId(), port: socket.address.port > 0 }));
socket.close();
`;

test.each([
  "",
  "{",
  "null",
  "7",
  "[]",
  '{"id":0}',
  JSON.stringify({ parent: process.pid }),
  JSON.stringify({ parent: process.pid, id: "0", sockets: [] }),
  JSON.stringify({ parent: process.pid, id: 0, sockets: {} }),
])("the package is imported and binds with WATERSPOUT_TASK=%s", (task) => {
  const env = {
    ...process.env,
    WATERSPOUT_TASK: task,
    WATERSPOUT_ACCESS_LOG: "nonsense",
    WATCH_REPORT_DEPENDENCIES: "1",
  };
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", PROGRAM], { env, encoding: "utf8" });
  expect(JSON.parse(output)).toEqual({ before: ["WATERSPOUT_WITHOUT_INTERNALS"], taskId: null, port: true });
});

test("the package is imported without Node's fetch, which takes as long to load as half of the package", () => {
  const program = `await import(${JSON.stringify(PACKAGE)}); console.log(process.moduleLoadList.join("\\n"));`;
  const loaded = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(loaded).toContain("NativeModule net");
  expect(loaded).not.toMatch(/undici\/undici/);
});

test("what only the clients need is loaded with the first request", () => {
  const program = `
const loaded = () => process.moduleLoadList.includes("NativeModule https");
const { AsyncHTTPClient } = await import(${JSON.stringify(PACKAGE)});
const client = new AsyncHTTPClient();
const before = loaded();
await client.fetch("http://127.0.0.1:1/").catch(() => {});
console.log(before, loaded());
`;
  const args = ["--input-type=module", "--eval", program];
  expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toBe("false true\n");
});
