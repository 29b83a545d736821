// `waterspout build`: what it makes is served; what it cannot make it explains, and then nothing has changed.
import {
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
import { componentEmbed } from "@bytecodealliance/jco";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Ended, end } from "./support/programs.js";
import { CLI, COMPONENT, COMPONENT_ASYNC, NODE, ROOT, SANDBOXED_BARE, start, WASMTIME } from "./support/ways.js";

const HELLO = `import { HTTPHandler, HTTPServer, HTTPServerRequest } from "waterspout/assembly";
export { _start, turn } from "waterspout/assembly";
class Hello extends HTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    request.respond(200, "text/plain", "hello from " + NAME);
  }
}
new HTTPServer(new Hello()).listen();
`;
const EMPTY = `export { _start, turn } from "waterspout/assembly";\n`;

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-build-"));
const at = (name: string): string => path.join(folder, name);

beforeAll(() => {
  mkdirSync(at("project/node_modules"), { recursive: true });
  writeFileSync(at("project/package.json"), "{}");
  symlinkSync(ROOT, at("project/node_modules/waterspout"));
  symlinkSync(path.join(ROOT, "node_modules/assemblyscript"), at("project/node_modules/assemblyscript"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a source and builds it; compiling takes its time. */
function build(name: string, source: string, ...args: string[]): Promise<Ended> {
  writeFileSync(at(name), source);
  return end([process.execPath, CLI, "build", at(name), ...args]);
}

test("a module that every runtime serves, beside its source", async () => {
  const source = HELLO.replace("NAME", '"the sandbox"');
  const { code, stdout, stderr } = await build("project/hello.ts", source);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^waterspout: compiles \S+hello\.ts with assemblyscript [\d.]+\n$/),
  });
  const bytes = readFileSync(at("project/hello.wasm")).length;
  expect(stdout).toContain(`hello.wasm: ${bytes.toLocaleString("en")} bytes\n`);
  expect(stdout).toMatch(/\nimports: \d+, all of them known\n/);
  for (const way of [NODE, WASMTIME, SANDBOXED_BARE]) {
    const server = await start(way, at("project/hello.wasm"));
    expect((await server.get("/")).body.toString(), way.name).toBe("hello from the sandbox");
    await server.stop();
  }
});

test("with the flags of the project's asconfig.json beside its own, somewhere else, for debugging, as JSON", async () => {
  writeFileSync(at("project/asconfig.json"), JSON.stringify({ options: { use: ["NAME=greeter"] } }));
  const source = `${HELLO}@global const greeter: string = "a debugger";\n`;
  const out = at("project/out/deep/hello.wasm");
  const { code, stdout } = await build("project/named.ts", source, "--out", out, "--debug", "--json");
  rmSync(at("project/asconfig.json"));
  const report = JSON.parse(stdout);
  expect({ code, ...report }).toMatchObject({
    code: 0,
    ok: true,
    file: out,
    debug: true,
    error: null,
    diagnostics: [],
  });
  expect(report).toMatchObject({ bytes: readFileSync(out).length, runtimes: ["node", "wasmtime", "bare"] });
  expect(readdirSync(path.dirname(out)).sort()).toEqual(["hello.wasm", "hello.wasm.map"]);
  const server = await start(NODE, out);
  expect((await server.get("/")).body.toString()).toBe("hello from a debugger");
  await server.stop();
});

test("errors in the source: the compiler's own words, where they are, and the old module stays", async () => {
  writeFileSync(at("project/wrong.wasm"), "old");
  const source = `${EMPTY}export function f(): i32 {\n  return missing;\n}\n`;
  const { code, stdout, stderr } = await build("project/wrong.ts", source, "--json");
  expect(code).toBe(1);
  const diagnostic = {
    severity: "error",
    code: 2304,
    message: "Cannot find name 'missing'.",
    file: "wrong.ts",
    line: 3,
    column: 10,
  };
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, file: null, diagnostics: [diagnostic] });
  expect(stderr).toContain("ERROR TS2304: Cannot find name 'missing'.");
  expect(stderr).toContain("└─ in wrong.ts(3,10)");
  expect(stderr).toMatch(/\nwaterspout: \S+wrong\.ts has an error\n$/);
  expect(readFileSync(at("project/wrong.wasm"), "utf8")).toBe("old");
});

test.each([
  [
    "what no runtime has",
    `${EMPTY}@external("env", "magic") declare function magic(): void;\nmagic();\n`,
    /imports what no runtime has: env\.magic\n$/,
  ],
  ["nothing to run it by", "export const one: i32 = 1;\n", /cannot be served: it must say export \{ _start, turn \}/],
])("a module with %s is not written", async (_what, source, complaint) => {
  const { code, stdout, stderr } = await build("project/useless.ts", source);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(complaint);
  expect(existsSync(at("project/useless.wasm"))).toBe(false);
});

test("a function of WASI that Node does not have: wasmtime alone", async () => {
  const source = `${EMPTY}@external("wasi_snapshot_preview1", "random_get") declare function random(at: usize, size: i32): i32;\nrandom(0, 0);\n`;
  const { code, stdout } = await build("project/random.ts", source, "--json");
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, ok: true, runtimes: ["wasmtime", "bare"] });
});

