// The servers that are compared: how each is started, when it is ready, and what it must answer.
// Invariant: a server is measured only after it gave the one right answer, twice over one connection.

import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { databaseUrl, USERS_BODY } from "./database.mjs";
import { start, stop } from "./processes.mjs";
import {
  BENCH_DIRECTORY,
  compiled,
  nginx,
  nginxStream,
  node,
  ROOT,
  tornado,
  wasmtime,
  wasmtimeAsync,
} from "./tools.mjs";

const READY_MS = 30_000; // wasmtime compiles the module first
const HELLO = { path: "/", type: "text/plain", body: "Hello, world" };
const USERS = { path: "/users", type: "application/json", body: USERS_BODY };
const LINE = "Hello, line\n";

/**
 * `launch(port)` → { command, env }; a product's failure fails the bench, a peer's leaves its figures out. `answer`:
 * what is asked and must come, HELLO if it is not said; `lines`: it echoes lines instead.
 */
export const SANDBOXED = {
  title: "Waterspout, AssemblyScript in wasmtime",
  product: true,
  launch(port) {
    const module = built("build/demo.wasm");
    const options = ["-S", "preview2=n", "-S", `tcplisten=127.0.0.1:${port}`];
    return { command: [wasmtime().command, "run", ...options, module] };
  },
};

export const SANDBOXED_ECHO = {
  title: "Waterspout, AssemblyScript in wasmtime",
  product: true,
  lines: true,
  launch(port) {
    const options = ["-S", "preview2=n", "-S", `tcplisten=127.0.0.1:${port}`];
    return { command: [wasmtime().command, "run", ...options, built("build/echo.wasm")] };
  },
};

const BEHIND_WASMTIME = "Waterspout, TypeScript behind wasmtime";
const IN_NODE = "Waterspout, TypeScript in Node";

export const WASMTIME_ECHO = typescript(BEHIND_WASMTIME, "wasmtime", { example: "examples/echo.ts", lines: true });
export const NODE_ECHO = typescript(IN_NODE, "node", { example: "examples/echo.ts", lines: true });

export const NODE_NET = {
  title: "Node's net",
  product: false,
  lines: true,
  launch: (port) => ({ command: [node().command, join(ROOT, "bench/peers/node-net.mjs"), String(port)] }),
};

export const TORNADO_ECHO = {
  title: "Tornado",
  product: false,
  lines: true,
  launch: (port) => ({ command: [tornado().command, join(ROOT, "bench/peers/tornado_echo.py"), String(port)] }),
};

export const TYPESCRIPT_WASMTIME = typescript(BEHIND_WASMTIME, "wasmtime");
export const TYPESCRIPT_NODE = typescript(IN_NODE, "node");
const BEHIND_COMPONENT = "Waterspout, TypeScript behind a component of WASI";
export const TYPESCRIPT_ASYNC = typescript(`${BEHIND_COMPONENT} 0.3`, "component-async");
export const TYPESCRIPT_COMPONENT = typescript(`${BEHIND_COMPONENT} 0.2`, "component");
export const LOGGED_WASMTIME = typescript(`${BEHIND_WASMTIME}, access log`, "wasmtime", { accessLog: "json" });
export const LOGGED_NODE = typescript(`${IN_NODE}, access log`, "node", { accessLog: "json" });

/** The demo, which answers POST /echo and GET /ws as the sites do. */
export const DEMO_WASMTIME = typescript(BEHIND_WASMTIME, "wasmtime", { example: "examples/demo.ts" });
export const DEMO_NODE = typescript(IN_NODE, "node", { example: "examples/demo.ts" });

const TRANSFERS = { example: "bench/peers/transfers.ts" };
export const TRANSFERS_WASMTIME = typescript(BEHIND_WASMTIME, "wasmtime", TRANSFERS);
export const TRANSFERS_NODE = typescript(IN_NODE, "node", TRANSFERS);
export const TRANSFERS_SANDBOXED = {
  title: SANDBOXED.title,
  product: true,
  launch(port) {
    const options = ["-S", "preview2=n", "-S", `tcplisten=127.0.0.1:${port}`];
    return { command: [wasmtime().command, "run", ...options, compiled("transfers", "incremental")] };
  },
};

