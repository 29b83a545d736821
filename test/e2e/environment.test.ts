// What an application in AssemblyScript reads of its environment and of its arguments, on every way to run, and what a worker's process
// has of the command's.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { environmentOf, workersOf } from "./support/processes.js";
import { end } from "./support/programs.js";
import {
  BRIDGED,
  BRIDGED_ASYNC,
  CLI,
  COMPONENT,
  COMPONENT_ASYNC,
  HTTP,
  HTTP_ASYNC,
  ROOT,
  run,
  SANDBOXED_BARE,
  SANDBOXED_NODE,
  SANDBOXED_WASMTIME,
  start,
  WASMTIME,
  type Way,
} from "./support/ways.js";

const TELLING = `import { HTTPHandler, HTTPServer, HTTPServerRequest, environment, programArguments } from "waterspout/assembly";
export { _start, turn } from "waterspout/assembly";
class Telling extends HTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    const found = environment("GREETING");
    request.respond(200, "text/plain", (found ? found : "null") + " " + programArguments().join("|"));
  }
}
new HTTPServer(new Telling()).listen();
`;
/** The command with a component. */
const RUN_ASYNC: Way = {
  name: "component-async, below the command",
  runtime: "component-async",
  demo: "",
  component: "component-async",
};
/** What names the listeners that a process was given, as systemd does. */
const LISTENERS = ["LISTEN_FDS", "LISTEN_PID"];
/** What some shell sets by itself in what it starts: its folder, how deep it is, the command's name. */
const SHELLS = ["PWD", "OLDPWD", "SHLVL", "_"];
const BUILD_MS = 300_000;
const TARGETS = ["preview1", "component", "component-async", "http", "http-async"];

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-environment-"));
const fileOf = ({ component }: Way): string => path.join(folder, `telling.${component ?? "preview1"}.wasm`);

beforeAll(async () => {
  mkdirSync(path.join(folder, "node_modules"));
  writeFileSync(path.join(folder, "package.json"), "{}");
  symlinkSync(ROOT, path.join(folder, "node_modules/waterspout"));
  writeFileSync(path.join(folder, "telling.ts"), TELLING);
  for (const target of TARGETS) {
    const out = path.join(folder, `telling.${target}.wasm`);
    const command = [CLI, "build", path.join(folder, "telling.ts"), "--target", target, "--out", out];
    expect(await end([process.execPath, ...command])).toMatchObject({ code: 0 });
  }
}, BUILD_MS);
afterAll(() => rmSync(folder, { recursive: true }));

test.each([SANDBOXED_BARE, COMPONENT, COMPONENT_ASYNC, HTTP, HTTP_ASYNC])("$name: what it was given", async (way) => {
  const set = ["--env", "OTHER=1", "--env", "GREETING=hé=llo", "--env", "GREETING_2=no"];
  const server = await start(way, fileOf(way), set);
  try {
    for (let i = 0; i < 3; i++) expect((await server.get("/")).body.toString()).toBe("hé=llo ");
  } finally {
    await server.stop();
  }
  const without = await start(way, fileOf(way));
  try {
    expect((await without.get("/")).body.toString()).toBe("null ");
  } finally {
    await without.stop();
  }
});

test.each([SANDBOXED_BARE, COMPONENT, COMPONENT_ASYNC])("$name: its arguments stand behind --", async (way) => {
  const server = await start(way, fileOf(way), [], { behind: ["--", "a", "--port", "b c"] });
  try {
    expect((await server.get("/")).body.toString()).toBe("null a|--port|b c");
  } finally {
    await server.stop();
  }
});

test.each([SANDBOXED_NODE, SANDBOXED_WASMTIME, RUN_ASYNC])(
  "$name: the command's are not the application's",
  async (way) => {
    const server = await start(way, fileOf(way), [], { env: { GREETING: "hello" } });
    try {
      expect((await server.get("/")).body.toString()).toBe("null ");
    } finally {
      await server.stop();
    }
  },
);

test.each([WASMTIME, BRIDGED_ASYNC, BRIDGED, SANDBOXED_WASMTIME, RUN_ASYNC])(
  "$name: a worker's process has the command's PATH and HOME, and no secret",
  async (way) => {
    const secret = { API_KEY: "do not pass on" };
    const server = await start(way, way.demo || fileOf(way), [], { env: secret });
    try {
      expect((await server.get("/")).status).toBe(200);
      const commands = environmentOf(server.pid);
      expect(commands).toMatchObject(secret);
      const workers = workersOf(server.pid);
      expect(workers).toHaveLength(1);
      const { PATH, HOME, ...others } = environmentOf(workers[0].pid);
      expect({ PATH, HOME }).toEqual({ PATH: commands.PATH, HOME: commands.HOME });
      expect(Object.keys(others).filter((name) => !LISTENERS.includes(name) && !SHELLS.includes(name))).toEqual([]);
    } finally {
      await server.stop();
    }
  },
);

test.each([SANDBOXED_NODE, SANDBOXED_WASMTIME, RUN_ASYNC])("$name: what --env gives it", async (way) => {
  const server = await start(way, fileOf(way), [
    "--env",
    "OTHER=1",
    "--env",
    "GREETING=hé=llo",
    "--env",
    "GREETING_2=",
  ]);
  try {
    for (let i = 0; i < 3; i++) expect((await server.get("/")).body.toString()).toBe("hé=llo ");
  } finally {
    await server.stop();
  }
});

test.each(["GREETING", "=hello", ""])("--env %j is refused", async (text) => {
  const { code, stderr } = await run(["run", fileOf(SANDBOXED_NODE), "--port", "0", "--env", text]);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `waterspout: --env takes NAME=VALUE, not ${JSON.stringify(text)}\n`,
  });
});
