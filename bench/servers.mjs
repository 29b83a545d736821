// The servers that are compared: how each is started, when it is ready, and what it must answer.
// Invariant: a server is measured only after it gave the one right answer, twice over one connection.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { start, stop } from "./processes.mjs";
import { BENCH_DIRECTORY, nginx, node, ROOT, tornado, wasmtime } from "./tools.mjs";

const READY_MS = 30_000; // wasmtime compiles the module first
const BODY = "Hello, world";
const LINE = "Hello, line\n";

/** `launch(port)` → { command, env }; a product's failure fails the bench, a peer's leaves its figures out. */
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

export const WASMTIME_ECHO = {
  ...typescript("Waterspout, TypeScript behind wasmtime", "wasmtime", wasmtimeVariable, "echo.ts"),
  lines: true,
};

export const NODE_ECHO = {
  ...typescript("Waterspout, TypeScript in Node", "node", () => ({}), "echo.ts"),
  lines: true,
};

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

export const TYPESCRIPT_WASMTIME = typescript("Waterspout, TypeScript behind wasmtime", "wasmtime", wasmtimeVariable);

export const TYPESCRIPT_NODE = typescript("Waterspout, TypeScript in Node", "node", () => ({}));

export const NODE_HTTP = {
  title: "Node's http",
  product: false,
  launch: (port) => ({ command: [node().command, join(ROOT, "bench/peers/node-http.mjs"), String(port)] }),
};

export const NGINX = {
  title: "nginx, one worker",
  product: false,
  launch(port) {
    const prefix = join(BENCH_DIRECTORY, "nginx");
    mkdirSync(prefix, { recursive: true });
    const template = readFileSync(join(ROOT, "bench/peers/nginx.conf"), "utf8");
    writeFileSync(join(prefix, "nginx.conf"), template.replace("127.0.0.1:PORT", `127.0.0.1:${port}`));
    const { command, env } = nginx();
    return { command: [command, "-p", prefix, "-c", "nginx.conf", "-e", "stderr"], env };
  },
};

export const TORNADO = {
  title: "Tornado",
  product: false,
  launch: (port) => ({ command: [tornado().command, join(ROOT, "bench/peers/tornado_server.py"), String(port)] }),
};

function wasmtimeVariable() {
  return { WATERSPOUT_WASMTIME: wasmtime().command };
}

function typescript(title, runtime, environment, example = "hello.ts") {
  const launch = (port) => {
    const parameters = ["run", join(ROOT, "examples", example), "--runtime", runtime, "--port", String(port)];
    return { command: [node().command, built("dist/host/cli.js"), ...parameters], env: environment() };
  };
  return { title, product: true, launch };
}

function built(path) {
  if (!existsSync(join(ROOT, path))) throw new Error(`${path} is missing: run "make build" first`);
  return join(ROOT, path);
}

/** Starts a server on a free port and checks its answer. */
export async function startServer(definition, core) {
  const port = await freePort();
  const { command, env } = definition.launch(port);
  const started = start(command, { core, env });
  try {
    await untilReady(started, port, definition.lines ? askLine : (readyPort) => ask(readyPort, new Agent()));
    await (definition.lines ? checkLines(port) : checkAnswers(port));
  } catch (error) {
    await stop(started);
    throw error;
  }
  return {
    definition,
    port,
    pid: started.pid,
    async stop() {
      if (started.how !== null) throw new Error(`it ended by itself: ${started.how}; ${started.output()}`);
      if (!(await stop(started))) throw new Error("it did not stop on SIGTERM and was killed");
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

async function checkAnswers(port) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const reused of [false, true]) {
    const answer = await ask(port, agent);
    const expected = { status: 200, type: "text/plain", body: BODY, reused };
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

function ask(port, agent) {
  return new Promise((resolve, reject) => {
    const request = get({ port, host: "127.0.0.1", path: "/", agent, timeout: 5000 }, (response) => {
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

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