test.each([COMPONENT, COMPONENT_ASYNC])("a component beside its source: $component", async (way) => {
  const target = way.component!;
  const source = HELLO.replace("NAME", `"a ${target}"`);
  const { code, stdout, stderr } = await build("project/hello.ts", source, "--target", target);
  expect(code, stderr).toBe(0);
  const file = at(`project/hello.${target}.wasm`);
  expect(stdout).toContain(`serve it with: wasmtime run -S inherit-network=y ${file} --address 127.0.0.1 --port 8888`);
  expect(stdout).toContain(`or supervised: npx waterspout run ${file}\n`);
  const server = await start(way, file);
  expect((await server.get("/")).body.toString()).toBe(`hello from a ${target}`);
  await server.stop();
  for (const runtime of ["node", "wasmtime"]) {
    const run = await end([process.execPath, CLI, "run", file, "--port", "0", "--runtime", runtime]);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toMatch(new RegExp(`is a component, which the runtime ${target} serves, not ${runtime}\n$`));
  }
});

test("what is published of a component: the same twice, with the packages in it and the WIT of what it calls", async () => {
  mkdirSync(at("shop/node_modules/@some/parts"), { recursive: true });
  writeFileSync(at("shop/package.json"), '{"name":"shop","version":"1.2.3","license":"MIT"}');
  writeFileSync(at("shop/node_modules/@some/parts/package.json"), '{"version":"7.0.1","license":"(ISC OR MIT)"}');
  writeFileSync(at("shop/node_modules/@some/parts/index.ts"), 'export function word(): string { return "parts"; }\n');
  symlinkSync(ROOT, at("shop/node_modules/waterspout"));
  const source = `import { word } from "@some/parts";\n${HELLO.replace("NAME", "word()")}`;
  const files: Map<string, string>[] = [];
  for (const folder of ["one", "two"]) {
    const made = await build("shop/app.ts", source, "--target", "component", "--artifacts", at(folder), "--json");
    const { artifacts, imports } = JSON.parse(made.stdout) as { artifacts: string[]; imports: string[] };
    const wit = readFileSync(at(`${folder}/app.component.wit`), "utf8");
    for (const name of imports) expect(wit).toContain(`\n//   ${name}\n`);
    await componentEmbed({ dummy: true, witSource: wit, world: "root" });
    files.push(new Map(artifacts.map((file) => [path.relative(at(folder), file), readFileSync(file, "latin1")])));
  }
  expect(files[0]).toEqual(files[1]);
  const { components } = JSON.parse(files[0].get("app.component.cdx.json")!) as { components: { name: string }[] };
  expect(components.map(({ name }) => name)).toEqual(["waterspout", "assemblyscript", "@some/parts"]);
  expect(components[2]).toMatchObject({ version: "7.0.1", licenses: [{ expression: "ISC OR MIT" }] });
  expect(files[0].get("app.component.wasm")).toBe(readFileSync(at("shop/app.component.wasm"), "latin1"));
  const file = await build("shop/app.ts", source, "--artifacts", at("shop/package.json"));
  expect(file).toMatchObject({ code: 2, stderr: expect.stringContaining("--artifacts must be a folder, not ") });
});

test("a component with nothing to run it by, and a project with another jco: why not", async () => {
  const useless = await build("project/useless.ts", "export const one: i32 = 1;\n", "--target", "component");
  expect(useless.stderr).toMatch(/cannot be served: it must say export \{ _start, turn \}/);
  expect(existsSync(at("project/useless.component.wasm"))).toBe(false);
  mkdirSync(at("old/node_modules/@bytecodealliance/jco"), { recursive: true });
  writeFileSync(at("old/package.json"), "{}");
  writeFileSync(at("old/node_modules/@bytecodealliance/jco/package.json"), '{"version":"1.9.0"}');
  const old = await build("old/app.ts", EMPTY, "--target", "component");
  expect(old).toMatchObject({ code: 1, stdout: "" });
  expect(old.stderr).toMatch(
    /^waterspout: build needs @bytecodealliance\/jco \^1\.35\.0, and \S+ is 1\.9\.0: npm install --save-dev @bytecodealliance\/jco@1\.\d+\.\d+\n$/,
  );
});

test("a project without this package, and a compiler of another version: what to install", async () => {
  mkdirSync(at("bare"));
  writeFileSync(at("bare/package.json"), "{}");
  const missing = await build("bare/app.ts", EMPTY);
  expect(missing).toMatchObject({ code: 1, stdout: "" });
  expect(missing.stderr).toMatch(/has an error: the project has no package waterspout; npm install waterspout\n$/);
  mkdirSync(at("bare/node_modules/assemblyscript"), { recursive: true });
  writeFileSync(at("bare/node_modules/assemblyscript/package.json"), '{"version":"0.27.37"}');
  const old = await build("bare/app.ts", EMPTY);
  expect(old).toMatchObject({ code: 1, stdout: "" });
  expect(old.stderr).toMatch(
    /^waterspout: build needs assemblyscript \^0\.28\.0, and \S+ is 0\.27\.37: npm install --save-dev assemblyscript@0\.28\.\d+\n$/,
  );
});

test.each([
  [[], /needs a file/],
  [["nowhere.ts"], /no file nowhere\.ts/],
  [["README.md"], /must end in \.ts/],
  [["examples/sandboxed/demo.ts", "another.ts"], /takes one file/],
  [["examples/sandboxed/demo.ts", "--out", "build/demo"], /must end in \.wasm/],
  [["examples/sandboxed/demo.ts", "--outFile", "x"], /--outFile/],
  [
    ["examples/sandboxed/demo.ts", "--target", "http3"],
    /--target must be preview1, component, component-async, http, http-async, not "http3"/,
  ],
])("used wrongly: %j", async (args, complaint) => {
  const { code, stdout, stderr } = await end([process.execPath, CLI, "build", ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^waterspout: [^\n]+\n$/);
  expect(stderr).toMatch(complaint);
});
