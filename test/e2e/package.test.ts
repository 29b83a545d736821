// The package as others get it: packed, installed by npm into an empty folder, and everything there that a first hour
// asks of it.
//
// npm takes what it has in its cache, and asks its registry for the rest; where neither has it, what this project has
// installed is linked instead.
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { documentNamed } from "../docs/documents.js";
import { type Ended, end } from "./support/programs.js";
import { eventually, NODE, ROOT, Server, WASMTIME, type Way, wasmtime } from "./support/ways.js";

const INSTALL_MS_MAX = 120_000;

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-package-"));
const at = (...names: string[]): string => path.join(folder, ...names);
const packed = at(`waterspout-${JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")).version}.tgz`);

beforeAll(async () => {
  await succeed(["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder], ROOT);
  mkdirSync(at("first"));
  writeFileSync(at("first/package.json"), "{}");
  await install("first", packed);
}, INSTALL_MS_MAX);
afterAll(() => rmSync(folder, { recursive: true }));

async function succeed(command: string[], cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  const ended = await end(command, cwd, env);
  expect(ended, `${command.join(" ")}\n${ended.stdout}${ended.stderr}`).toMatchObject({ code: 0 });
  return ended;
}

/** `npm install` in a folder. */
async function install(name: string, ...what: string[]): Promise<void> {
  const quiet = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"];
  const ended = await end(["npm", "install", ...quiet, ...what], at(name));
  if (ended.code === 0) return;
  console.warn(`npm cannot install here, so packages are linked: ${/^npm error .*$/m.exec(ended.stderr)?.[0]}`);
  rmSync(at(name, "node_modules"), { recursive: true, force: true });
  await link(at(name, "node_modules"));
}

/** The packed package, beside everything else that this project has. */
async function link(modules: string): Promise<void> {
  mkdirSync(path.join(modules, "waterspout"), { recursive: true });
  await succeed(["tar", "-xzf", packed, "--strip-components=1", "-C", path.join(modules, "waterspout")], ROOT);
  for (const name of readdirSync(path.join(ROOT, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(path.join(ROOT, "node_modules", name), path.join(modules, name));
  }
  mkdirSync(path.join(modules, ".bin"));
  chmodSync(path.join(modules, "waterspout/dist/host/cli/main.js"), 0o755);
  symlinkSync("../waterspout/dist/host/cli/main.js", path.join(modules, ".bin/waterspout"));
  symlinkSync(path.join(ROOT, "node_modules/.bin/tsc"), path.join(modules, ".bin/tsc"));
  const lock = { packages: { "node_modules/waterspout": { resolved: `file:${packed}` } } };
  writeFileSync(path.join(modules, ".package-lock.json"), JSON.stringify(lock));
}

const npx = (...args: string[]): string[] => ["npx", "--no-install", "waterspout", ...args];

test("publint has nothing to say", async () => {
  const { messages, pkg } = await publint({ pkgDir: ROOT, pack: "npm", strict: true });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});

test("attw has nothing to say but that the package has ES modules only", async () => {
  const checked = await checkPackage(createPackageFromTarballData(readFileSync(packed)));
  if (!checked.types) throw new Error("it has no types");
  const names = ["package.json", "register", "assembly", "assembly/web", "core.wasm"];
  expect(Object.keys(checked.entrypoints)).toEqual(expect.arrayContaining([".", ...names.map((name) => `./${name}`)]));
  // A CommonJS module has them by `await import`, or by `require` on Node 20.19 and later.
  expect(checked.problems.filter(({ kind }) => kind !== "CJSResolvesToESM")).toEqual([]);
});

test("it brings what it needs, and nothing that only this project needs", () => {
  const own = at("first/node_modules/waterspout");
  const built = ["core.wasm", "core.wasm.sha256", "core.component-async.wasm", "core.component.wasm"];
  for (const file of [...built.map((name) => `build/${name}`), "asconfig.json", "templates/typescript/gitignore"])
    expect(existsSync(path.join(own, file)), file).toBe(true);
  for (const name of ["test", "bench", "node_modules", "build/tools", "Makefile"])
    expect(existsSync(path.join(own, name)), name).toBe(false);
});

test("its modules are put together, and their source maps have the sources", () => {
  const host = at("first/node_modules/waterspout/dist/host");
  const files = readdirSync(host, { recursive: true, encoding: "utf8" });
  // One that only names what another exports has nothing to map.
  const isMapped = (name: string) => readFileSync(path.join(host, name), "utf8").includes("sourceMappingURL");
  const modules = files.filter((name) => name.endsWith(".js"));
  expect(modules.filter(isMapped)).toContain("index.js");
  expect(modules.length, "files that Node has to find, read and compile").toBeLessThan(70);
  for (const name of modules.filter(isMapped)) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(path.join(host, `${name}.map`), "utf8"));
    expect(sourcesContent.filter((text: unknown) => typeof text === "string").length, name).toBe(sources.length);
  }
});

test("its declarations are whole without what is internal, and an application has some of its own", async () => {
  const host = at("first/node_modules/waterspout/dist/host");
  const declarations = readdirSync(host, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".d.ts"),
  );
  expect(declarations).toContain("index.d.ts");
  for (const name of declarations) expect(readFileSync(path.join(host, name), "utf8"), name).not.toContain("@internal");

  const place = at("first/declarations");
  mkdirSync(path.join(place, "node_modules/@types"), { recursive: true });
  symlinkSync(path.join(ROOT, "node_modules/@types/node"), path.join(place, "node_modules/@types/node"));
  const compilerOptions = { module: "nodenext", strict: true, types: ["node"], declaration: true, outDir: "out" };
  writeFileSync(path.join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["greet.ts"] }));
  writeFileSync(path.join(place, "package.json"), '{ "type": "module" }');
  const greet = documentNamed("docs/tour.md").blocks.find(({ name }) => name === "greet.ts");
  writeFileSync(path.join(place, "greet.ts"), greet!.text);
  await succeed([path.join(ROOT, "node_modules/.bin/tsc"), "-p", "."], place);
  expect(readFileSync(path.join(place, "out/greet.d.ts"), "utf8")).toContain("Application<object>");
});

