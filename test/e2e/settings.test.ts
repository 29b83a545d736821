// Where the command's settings come from: flags, what the application exports, the environment, a file, the default.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { CLI, NODE, ROOT, run, type Server, start, WASMTIME } from "./support/ways.js";

let folder: string;
const file = (name: string): string => path.join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "waterspout-settings-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const DEFINING = `
import { define } from ${JSON.stringify(path.join(ROOT, "dist/host/index.js"))};
const options = define({
  greeting: { type: "string", default: "Hello", env: "GREETING", help: "what is said first" },
  pageSize: { type: "integer", min: 1, max: 100, default: 10, help: "rows of a page" },
});
`;

interface Told {
  url: string;
  runtime: string;
  workers: number;
  pid: number;
  address: string;
  port: number;
}

/** What `--json` says, and the server. */
async function told(args: string[], env: Record<string, string> = {}): Promise<{ told: Told; pid: number }> {
  const child = spawn(process.execPath, [CLI, "run", ...args, "--json"], {
    env: { ...process.env, WATERSPOUT_RUNTIME: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await new Promise((done) => (child.exitCode === null ? child.once("exit", done) : done(null)));
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").once("data", resolve);
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  return { told: JSON.parse(line), pid: child.pid! };
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

describe("one order for all", () => {
  // Each place names an address of its own, which shows who has decided; all of 127.0.0.0/8 is this machine.
  const FLAG = "127.0.0.2";
  const EXPORTED = "127.0.0.3";
  const VARIABLE = "127.0.0.4";
  const STORED = "127.0.0.5";
  test.each([
    [[FLAG, EXPORTED, VARIABLE, STORED], FLAG],
    [[EXPORTED, VARIABLE, STORED], EXPORTED],
    [[VARIABLE, STORED], VARIABLE],
    [[STORED], STORED],
    [[], "127.0.0.1"],
  ])("of %j, %s decides", async (given: string[], address: string) => {
    const hostname = given.includes(EXPORTED) ? `hostname: "${EXPORTED}", ` : "";
    writeFileSync(file("app.js"), `export default { port: 0, ${hostname}fetch: () => new Response("fine") };`);
    if (given.includes(STORED))
      writeFileSync(file("waterspout.config.json"), JSON.stringify({ address: STORED, port: 1 }));
    const flags = given.includes(FLAG) ? ["--address", FLAG] : [];
    const env = { PORT: "1", HOST: given.includes(VARIABLE) ? VARIABLE : "" };
    const { told: said, pid } = await told([file("app.js"), ...flags], env);
    expect(said).toMatchObject({ address, runtime: "node", workers: 1, pid });
    expect(said.url).toBe(`http://${address}:${said.port}/`);
    expect(await (await fetch(said.url)).text()).toBe("fine");
  });

  test.each([
    ["flag", ["--runtime", "node"], 'runtime: "wasmtime"', "wasmtime", "wasmtime", "node"],
    ["exported", [], 'runtime: "wasmtime"', "node", "node", "wasmtime"],
    ["variable", [], "", "wasmtime", "node", "wasmtime"],
    ["file", [], "", "", "wasmtime", "wasmtime"],
    ["none", [], "", "", undefined, "node"],
  ] as const)("the runtime: %s decides", async (_place, flags, exported, variable, stored, runtime) => {
    writeFileSync(
      file("app.js"),
      `import { HTTPServer } from ${JSON.stringify(path.join(ROOT, "dist/host/index.js"))};
       export default new HTTPServer((request) => request.respond(200, {}, "fine"), { ${exported} });`,
    );
    if (stored !== undefined) writeFileSync(file("waterspout.config.json"), JSON.stringify({ runtime: stored }));
    const { told: said } = await told([file("app.js"), "--port=0", ...flags], { WATERSPOUT_RUNTIME: variable });
    expect(said.runtime).toBe(runtime);
  });

  test("workers that the application, the environment or a file asks for are processes", async () => {
    writeFileSync(file("app.js"), "export default { workers: 2, fetch: () => new Response(String(process.pid)) };");
    writeFileSync(file("plain.js"), "export default { fetch: () => new Response(String(process.pid)) };");
    writeFileSync(file("two.json"), '{ "workers": 2 }');
    for (const [args, env] of [
      [[file("app.js")], { WATERSPOUT_WORKERS: "1" }],
      [[file("plain.js")], { WATERSPOUT_WORKERS: "2" }],
      [[file("plain.js"), "--config", file("two.json")], {}],
      [[file("plain.js")], { WATERSPOUT_CONFIG: file("two.json") }],
    ] as [string[], Record<string, string>][]) {
      const { told: said, pid } = await told([...args, "--port=0"], env);
      expect(said).toMatchObject({ workers: 2, pid });
      expect(Number(await (await fetch(said.url)).text())).not.toBe(pid);
    }
  });

  test("several processes on the port that the application exports", async () => {
    const port = await freePort();
    writeFileSync(file("app.js"), `export default { port: ${port}, fetch: () => new Response("fine") };`);
    const { told: said } = await told([file("app.js"), "--workers=2"]);
    expect(said.port).toBe(port);
    expect(await (await fetch(said.url)).text()).toBe("fine");
  });
});