export const NODE_HTTP = {
  title: "Node's http",
  product: false,
  launch: (port) => ({ command: [node().command, join(ROOT, "bench/peers/node-http.mjs"), String(port)] }),
};

export const NODE_SITE = {
  title: "Node's http (and ws)",
  product: false,
  launch: (port) => ({ command: [node().command, join(ROOT, "bench/peers/node-site.mjs"), String(port)] }),
};

export const TORNADO_SITE = {
  title: "Tornado",
  product: false,
  launch: (port) => ({ command: [tornado().command, join(ROOT, "bench/peers/tornado_site.py"), String(port)] }),
};

export const NGINX = {
  title: "nginx, one worker",
  product: false,
  launch(port) {
    const prefix = join(BENCH_DIRECTORY, "nginx");
    mkdirSync(join(prefix, "files"), { recursive: true });
    for (const [name, bytes] of Object.entries({ "1m": 2 ** 20, "1g": 2 ** 30 })) {
      const file = join(prefix, "files", name);
      writeFileSync(file, "");
      truncateSync(file, bytes); // takes no room on the disk
    }
    const template = readFileSync(join(ROOT, "bench/peers/nginx.conf"), "utf8");
    writeFileSync(join(prefix, "nginx.conf"), template.replace("127.0.0.1:PORT", `127.0.0.1:${port}`));
    const { command, env } = nginx();
    return { command: [command, "-p", prefix, "-c", "nginx.conf", "-e", "stderr"], env };
  },
};

/** A proxy: what it forwards to runs beside it and does not count. */
export const NGINX_STREAM = {
  title: "nginx's stream module, forwarding to Node's net",
  product: false,
  lines: true,
  behind: NODE_NET,
  launch(port, echoPort) {
    const { command, env, module } = nginxStream();
    const prefix = join(BENCH_DIRECTORY, "nginx");
    mkdirSync(prefix, { recursive: true });
    const template = readFileSync(join(ROOT, "bench/peers/nginx-stream.conf"), "utf8").replace(/^#.*\n/gm, "");
    const text = template.replace("MODULE", module).replace("PORT", String(port)).replace("ECHO", String(echoPort));
    writeFileSync(join(prefix, "nginx-stream.conf"), text);
    return { command: [command, "-p", prefix, "-c", "nginx-stream.conf", "-e", "stderr"], env };
  },
};

export const TORNADO = {
  title: "Tornado",
  product: false,
  launch: (port) => ({ command: [tornado().command, join(ROOT, "bench/peers/tornado_server.py"), String(port)] }),
};

/** The RequestHandler of bench/handlers. */
const HELLO_HANDLER = { example: "bench/handlers/request-handler.ts" };
export const HANDLER_WASMTIME = typescript(BEHIND_WASMTIME, "wasmtime", HELLO_HANDLER);
export const HANDLER_NODE = typescript(IN_NODE, "node", HELLO_HANDLER);

/** An application of bench/handlers that both serve: fetch, hono or express. */
export function sharedServers(name) {
  const ours = (title, runtime) => {
    const launch = (port) => {
      built("dist/host/index.js");
      const program = join(ROOT, "bench/handlers/serve.mjs");
      return { command: [node().command, program, name, String(port), runtime], env: runtimeEnvironment(runtime) };
    };
    return { title, product: true, launch };
  };
  const program = join(ROOT, "bench/peers/node-handlers.mjs");
  return {
    wasmtime: ours(BEHIND_WASMTIME, "wasmtime"),
    node: ours(IN_NODE, "node"),
    http: {
      title: name === "express" ? "Node's http" : "Node's http with @hono/node-server",
      product: false,
      launch: (port) => ({ command: [node().command, program, name, String(port)] }),
    },
  };
}

/** An application of bench/handlers on srvx. */
export function srvxServer(name) {
  const program = join(ROOT, "bench/peers/node-srvx.mjs");
  const launch = (port) => ({ command: [node().command, program, name, String(port)] });
  return { title: "Node's http with srvx", product: false, launch };
}

/** The CRUD example over a PostgreSQL server, and its list of users on Node's own server. */
export function crudServers() {
  const withUsers = (server) => ({
    ...server,
    answer: USERS,
    launch(port) {
      const { command, env } = server.launch(port);
      return { command, env: { ...env, DATABASE_URL: databaseUrl() } };
    },
  });
  const program = join(ROOT, "bench/peers/node-crud.ts");
  const command = (port) => [node().command, "--import", import.meta.resolve("tsx"), program, String(port)];
  const example = "examples/crud.ts";
  return {
    wasmtime: withUsers(typescript(BEHIND_WASMTIME, "wasmtime", { example })),
    node: withUsers(typescript(IN_NODE, "node", { example })),
    http: withUsers({ title: "Node's http", product: false, launch: (port) => ({ command: command(port) }) }),
  };
}

function typescript(title, runtime, { example = "examples/hello.ts", accessLog = "off", lines = false } = {}) {
  const launch = (port) => {
    const options = ["--runtime", runtime, "--port", String(port), "--access-log", accessLog]; // as the peers, which log nothing
    const parameters = ["run", join(ROOT, example), ...options];
    const command = [node().command, built("dist/host/cli/main.js"), ...parameters];
    return { command, env: runtimeEnvironment(runtime) };
  };
  return { title, product: true, lines, launch };
}

function runtimeEnvironment(runtime) {
  if (runtime === "component-async") return { WATERSPOUT_WASMTIME_ASYNC: wasmtimeAsync().command };
  return runtime === "node" ? {} : { WATERSPOUT_WASMTIME: wasmtime().command };
}

export function built(path) {
  const target = /\.(component|component-async|http|http-async)\.wasm$/.test(path) ? "components" : "build";
  if (!existsSync(join(ROOT, path))) throw new Error(`${path} is missing: run "make ${target}" first`);
  return join(ROOT, path);
}

/** Starts a server on a free port and checks its answer. */
export async function startServer(definition, core) {
  const behind = definition.behind === undefined ? null : await startServer(definition.behind, null);
  const port = await freePort();
  let started = null;
  try {
    const { command, env } = definition.launch(port, behind?.port);
    started = start(command, { core, env });
    const { lines = false, answer = HELLO } = definition;
    await untilReady(started, port, lines ? askLine : (readyPort) => ask(readyPort, answer.path, new Agent()));
    await (lines ? checkLines(port) : checkAnswers(port, answer));
  } catch (error) {
    if (started !== null) await stop(started);
    await behind?.stop();
    throw error;
  }
  return {
    definition,
    port,
    pid: started.pid,
    async stop() {
      if (started.how !== null) throw new Error(`it ended by itself: ${started.how}; ${started.output()}`);
      if (!(await stop(started))) throw new Error("it did not stop on SIGTERM and was killed");
      await behind?.stop();
    },
  };
}

async function untilReady(started, port, question) {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    if (started.how !== null) throw new Error(`it did not start: ${started.how}; ${started.output()}`);
    try {
      return await question(port);
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`no answer after ${READY_MS / 1000} s: ${error.message}`);
      await sleep(50);
    }
  }
}