test("doctor: Node works, wasmtime works where it is named", async () => {
  const named = await succeed(npx("doctor", "--json"), at("first"), {
    WATERSPOUT_WASMTIME: wasmtime(),
    WATERSPOUT_WASMTIME_ASYNC: wasmtime("wasmtime-async"),
  });
  const { ok, checks, ways } = JSON.parse(named.stdout);
  expect({ ok, ways }).toMatchObject({
    ok: true,
    ways: [
      { runtime: "node", status: "ok" },
      { runtime: "wasmtime", status: "ok" },
      { runtime: "component-async", status: "ok" },
      { runtime: "component", status: "ok" },
    ],
  });
  const byName = Object.fromEntries(checks.map((check: { name: string }) => [check.name, check]));
  expect(byName).toMatchObject({ node: { status: "ok" }, "core.wasm": { status: "ok" }, wasmtime: { status: "ok" } });

  const none = await succeed(npx("doctor"), at("first"), { WATERSPOUT_WASMTIME: "/nowhere/wasmtime" });
  expect(none.stdout).toMatch(/^ {2}ok {4}node +works; a first request took \d+ ms$/m);
  expect(none.stdout).toMatch(/^ {2}fail {2}wasmtime +WATERSPOUT_WASMTIME must name a wasmtime 36, and there is no /m);
});

test("doctor: a sandbox that is damaged, and no wasmtime: no way works", async () => {
  mkdirSync(at("damaged"));
  await succeed(["tar", "-xzf", packed, "--strip-components=1", "-C", at("damaged")], ROOT);
  symlinkSync(at("first/node_modules"), at("damaged/node_modules"));
  writeFileSync(at("damaged/build/core.wasm"), "no module");
  const command = [process.execPath, "dist/host/cli/main.js", "doctor", "--json"];
  const nowhere = { WATERSPOUT_WASMTIME: "/nowhere/wasmtime", WATERSPOUT_WASMTIME_ASYNC: "/nowhere/wasmtime" };
  const { code, stdout } = await end(command, at("damaged"), nowhere);
  const { ok, checks, ways } = JSON.parse(stdout);
  expect({ code, ok }).toEqual({ code: 1, ok: false });
  expect(ways.map(({ status }: { status: string }) => status)).toEqual(Array(4).fill("fail"));
  expect(checks).toContainEqual(expect.objectContaining({ name: "core.wasm", status: "fail" }));
});

