// docs/images/live.png: the live page of examples/demo.ts while wrk and some hundred idle connections keep it busy;
// `make screenshot`.
//
// Needs wrk, wasmtime and a Chromium (CHROMIUM names another one than /usr/bin/chromium). The picture is a real minute.
import { spawn } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const TARGET = path.join(ROOT, "docs/images/live.png");
const IDLE = 400;

const children = new Set();

function start(file, ...args) {
  const child = spawn(file, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  child.once("error", (error) => {
    console.error(`screenshot: ${file} cannot be started: ${error.message}`);
    process.exit(1);
  });
  return child;
}

/** The first URL in what a stream brings; the rest is dropped. */
function urlIn(stream) {
  return new Promise((resolve) => {
    let text = "";
    stream.on("data", (chunk) => {
      text = (text + chunk).slice(-4096);
      const url = /http:\/\/\S+\//.exec(text)?.[0];
      if (url !== undefined) resolve(url);
    });
  });
}

function load(url, connections, seconds) {
  start("wrk", "-t1", `-c${connections}`, `-d${seconds}s`, url).stdout.resume();
}

/** Opens connections that send `text` and stay. */
function open(port, count, text) {
  for (let i = 0; i < count; i++) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    socket.write(text);
  }
}

process.once("exit", () => {
  for (const child of children) child.kill();
});
const server = start(
  process.execPath,
  ...["dist/host/cli/main.js", "run", "examples/demo.ts", "--port", "0", "--inspect=0", "--access-log", "off"],
  ...["--runtime", "wasmtime", "--workers", "2"],
);
const [live, url] = await Promise.all([urlIn(server.stderr), urlIn(server.stdout)]);
const port = Number(new URL(url).port);

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const rootless = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath, args: rootless });
const page = await browser.newPage({
  viewport: { width: 1200, height: 900 },
  colorScheme: process.env.SCHEME === "light" ? "light" : "dark",
});
await page.goto(live);

await sleep(4000);
open(port, IDLE, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
load(`${url}slow?ms=3`, 24, 58);
await sleep(8000);
for (const [connections, seconds] of [
  [8, 10],
  [32, 14],
  [4, 6],
  [64, 16],
]) {
  load(url, connections, seconds);
  open(port, 14, "GET / HTTP/1.1\r\n\r\n");
  open(port, 6, "GET /nowhere\r\n\r\n");
  open(port, 3, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1e3\r\n\r\n");
  await sleep(seconds * 1000 - 500);
}

mkdirSync(path.dirname(TARGET), { recursive: true });
await page.screenshot({ path: TARGET, fullPage: true });
await browser.close();
console.log(`${path.relative(ROOT, TARGET)}, ${Math.round(statSync(TARGET).size / 1024)} KiB`);
process.exit();
