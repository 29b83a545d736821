// The program around its commands: which one is meant, help, versions, exit codes.
import { spawn } from "node:child_process";
import { once } from "node:events";
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
import nodeModule from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { CLI, eventually, NODE, ROOT, run, start } from "./support/ways.js";

/** For the compiler on a machine that has much to do. */
const BUILD_MS_MAX = 60_000;
const SANDBOXED = `import { HTTPHandler, HTTPServer, HTTPServerRequest } from "waterspout/assembly";
import { word } from "./word";

export { _start, turn } from "waterspout/assembly";

class Hello extends HTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    request.respond(200, "text/plain", word);
  }
}

new HTTPServer(new Hello()).listen();
`;
const VERSION = `${JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")).version}\n`;

test.each([
  [["--help"], /^Usage: waterspout COMMAND/],
  [["help"], /^Usage: waterspout COMMAND/],
  [["run", "--help"], /^Usage: waterspout run APP/],
  [["help", "run"], /^Usage: waterspout run APP/],
  [["--help", "run"], /^Usage: waterspout run APP/],
  [["run", "no.ts", "--help"], /^Usage: waterspout run APP/],
  [["dev", "--help"], /^Usage: waterspout dev APP/],
  [["build", "--help"], /^Usage: waterspout build/],
] as [string[], RegExp][])("%j helps", async (args, text) => {
  const { code, stdout, stderr } = await run(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(text);
});

test.each([[["--version"]], [["run", "--version"]]])("%j", async (args) => {
  expect(await run(args)).toMatchObject({ code: 0, stdout: VERSION, stderr: "" });
});

describe("what V8 has compiled", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "waterspout-cache-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("is kept in the user's cache, from Node 22.1 on", async () => {
    expect(await run(["--version"], { env: { XDG_CACHE_HOME: folder } })).toMatchObject({ stdout: VERSION });
    const expected = (nodeModule as { enableCompileCache?: unknown }).enableCompileCache !== undefined;
    expect(existsSync(path.join(folder, "waterspout/compiled"))).toBe(expected);
  });

  test("is not kept, nor taken, where others may write", async () => {
    const shared = path.join(folder, "shared/waterspout/compiled");
    mkdirSync(shared, { recursive: true });
    chmodSync(shared, 0o777);
    const env = { XDG_CACHE_HOME: path.join(folder, "shared") };
    expect(await run(["--version"], { env })).toMatchObject({ code: 0, stdout: VERSION });
    expect(readdirSync(shared)).toEqual([]);
  });

  test.each([
    ["NODE_DISABLE_COMPILE_CACHE", { NODE_DISABLE_COMPILE_CACHE: "1" }],
    ["a folder that cannot be", { XDG_CACHE_HOME: "/dev/null" }],
  ])("is not needed: %s", async (_name, given) => {
    const env = { XDG_CACHE_HOME: path.join(folder, "none"), ...given };
    expect(await run(["--version"], { env })).toMatchObject({ code: 0, stdout: VERSION, stderr: "" });
    expect(existsSync(path.join(folder, "none"))).toBe(false);
  });
});

describe("what is wrong is one line, and exit code 2", () => {
  test.each([
    [[], "no command; try waterspout --help"],
    [["biuld"], "no command biuld; did you mean build?"],
    [["hepl"], "no command hepl; did you mean help?"],
    [
      ["README.md"],
      "README.md is no application: it must end in .ts, .js, .mts, .mjs, .cts, .cjs, .tsx, .jsx or .wasm",
    ],
    [["serve"], "no command serve; try waterspout --help"],
    [["help", "rum"], "no command rum; did you mean run?"],
    [["dev"], "dev needs a file to serve; try waterspout dev --help"],
    [["run"], "run needs a file to serve; try waterspout run --help"],
    [["run", "a.ts", "b.ts"], "run takes one file, not also b.ts"],
    [["run", "a.ts", "--prot", "1"], "Unknown option '--prot'; did you mean --port?"],
    [["dev", "a.ts", "--watch"], "Unknown option '--watch'"],
    [["dev", "a.ts", "-p", "many"], '--port must be a whole number from 0 to 65535, not "many"'],
    [["--port", "1", "run", "a.ts"], "Unknown option '--port'"],
  ])("%j", async (args, line) => {
    expect(await run(args)).toMatchObject({ code: 2, stdout: "", stderr: `waterspout: ${line}\n` });
  });
});

test("dev serves, and loads the application again when it changes", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-dev-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const app = path.join(folder, "app.js");
  const write = (text: string) => writeFileSync(app, `export default () => new Response("${text}");\n`);
  write("one");
  const server = await start(NODE, app, ["-H", "localhost", "-p", "0"], { command: "dev" });
  onTestFinished(() => server.stop());
  expect((await server.get("/")).body.toString()).toBe("one");
  write("two");
  await server.complaint(/app\.js changed: restarted in \d+ ms$/);
  await eventually("the old one has ended", async () => (await server.get("/")).body.toString() === "two");
});

