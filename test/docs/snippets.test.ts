// Every code block of the documents: TypeScript is type-checked and served, AssemblyScript compiled and served, the
// program started, the unit files parsed and their command run, and each shell command is one that exists.
//
// All blocks that are files are written into one folder, as a reader's own project would have them.
import { execFile, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { createSignedValue } from "../../host/index.js";
import { Client } from "../e2e/support/client.js";
import { CLI, eventually, NODE, ROOT, SANDBOXED_BARE, type Server, start, WASMTIME } from "../e2e/support/ways.js";
import { BINARY, handshakeText, TEXT, WsClient } from "../e2e/support/wsclient.js";
import { blocks, read } from "./documents.js";
import { GUESTS, NOTES, TORNADO, visit } from "./moved.js";

const run = promisify(execFile);
const TYPESCRIPT = blocks.filter(({ language, text }) => language === "ts" && !text.includes('"waterspout/assembly"'));
const ASSEMBLYSCRIPT = blocks.filter(
  ({ language, text }) => language === "ts" && text.includes('"waterspout/assembly"'),
);
const COMMANDS = blocks
  .filter(({ language, name }) => language === "sh" && name === "")
  .flatMap(({ place, text }) => commandsOf(place, text));

const hasWasmtime = existsSync(process.env.WATERSPOUT_WASMTIME ?? path.join(ROOT, "build/tools/wasmtime"));
const folder = mkdtempSync(path.join(tmpdir(), "waterspout-docs-"));

beforeAll(() => {
  for (const { name, text } of blocks) {
    if (name === "") continue;
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
  mkdirSync(path.join(folder, "node_modules"));
  symlinkSync(ROOT, path.join(folder, "node_modules/waterspout"));
  symlinkSync(path.join(ROOT, "node_modules/prom-client"), path.join(folder, "node_modules/prom-client"));
  symlinkSync(path.join(ROOT, "node_modules/@types"), path.join(folder, "node_modules/@types"));
  symlinkSync(path.join(ROOT, "node_modules/zod"), path.join(folder, "node_modules/zod"));
  symlinkSync(path.join(ROOT, "node_modules/valibot"), path.join(folder, "node_modules/valibot"));
  symlinkSync(path.join(ROOT, "node_modules/hono"), path.join(folder, "node_modules/hono"));
  symlinkSync(path.join(ROOT, "node_modules/ws"), path.join(folder, "node_modules/ws"));
  symlinkSync(path.join(ROOT, "node_modules/eta"), path.join(folder, "node_modules/eta"));
  symlinkSync(path.join(ROOT, "node_modules/express"), path.join(folder, "node_modules/express"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("every block is of a kind that is tested", () => {
  for (const { place, language, name } of blocks) {
    expect(["ts", "sh", "ini", "json", "text", "python"], place).toContain(language);
    if (language === "ts")
      expect(
        [
          ...Object.keys(ANSWERS),
          "server.ts",
          "secure.ts",
          "starttls.ts",
          "web/check.ts",
          "serving.ts",
          "handler.ts",
          "websockets.ts",
          "settings/program.ts",
          "client/ask.ts",
          "client/talk.ts",
          "moved/express.ts",
          "moved/onours.ts",
          "front.ts",
        ],
        place,
      ).toContain(name);
  }
});

test("TypeScript passes the project's own type check", async () => {
  const config = {
    extends: path.join(ROOT, "tsconfig.json"),
    compilerOptions: { declaration: true }, // what is exported has a type that can be named
    files: TYPESCRIPT.map(({ name }) => path.join(folder, name)),
    include: [],
  };
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(config));
  await run(bin("tsc"), ["-p", folder]).catch(({ stdout }) => expect.fail(stdout));
});

// --- what is served ---

/** What each application of the documents must answer, by the name of its block. */
const ANSWERS: Record<string, (server: Server) => Promise<void>> = {
  async "hello.ts"(server) {
    expect((await server.get("/?name=you")).body.toString()).toBe("Hello, you\n");
    expect((await server.get("/")).body.toString()).toBe("Hello, world\n");
  },
  async "application.ts"(server) {
    expect((await server.get("/?name=you")).body.toString()).toBe("Hello, you\n");
    expect((await server.get("/")).body.toString()).toBe("Hello, world\n");
  },
  async "bytes.ts"(server) {
    const answer = await server.request("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345");
    expect(answer.body.toString()).toBe("part 1 of 3\npart 2 of 3\npart 3 of 3\n5 bytes came\n");
    expect((await server.get("/")).body.toString()).toContain("0 bytes came\n");
  },
  async "guestbook.ts"(server) {
    const body =
      '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nyou\r\n' +
      '--b\r\nContent-Disposition: form-data; name="picture"; filename="photo.jpg"\r\n\r\n12345\r\n--b--\r\n';
    const fields = `Content-Type: multipart/form-data; boundary=b\r\nCookie: visits=1\r\nContent-Length: ${body.length}`;
    const answer = await server.request(`POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n${body}`);
    expect(answer.body.toString()).toBe("you, photo.jpg: 5 bytes\n");
    expect(answer.headers.get("set-cookie")).toBe("visits=2; HttpOnly");
    expect(answer.headers.get("vary")).toBe("Accept-Encoding");
  },
  async "upload.ts"(server) {
    const body = '--b\r\nContent-Disposition: form-data; name="f"; filename="empty"\r\n\r\n\r\n--b--\r\n';
    const fields = `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${body.length}`;
    const answer = await server.request(`POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n${body}`);
    expect(answer.body.toString()).toBe(`e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n`);
  },
  async "echo.ts"(server) {
    const client = await server.connect();
    expect(await client.send("a line\nand").readUntil("\n")).toBe("a line\n");
    client.close();
  },
  async "room.ts"(server) {
    const [one, other] = [await WsClient.open(server, "/"), await WsClient.open(server, "/")];
    other.send(BINARY, "\x00\x01");
    for (const socket of [one, other]) {
      expect(await socket.readMessage()).toMatchObject({ opcode: BINARY, payload: Buffer.from([0, 1]) });
    }
    await one.close();
    expect((await other.send(TEXT, "alone").readMessage()).payload.toString()).toBe("alone");
    await other.close();
    expect((await server.get("/")).status).toBe(400);
  },
  async "rooms.ts"(server) {
    const [one, two] = [await WsClient.open(server, "/rooms/1"), await WsClient.open(server, "/rooms/2")];
    expect((await one.send(TEXT, "to 1").readMessage()).payload.toString()).toBe("to 1");
    expect((await two.send(TEXT, "to 2").readMessage()).payload.toString()).toBe("to 2");
    expect((await server.get("/")).status).toBe(404);
    await one.close(4000);
    await server.complaint(/closed with 4000/);
    two.client.close();
  },
  async "web/lobby.ts"(server) {
    const value = createSignedValue("for development", "user", "ada");
    const headers = { Cookie: `user=${value}`, Origin: "https://www.example.com" };
    const socket = await WsClient.open(server, "/lobby/7", { headers });
    expect((await socket.readMessage()).payload.toString()).toBe("ada is in 7");
    expect((await socket.send(TEXT, "hello").readMessage()).payload.toString()).toBe("hello");
    await socket.close();
    expect((await server.request(handshakeText("/lobby/7"))).status).toBe(401);
  },
  async "metrics.ts"(server) {
    expect((await server.get("/")).status).toBe(404);
    const text = (await server.get("/metrics")).body.toString();
    expect(text).toContain("\nwaterspout_http_requests_total 2\n");
    expect(text).toContain('waterspout_http_request_duration_seconds_count{method="GET",status="4xx"} 1');
  },
  async "tracing.ts"(server) {
    const trace = "c".repeat(32);
    const fields = `traceparent: 00-${trace}-${"d".repeat(16)}-01`;
    const answer = await server.request(`GET /hello/you HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n`);
    expect(answer.body.toString()).toBe(`Hello, you, from the trace ${trace}`);
    await server.complaint(new RegExp(`^${trace} GET /hello/:name 200 \\d+ ms`));
  },
  async "settings/greeter.ts"(server) {
    expect((await server.get("/")).body.toString()).toBe("Hello, 50 rows about rain and wind\n");
    expect(server.output.stderr, "its file of settings turns the access log off").toBe("");
  },
  async "counted.ts"(server) {
    expect((await server.get("/")).body.toString()).toBe("[]");
    expect((await server.get("/")).body.toString()).toBe("[[200,1]]");
  },
  async "sandboxed/shout.ts"(server) {
    const socket = await WsClient.open(server, "/ws");
    expect((await socket.send(TEXT, "hey").readMessage()).payload.toString()).toBe("HEY");
    expect(await socket.send(BINARY, "\0").readClose()).toBe(1003);
    socket.client.close();
    expect((await server.get("/ws")).status).toBe(400);
  },
  async "greet.ts"(server) {
    expect((await server.get("/hello/you")).body.toString()).toBe("<p>Hello, you</p>");
    expect((await server.get("/hello")).status).toBe(404);
  },
  async "plain.ts"(server) {
    expect((await server.get("/?name=you")).body.toString()).toBe("Hello, you\n");
  },
  async "worker.ts"(server) {
    expect((await server.get("/a")).body.toString()).toBe('{"path":"/a"}');
  },
  async "standard.ts"(server) {
    expect(JSON.parse((await server.get("/a")).body.toString())).toEqual({ path: "/a" });
    const echo = await server.request("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    expect(echo.body.toString()).toBe("abc");
  },
  async "sockets.ts"(server) {
    const [echo, room] = [await WsClient.open(server, "/echo"), await WsClient.open(server, "/rooms/attic")];
    expect((await echo.send(TEXT, "hey").readMessage()).payload.toString()).toBe("hey");
    expect((await room.send(TEXT, "hey").readMessage()).payload.toString()).toBe("attic: hey");
    for (const socket of [echo, room]) await socket.close();
    expect((await server.get("/echo")).status).toBe(400);
  },
  async "web/notes.ts"(server) {
    const type = "Content-Type: application/x-www-form-urlencoded";
    const added = await server.request(`POST /notes HTTP/1.1\r\nHost: x\r\n${type}\r\nContent-Length: 6\r\n\r\ntext=x`);
    expect([added.status, added.headers.get("location")]).toEqual([303, "/notes/2"]);
    expect((await server.get("/notes/2")).body.toString()).toBe("x");
    expect((await server.get("/notes/3")).status).toBe(404);
  },
  async "web/upload.ts"(server) {
    const put = (key: string) => server.request(`PUT /upload HTTP/1.1\r\nHost: x\r\n${key}Content-Length: 1\r\n\r\na`);
    expect((await put("X-Key: secret\r\n")).body.toString()).toMatch(/^ca978112ca1bbdca/);
    expect((await put("")).status).toBe(401);
  },
  async "web/around.ts"(server) {
    const answer = await server.request("GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example.com\r\n\r\n");
    const id = JSON.parse(answer.body.toString()).id;
    expect(answer.headers.get("x-request-id")).toBe(id);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect((await server.get("/internal")).status).toBe(403);
    await server.complaint(new RegExp(`^${id} / \\d+ ms$`));
  },
  async "web/signup.ts"(server) {
    const post = (body: string) =>
      server.request(
        `POST /users?page=2 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    expect(JSON.parse((await post('{"name":"ada","age":36}')).body.toString())).toEqual({
      name: "ADA",
      next: 37,
      page: 2,
    });
    const refused = await post('{"name":"ada","age":-1}');
    expect(refused.status).toBe(422);
    expect(JSON.parse(refused.body.toString()).issues).toMatchObject([{ in: "body", path: ["age"] }]);
    expect((await server.get("/users/7")).body.toString()).toBe('{"id":8}');
  },
  async "web/clock.ts"(server) {
    const client = await server.connect();
    client.send("GET /clock HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 7\r\n\r\n");
    expect(await client.readUntil('data: {"tick":9}\n')).toContain('event: tick\nid: 8\ndata: {"tick":8}\n\n');
    client.close();
    expect((await server.get("/countdown")).body.toString()).toBe("data: 3\n\ndata: 2\n\ndata: 1\n\n");
  },
  async "moved/guestbook.ts"(server) {
    expect(await visit(server.port, GUESTS)).toEqual(GUESTS.map(({ answer }) => answer));
  },
  async "moved/notes.ts"(server) {
    expect(await visit(server.port, NOTES)).toEqual(NOTES.map(({ answer }) => answer));
  },
  async "web/slashes.ts"(server) {
    expect((await server.get("/notes/")).body.toString()).toBe("all notes\n");
    const sent = await server.get("/notes?page=2");
    expect([sent.status, sent.headers.get("location")]).toEqual([301, "/notes/?page=2"]);
  },
  async "web/made.ts"(server) {
    expect((await server.get("/made/5")).body.toString()).toBe("*****");
  },
  async "web/login.ts"(server) {
    expect((await server.get("/")).headers.get("location")).toBe("/login?next=%2F");
    const form = await server.get("/login");
    const xsrf = /value="([^"]+)"/.exec(form.body.toString())?.[1] ?? "";
    const cookie = form.headers.get("set-cookie")?.split(";")[0];
    const body = `name=me&_xsrf=${encodeURIComponent(xsrf)}`;
    const fields = `Cookie: ${cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}`;
    const login = await server.request(`POST /login HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n${body}`);
    const user = login.headers.get("set-cookie")?.split(";")[0];
    const home = await server.request(`GET / HTTP/1.1\r\nHost: x\r\nCookie: ${user}\r\n\r\n`);
    expect(JSON.parse(home.body.toString())).toEqual({ hello: "me" });
  },
  async "sandboxed/notes.ts"(server) {
    const type = "Content-Type: application/x-www-form-urlencoded";
    const added = await server.request(`POST /notes HTTP/1.1\r\nHost: x\r\n${type}\r\nContent-Length: 6\r\n\r\ntext=x`);
    expect([added.status, added.headers.get("location")]).toEqual([303, "/notes/2"]);
    expect((await server.get("/notes/2")).body.toString()).toBe("x");
    expect((await server.get("/notes/9")).status).toBe(404);
    expect((await server.get("/static/none")).status, "no folder was opened for it").toBe(500);
  },
  async "sandboxed/quote.ts"(server) {
    const answer = await server.get("/");
    expect(answer.status).toBe(502);
    expect(answer.body.toString()).toBe("only components of WASI 0.2 and 0.3 make outgoing connections\n");
  },
  async "sandboxed/hello.ts"(server) {
    expect((await server.get("/")).body.toString()).toBe("Hello from the sandbox\n");
    expect((await server.get("/x")).status).toBe(404);
  },
};

async function serves(server: Server, name: string): Promise<void> {
  await ANSWERS[name](server).finally(() => server.stop());
}

const APPLICATIONS = TYPESCRIPT.map(({ name }) => name).filter((name) => name in ANSWERS);

test.each(APPLICATIONS)(
  "%s is served in Node",
  async (name) => {
    await serves(await start(NODE, path.join(folder, name)), name);
  },
  30_000,
);

test.skipIf(!hasWasmtime).each(APPLICATIONS)(
  "%s is served by workers",
  async (name) => {
    await serves(await start(WASMTIME, path.join(folder, name)), name);
  },
  30_000,
);

describe.each(ASSEMBLYSCRIPT.map(({ name }) => name))("%s", (name) => {
  const compile = COMMANDS.find(({ words }) => words[0] === "asc" && words[1] === name);
  const output = compile?.words[compile.words.indexOf("--outFile") + 1] ?? "";

  test("compiles with the command that is given, which is the one of the project", async () => {
    expect(compile, `no command compiles ${name}`).toBeDefined();
    const flags = compile!.words.slice(2).join(" ").replace(`--outFile ${output} `, "");
    expect(flags.split(/ (?=-)/).sort()).toEqual(releaseFlags().sort());
    await run(bin("asc"), compile!.words.slice(1), { cwd: folder });
  });

  const ways = hasWasmtime ? [NODE, WASMTIME, SANDBOXED_BARE] : [NODE];
  test.each(ways)(
    "is served: $name",
    async (way) => {
      await serves(await start(way, path.join(folder, output)), name);
    },
    30_000,
  );
});

/** The release target of asconfig.json as flags. */
function releaseFlags(): string[] {
  const { options, targets } = JSON.parse(read("asconfig.json"));
  const { optimizeLevel, noAssert, runtime, exportStart, use } = targets.release;
  expect(noAssert).toBe(true);
  return [
    `-O${optimizeLevel}`,
    "--noAssert",
    `--runtime ${runtime}`,
    `--exportStart ${exportStart}`,
    ...options.enable.map((feature: string) => `--enable ${feature}`),
    ...use.map((alias: string) => `--use ${alias}`),
  ];
}

/** What runs TypeScript without more: Node, from 22.18 on. */
const TS = "typescript" in process.features && process.features.typescript ? process.execPath : bin("tsx");

test.each(hasWasmtime ? ["node", "wasmtime"] : ["node"])(
  "server.ts serves with %s, and drains",
  async (runtime) => {
    const child = launch([TS, path.join(folder, "server.ts")], { PORT: "0", WATERSPOUT_RUNTIME: runtime });
    await eventually("an address", () => child.output.stdout.includes("\n") || child.exit !== null);
    const port = Number(/ port (\d+)\n/.exec(child.output.stdout)?.[1]);
    expect(port, child.output.stderr).toBeGreaterThan(0);
    const client = await Client.connect(port);
    client.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    expect((await client.readResponse()).body.toString()).toBe("PUT /a, 3 bytes\n");
    client.close();
    child.process.kill("SIGTERM");
    await eventually("its end", () => child.exit !== null);
    expect(child).toMatchObject({ exit: 0, output: { stderr: "" } });
  },
  30_000,
);

test.each(["serving.ts", "handler.ts", "websockets.ts"])(
  "%s serves, and ends",
  async (file) => {
    const child = launch([bin("tsx"), path.join(folder, file)], { PORT: "0" });
    await eventually("an address", () => child.output.stdout.includes("\n") || child.exit !== null);
    const client = await Client.connect(Number(/ port (\d+)\n/.exec(child.output.stdout)?.[1]));
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await client.readResponse()).body.toString()).toBe("you want /a\n");
    client.close();
    child.process.kill("SIGTERM");
    await eventually("its end", () => child.exit !== null);
    expect(child).toMatchObject({ exit: 0, output: { stderr: "" } });
  },
  30_000,
);

test("settings/program.ts takes settings from its command line and its file", async () => {
  const greets = async (...args: string[]) => (await run(TS, ["settings/program.ts", ...args], { cwd: folder })).stdout;
  expect(await greets("--name=you", "me")).toBe("Hello, you and me\n");
  writeFileSync(path.join(folder, "settings/program.json"), '{ "name": "all" }');
  expect(await greets("--config", "settings/program.json")).toBe("Hello, all\n");
  expect(await greets("--help")).toContain("  --name\n      who is greeted\n");
});

// The applications of docs/from-tornado.md and docs/from-express.md before they were moved: the same answers.
const TYPED = [process.execPath, "--import", import.meta.resolve("tsx")];
const BEFORE = [
  { file: "moved/guestbook.py", command: TORNADO, requests: GUESTS },
  { file: "moved/express.ts", command: TYPED, requests: NOTES },
  { file: "moved/onours.ts", command: TYPED, requests: NOTES.slice(0, 1) },
];

test.for(BEFORE)("$file answers as what it was moved to", async ({ file, command, requests }, { skip }) => {
  if (command === null) return skip("there is no Tornado here; make bench installs one");
  const child = launch([...command, path.join(folder, file)], { PORT: "0" });
  await eventually("an address", () => child.output.stdout.includes("\n") || child.exit !== null);
  const port = Number(/ port (\d+)\n/.exec(child.output.stdout)?.[1]);
  expect(port, child.output.stderr).toBeGreaterThan(0);
  expect(await visit(port, requests)).toEqual(requests.map(({ answer }) => answer));
});

test("front.ts passes requests on", async () => {
  const hello = await start(NODE, path.join(folder, "hello.ts"));
  const near = path.join(folder, "near.ts"); // the same, before a server that is there
  const text = readFileSync(path.join(folder, "front.ts"), "utf8");
  writeFileSync(near, text.replace("127.0.0.1:9000", `127.0.0.1:${hello.port}`));
  const front = await start(NODE, near);
  try {
    expect((await front.get("/?name=you")).body.toString()).toBe("Hello, you\n");
  } finally {
    await Promise.all([front.stop(), hello.stop()]);
  }
});

test("client/ask.ts asks a server, and client/talk.ts talks to one", async () => {
  const [hello, room] = [
    await start(NODE, path.join(folder, "hello.ts")),
    await start(NODE, path.join(folder, "room.ts")),
  ];
  try {
    const say = async (file: string, place: string) => (await run(TS, [file, place], { cwd: folder })).stdout;
    const [at, ws] = [`http://127.0.0.1:${hello.port}`, `ws://127.0.0.1:${room.port}/`];
    expect(await say("client/ask.ts", `${at}/?name=you`)).toBe("200 text/plain Hello, you\n\n");
    expect(await say("client/ask.ts", ws.replace("ws:", "http:"))).toMatch(/^400 HTTP 400: /);
    expect(await say("client/talk.ts", ws)).toBe("hello\nclosed with 1000\n");
  } finally {
    await Promise.all([hello.stop(), room.stop()]);
  }
}, 30_000);

test("web/check.ts is a test without a network", async () => {
  const { stdout } = await run(bin("tsx"), ["web/check.ts"], { cwd: folder });
  expect(stdout).toBe("all well\n");
});

// --- units ---

const UNITS = blocks.filter(({ language }) => language === "ini");

test.each(UNITS)("the unit $name is well-formed", ({ text }) => {
  expect(text).toMatch(/^\[Unit\]\n/);
  for (const line of text.split("\n")) expect(line).toMatch(/^(|\[(Unit|Service|Socket|Install)\]|[A-Z]\w+=\S.*)$/);
});

test.skipIf(!hasWasmtime)(
  "the service runs with a listener that it is handed",
  async () => {
    const unit = UNITS.find(({ name }) => name === "waterspout.service");
    const [binary, ...args] = /^ExecStart=(.+)$/m.exec(unit?.text ?? "")?.[1].split(" ") ?? [];
    expect(path.basename(binary)).toBe("wasmtime");
    args[args.length - 1] = path.join(ROOT, "build/demo.wasm");
    const { listenShared } = await import(path.join(ROOT, "dist/host/runtime/node/sharedlistener.js"));
    const listener = await listenShared("127.0.0.1", 0, 16);
    onTestFinished(() => listener.close());
    const wasmtime = process.env.WATERSPOUT_WASMTIME ?? path.join(ROOT, "build/tools/wasmtime");
    const command = ["sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"', wasmtime, ...args];
    launch(command, { LISTEN_FDS: "1" }, ["ignore", "pipe", "pipe", listener.fd]);
    const client = await Client.connect(listener.address.port);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await client.readResponse()).body.toString()).toBe("Hello, world");
    client.close();
  },
  30_000,
);

// --- commands ---

test.each(COMMANDS)("$place: $line", async ({ words }) => {
  const [program, ...args] = words;
  if (program === "make") {
    const variables = args.filter((word) => word.includes("=")).map((word) => word.split("=")[0]);
    for (const name of variables) expect(read("Makefile")).toMatch(new RegExp(`^${name} \\?=`, "m"));
    const app = args.find((word) => word.startsWith("APP="))?.slice(4);
    if (app !== undefined) expect(existsSync(path.join(ROOT, app))).toBe(true);
    await run("make", ["-n", ...args], { cwd: ROOT });
  } else if (program === "waterspout") {
    const known = (await run(process.execPath, [CLI, args[0], "--help"])).stdout;
    const end = args.indexOf("--");
    const own = end < 0 ? args : args.slice(0, end);
    for (const option of own.filter((word) => word.startsWith("--"))) expect(known).toContain(`  ${option}`);
    if (!["run", "dev", "build"].includes(args[0]) || args[1] === RUST_HANDLER) return;
    expect(blocks.map(({ name }) => name)).toContain(args[1]);
  } else if (program === "cargo") {
    for (const word of args) expect(read("Makefile")).toContain(word);
  } else if (program === "node") {
    const registered = ["--import", "waterspout/register"]; // run by register.test.ts
    if (args[0] === registered[0]) return expect(args).toEqual([...registered, "server.js"]);
    if (args[0] === "--input-type=module") return expect(args[1]).toBe("--eval"); // as run by jco.test.ts
    const file = args.findIndex((word) => !word.startsWith("-"));
    if (args[file]?.endsWith(".ts")) return expect(blocks.map(({ name }) => name)).toContain(args[file]);
    expect(args[file]).toBe(path.relative(ROOT, CLI)); // run by debugging.test.ts
    expect(blocks.map(({ name }) => name)).toContain(args[file + 2]);
  } else if (program === "tsx") {
    expect(blocks.map(({ name }) => name)).toContain(args[0]);
  } else if (program === "npm") {
    expect(args).toEqual([
      "install",
      expect.stringMatching(/^(\.\.\/waterspout|assemblyscript@.+|@bytecodealliance\/jco@.+)$/),
    ]);
    const [, name, version] = /^(.[^@]*)(?:@(.+))?$/.exec(args[1])!;
    if (version !== undefined) expect(JSON.parse(read("package.json")).devDependencies[name]).toBe(version);
  } else if (program === "wasmtime" || program === "systemd-socket-activate") {
    expect(
      WASMTIME_COMMANDS.filter((command) => command.test(words.join(" "))),
      words.join(" "),
    ).toHaveLength(1);
  } else if (program === "jco") {
    expect(JCO_COMMANDS.filter((command) => command.test(args.join(" ")))).toHaveLength(1);
  } else if (program === "curl" || program === "nc") {
    expect(args.join(" ")).toMatch(/(^|\/)127\.0\.0\.1[: ](8888|8889)\b/);
  } else {
    expect(["asc", "systemctl", "perf"], "a program that no test knows").toContain(program);
  }
});

/** What `make rust` builds: rusthandler.test.ts serves it. */
const RUST_HANDLER = "build/rust/wasm32-wasip2/release/handler.wasm";

/** How modules and components are compiled and served without the command; other tests run them so. */
const WASMTIME_COMMANDS = [
  / run (-C cache=n )?-S preview2=n -S (listenfd|tcplisten=127\.0\.0\.1:\d+)( --dir \S+::\S+)? \S+\.wasm$/,
  / run -S inherit-network=y ((-S allow-ip-name-lookup|--env [A-Z_]+)=\S+ )?\S+\.component-async\.wasm( --address 127\.0\.0\.1)? --port 8889$/,
  /^wasmtime serve -S cli=y --addr 127\.0\.0\.1:8889 \S+\.http\.wasm$/,
  /^wasmtime compile -W epoch-interruption=y -o \S+\.cwasm \S+\.component-async\.wasm$/,
  / run --allow-precompiled -S inherit-network=y -W max-memory-size=\d+ -W timeout=\d+s \S+\.cwasm --port 8889$/,
];

/** As run by jco.test.ts. */
const JCO_COMMANDS = [
  /^run \S+\.component\.wasm --address 127\.0\.0\.1 --port 8889$/,
  /^serve --host 127\.0\.0\.1 --port 8889 \S+\.http\.wasm$/,
  /^transpile \S+\.component\.wasm --out-dir \S+$/,
];

/**
 * A block's commands in words. `npx` and what is put into the environment are left out, and what `make -s wasmtime`
 * prints is called wasmtime.
 */
function commandsOf(place: string, text: string): { place: string; line: string; words: string[] }[] {
  const lines = text.replaceAll("\\\n", " ").split("\n");
  return lines
    .map((line) => line.replace(/(^| )#.*$/, "").trim())
    .filter((line) => line !== "")
    .map((line) => {
      const plain = line.replaceAll(/"\$\(make -s wasmtime(-async)?\)"/g, "wasmtime").replace(/^([A-Z_]+=\S+ )+/, "");
      const words = plain.replace(/^npx /, "").match(/('[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
      return { place, line, words: words.map((word) => word.replace(/(['"])(.*?)\1/g, "$2")) };
    });
}

// --- processes ---

function bin(name: string): string {
  return path.join(ROOT, "node_modules/.bin", name);
}

interface Launched {
  process: ReturnType<typeof spawn>;
  output: { stdout: string; stderr: string };
  exit: number | string | null;
}

/** Starts a program in the folder; it is gone when the test is over. */
function launch(
  command: string[],
  env: Record<string, string>,
  stdio: StdioOptions = ["ignore", "pipe", "pipe"],
): Launched {
  const [file, ...args] = command;
  const child = spawn(file, args, { cwd: folder, env: { ...process.env, ...env }, stdio });
  const launched: Launched = { process: child, output: { stdout: "", stderr: "" }, exit: null };
  child.stdout?.setEncoding("utf8").on("data", (text) => (launched.output.stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text) => (launched.output.stderr += text));
  child.once("close", (code, signal) => (launched.exit = code ?? signal));
  onTestFinished(async () => {
    if (launched.exit !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  });
  return launched;
}