async function checkAnswers(port, { path, type, body }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const reused of [false, true]) {
    const answer = await ask(port, path, agent);
    const expected = { status: 200, type, body, reused };
    for (const [name, value] of Object.entries(expected)) {
      if (answer[name] !== value) throw new Error(`wrong answer: ${name} is ${answer[name]}, not ${value}`);
    }
  }
  agent.destroy();
}

async function checkLines(port) {
  const answer = await askLine(port, 2);
  if (answer !== `${LINE}${LINE}`) throw new Error(`wrong answer: ${JSON.stringify(answer)} to two lines`);
}

/** Sends a line so many times over one connection, and resolves with all that came back. */
function askLine(port, times = 1) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: 5000 }, () => socket.write(LINE.repeat(times)));
    let answer = "";
    socket.setEncoding("latin1").on("data", (text) => {
      answer += text;
      if (answer.length >= LINE.length * times) socket.destroy();
    });
    socket.on("timeout", () => socket.destroy(new Error("no answer within 5 s")));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

function ask(port, path, agent) {
  return new Promise((resolve, reject) => {
    const request = get({ port, host: "127.0.0.1", path, agent, timeout: 5000 }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => {
        body += text;
      });
      response.on("end", () => {
        const type = response.headers["content-type"]?.split(";")[0];
        resolve({ status: response.statusCode, type, body, reused: request.reusedSocket });
      });
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 5 s")));
    request.on("error", reject);
  });
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