test("dev shows a browser where a handler has failed, run does not", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-dev-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const app = path.join(folder, "app.js");
  writeFileSync(app, 'export default () => {\n  throw new Error("no <luck>"); // here\n};\n');
  const page = async (options: string[], command: "run" | "dev"): Promise<string> => {
    const server = await start(NODE, app, options, { command });
    onTestFinished(() => server.stop());
    const answer = await server.request("GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n");
    expect(answer.status).toBe(500);
    return answer.body.toString();
  };
  const debugged = /<h1>.*no &lt;luck&gt;.*<mark>[^\n]*throw new Error\(&quot;no &lt;luck&gt;&quot;\); \/\/ here/s;
  expect(await page([], "dev")).toMatch(debugged);
  expect(await page(["--debug"], "run")).toMatch(debugged);
  expect(await page([], "run")).toBe("Internal Server Error");
});

test("dev compiles AssemblyScript, again when a source changes, and serves what it has while one is broken", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-dev-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text);
  const linked = (name: string, target: string) => symlinkSync(target, path.join(folder, "node_modules", name));
  mkdirSync(path.join(folder, "node_modules"));
  linked("waterspout", ROOT);
  linked("assemblyscript", path.join(ROOT, "node_modules/assemblyscript"));
  write("package.json", "{}");
  write("word.ts", 'export const word = "one";\n');
  write("app.ts", SANDBOXED);
  const app = path.join(folder, "app.ts");
  const server = await start(NODE, app, [], { command: "dev", serveMs: BUILD_MS_MAX });
  onTestFinished(() => server.stop());
  const says = (pattern: RegExp) =>
    eventually(`${pattern} on stderr`, () => pattern.test(server.output.stderr), BUILD_MS_MAX);
  expect((await server.get("/")).body.toString()).toBe("one");
  write("word.ts", "export const word = ;\n");
  await says(/app\.ts has .*error/);
  expect((await server.get("/")).body.toString()).toBe("one");
  write("word.ts", 'export const word = "two";\n');
  await says(/app\.wasm changed: restarted in/);
  await eventually("the old one has ended", async () => (await server.get("/")).body.toString() === "two");
}, 180_000);

describe("on a terminal", () => {
  /** A server whose stdout and stderr are a terminal. `folder` is all that it finds programs in. */
  async function serve(folder: string, CI: string, args: string[]) {
    // Without exec a shell would stand between, and ^C would end that as well: with its code, not the server's.
    const command = [`PATH=${folder} exec`, process.execPath, CLI, "run", "examples/hello.ts", "-p", "0", ...args].join(
      " ",
    );
    const child = spawn("script", ["-qfec", command, "/dev/null"], {
      cwd: ROOT,
      env: { ...process.env, CI },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    onTestFinished(() => void child.kill()); // the server ends with its terminal
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    const says = (pattern: RegExp) => eventually(`${pattern} on the terminal`, () => pattern.test(output));
    const interrupt = async () => {
      child.stdin.write("\x03");
      expect(await exited).toEqual([0, null]);
      child.stdin.end();
      return output;
    };
    return { says, interrupt };
  }

  test("it says when it was ready; --open opens the page, and one line says that this failed", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "waterspout-open-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const opened = path.join(folder, "opened");
    const browser = `#!/bin/sh\necho "$1" > ${opened}; exit 3\n`;
    for (const name of ["xdg-open", "open"]) writeFileSync(path.join(folder, name), browser, { mode: 0o755 });
    const { says, interrupt } = await serve(folder, "", ["--open"]);
    await says(/^Waterspout serves http:\/\/127\.0\.0\.1:\d+\/ \(node\), ready in \d+ ms\r\n/);
    await says(/\nwaterspout: cannot open http:\S+: (xdg-)?open has failed\r\n/);
    const url = /serves (\S+)/.exec(await interrupt())?.[1];
    expect(readFileSync(opened, "utf8")).toBe(`${url}\n`);
  });

  test.each([
    ["", 1],
    ["true", 0],
  ])("without a browser: CI=%j has %d lines about it; --json is what it is elsewhere", async (CI, count) => {
    const { says, interrupt } = await serve("/nowhere", CI, ["--open", "--json"]);
    await says(count > 0 ? /cannot open .*\r\n/ : /\n/);
    const [line, ...rest] = (await interrupt()).trimEnd().split("\r\n");
    expect(JSON.parse(line!)).toMatchObject({ runtime: "node", address: "127.0.0.1" });
    expect(rest.filter((each) => /^waterspout: cannot open http:\S+: .+ENOENT$/.test(each))).toHaveLength(count);
  });
});