test("build, where no compiler is installed: what to install", async () => {
  if (existsSync(at("first/node_modules/assemblyscript"))) rmSync(at("first/node_modules/assemblyscript"));
  writeFileSync(at("first/app.ts"), "");
  const { code, stderr } = await end(npx("build", "app.ts"), at("first"));
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      /^waterspout: build needs the AssemblyScript compiler: npm install --save-dev assemblyscript@[\d.]+$/m,
    ),
  });
});

describe.each(["typescript", "assemblyscript"])("a new project, %s", (template) => {
  const project = `${template}-project`;

  test("is made, says what to do next, and has its package from where this one is from", async () => {
    const { stdout } = await succeed(npx("new", `../${project}`, "--template", template, "--json"), at("first"));
    expect(JSON.parse(stdout)).toMatchObject({
      name: project,
      next: [`cd ../${project} && npm install`, "npm run dev"],
    });
    const { dependencies } = JSON.parse(readFileSync(at(project, "package.json"), "utf8"));
    expect(dependencies).toEqual({ waterspout: `file:../${path.basename(packed)}` });
    const again = await end(npx("new", `../${project}`), at("first"));
    expect(again).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/is not empty/) });
  });

  test("installs, and its tests pass", { timeout: INSTALL_MS_MAX }, async () => {
    await install(project);
    const { stdout } = await succeed(["npm", "test"], at(project));
    // Node 24 and later report to a pipe as they do to a terminal.
    expect(stdout).toMatch(/^[#ℹ] fail 0$/m);
    expect(Number(/^[#ℹ] pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(2);
  });

  test("passes the type check, and a slip would not", { timeout: INSTALL_MS_MAX }, async () => {
    const tsc = path.join(ROOT, "node_modules/.bin/tsc");
    await succeed([tsc, "--noEmit", "-p", "."], at(project));
    writeFileSync(
      at(project, "app.ts"),
      `${readFileSync(at(project, "app.ts"), "utf8")}\nexport const slip: boolean = 1.5 + "";\n`,
    );
    expect(await end([tsc, "--noEmit", "-p", "."], at(project))).toMatchObject({ code: 2 });
    writeFileSync(
      at(project, "app.ts"),
      readFileSync(at(project, "app.ts"), "utf8").replace(/\nexport const slip.*\n$/, ""),
    );
  });

  test.each([NODE, WASMTIME])("is built, started and asked: $name", { timeout: INSTALL_MS_MAX }, async (way) => {
    await succeed(["npm", "run", "build"], at(project));
    const server = await serve(project, way);
    expect((await server.get("/?name=you")).body.toString()).toContain("Hello, you");
    await server.stop();
  });

  test("its scripts use options that there are", async () => {
    for (const [, command, flags] of Object.values(scriptsOf(project))
      .join("\n")
      .matchAll(/waterspout (\w+)(.*)/g)) {
      const { stdout } = await succeed(npx(command, "--help"), at("first"));
      for (const flag of flags.match(/--[a-z]+/g) ?? []) expect(stdout, command).toContain(`  ${flag}`);
    }
  });
});

function scriptsOf(project: string): Record<string, string> {
  return JSON.parse(readFileSync(at(project, "package.json"), "utf8")).scripts;
}

/** What `npm start` runs, on a free port. npm itself would stand between a signal and the server. */
async function serve(project: string, way: Way): Promise<Server> {
  const [command, ...args] = scriptsOf(project).start.split(" ");
  const child = spawn(at(project, "node_modules/.bin", command), [...args, "--port", "0", "--runtime", way.runtime], {
    cwd: at(project),
    env: { ...process.env, WATERSPOUT_WASMTIME: wasmtime() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const server = new Server(way, child);
  await eventually("a line that says where", () => server.output.stdout.includes("\n") || server.exit !== null);
  server.port = Number(/:(\d+)\/ /.exec(server.output.stdout)?.[1]);
  expect(server.port, server.output.stderr).toBeGreaterThan(0);
  return server;
}