describe.each([NODE, WASMTIME])("an application's own settings: $name", (way) => {
  const serve = async (args: string[], env: Record<string, string> = {}): Promise<Server> => {
    writeFileSync(
      file("app.ts"),
      `${DEFINING}export default (r) => r.respond(200, {}, \`\${options.greeting} \${options.pageSize}\`);`,
    );
    const server = await start(way, file("app.ts"), args, { env });
    onTestFinished(() => server.stop());
    return server;
  };
  test.each([
    [["--", "--greeting=flag", "--page-size", "7"], { GREETING: "variable" }, { greeting: "file" }, "flag 7"],
    [["--workers", "2", "--", "--greeting=flag"], {}, {}, "flag 10"],
    [[], { GREETING: "variable" }, { greeting: "file", pageSize: 3 }, "variable 3"],
    [[], { GREETING: "" }, { greeting: "file" }, "file 10"],
    [[], {}, {}, "Hello 10"],
  ])("%j %j %j", async (args, env, application, text) => {
    writeFileSync(file("waterspout.config.json"), JSON.stringify({ application }));
    const server = await serve(args, env as Record<string, string>);
    expect((await server.get("/")).body.toString()).toBe(text);
  });
});

describe("what is wrong is one line, and exit code 2", () => {
  const fails = async (args: string[], line: RegExp, env: Record<string, string> = {}): Promise<void> => {
    const { code, stdout, stderr } = await run(["run", file("app.ts"), "--port=0", ...args], { env });
    expect(stderr).toMatch(/^waterspout: [^\n]+\n$/);
    expect(stderr).toMatch(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  };
  beforeEach(() => writeFileSync(file("app.ts"), `${DEFINING}export default (request) => request.respond(200);`));

  test.each([
    [{ prot: 1 }, /waterspout\.config\.json: prot is no setting; there are port, /],
    [{ port: "8888" }, /waterspout\.config\.json: port must be a whole number from 0 to 65535, not "8888"/],
    [{ port: 65536 }, /waterspout\.config\.json: port must be .* not 65536/],
    [{ workers: 0 }, /waterspout\.config\.json: workers must be a whole number from 1 to 64, not 0/],
    [
      { runtime: "abacus" },
      /waterspout\.config\.json: runtime must be node, wasmtime, component-async or component, not "abacus"/,
    ],
    [{ accessLog: "xml" }, /waterspout\.config\.json: accessLog must be text, json or off/],
    [{ memory: "1 GB" }, /waterspout\.config\.json: memory must be a size from 64M on, such as 256M or 1G, not "1 GB"/],
    [{ keyfile: "x" }, /waterspout\.config\.json: keyfile needs certfile/],
    [
      { application: { greting: "x" } },
      /waterspout\.config\.json: application: greting is no setting; there are greeting, pageSize/,
    ],
    [{ application: { pageSize: 101 } }, /application: pageSize must be a whole number from 1 to 100, not 101/],
    [{ application: [] }, /application must be an object, not \[\]/],
  ])("a file with %j", async (settings, line) => {
    writeFileSync(file("waterspout.config.json"), JSON.stringify(settings));
    await fails([], line);
  });

  test("a file that is no JSON, or not there", async () => {
    writeFileSync(file("waterspout.config.json"), "port: 1");
    await fails([], /waterspout\.config\.json is no JSON/);
    await fails(["--config", file("none.json")], /cannot read .*none\.json: ENOENT/);
  });

  test("variables and flags", async () => {
    await fails([], /WATERSPOUT_WORKERS must be a whole number from 1 to 64, not "many"/, {
      WATERSPOUT_WORKERS: "many",
    });
    await fails(["--inspect=x"], /--inspect must be a whole number/);
    await fails(["--memory", "63M"], /--memory must be a size from 64M on, such as 256M or 1G, not "63M"/);
    await fails([], /WATERSPOUT_MEMORY must be a size from 64M on/, { WATERSPOUT_MEMORY: "all" });
    await fails(["--", "--page-size=0"], /--page-size must be a whole number from 1 to 100, not "0"/);
    await fails(["--", "--page=3"], /--page is no setting of the application; there are --greeting, --page-size/);
    await fails(["--workers=2", "--", "--page=3"], /--page is no setting/);
    await fails(["--", "stray"], /settings such as --name=value, not "stray"/);
  });

  test("what the application exports", async () => {
    writeFileSync(file("app.ts"), 'export default { port: "8888", fetch: () => new Response() };');
    const { code, stderr } = await run(["run", file("app.ts")]);
    expect(stderr).toMatch(/app\.ts: port must be a whole number from 0 to 65535, not "8888"/);
    expect(code).toBe(2);
  });
});

test("memory: the bounds of a server are parts of what a flag, the environment and a file say, in this order", async () => {
  writeFileSync(
    file("app.ts"),
    `import { HTTPServer } from ${JSON.stringify(path.join(ROOT, "dist/host/index.js"))};
    const answer = (request) => request.respond(200, {}, String(server.options.bodiesBytesMax));
    const server = new HTTPServer(answer);
    export default server;`,
  );
  const bodiesMiB = async (args: string[], env = {}): Promise<number> => {
    const { told: said } = await told([file("app.ts"), "--port", "0", ...args], env);
    return Number(await (await fetch(said.url)).text()) / 2 ** 20;
  };
  const env = { WATERSPOUT_MEMORY: "1G" };
  writeFileSync(file("waterspout.config.json"), JSON.stringify({ memory: "4G" }));
  const [byFlag, byVariable, byFile] = await Promise.all([
    bodiesMiB(["--memory", "256M"], env),
    bodiesMiB([], env),
    bodiesMiB([]),
  ]);
  expect(byFlag).toBeLessThan(256 / 8);
  expect(byVariable).toBeGreaterThan(256 / 8);
  expect(byVariable).toBeLessThan(1024 / 8);
  expect(byFile).toBeGreaterThan(1024 / 8);
});

test("behind --, --help lists the application's settings", async () => {
  writeFileSync(file("app.ts"), `${DEFINING}export default (request) => request.respond(200);`);
  const { code, stdout, stderr } = await run(["run", file("app.ts"), "--", "--help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("  --page-size\n      rows of a page\n      a whole number from 1 to 100 (default 10)\n");
  expect(stdout).toContain('a text, or $GREETING (default "Hello")');
});
