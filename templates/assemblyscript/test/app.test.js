// The application as it is served: built by `npm test`, started on a free port, asked over HTTP, ended in order.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

let server;
let url = "";

before(async () => {
  const command = ["run", "build/app.wasm", "--port", "0", "--json"];
  server = spawn("node_modules/.bin/waterspout", command, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(server.stdout)) {
    ({ url } = JSON.parse(line));
    break;
  }
  assert.notEqual(url, "", "the server has ended before it served");
});

after(async () => {
  server.kill("SIGTERM");
  assert.deepEqual(await once(server, "exit"), [0, null]);
});

test("greets the client by name", async () => {
  assert.equal(await (await fetch(`${url}?name=you`)).text(), "Hello, you\n");
  assert.equal(await (await fetch(url)).text(), "Hello, world\n");
});

test("adds two numbers", async () => {
  assert.deepEqual(await (await fetch(new URL("/add/1/2.5", url))).json(), { sum: 3.5 });
});

test("refuses what is no number", async () => {
  assert.equal((await fetch(new URL("/add/1/x", url))).status, 400);
});

test("knows what it does not have", async () => {
  assert.equal((await fetch(new URL("/nowhere", url))).status, 404);
  assert.equal((await fetch(url, { method: "POST" })).status, 405);
});
