// What the images of deploy/container run, without a container: the commands are those of the Dockerfiles; folders, addresses and ports are
// the test's.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { instructionsOf } from "./support/dockerfiles.js";
import { bareCommand, CLI, COMPONENT_ASYNC, eventually, NODE, ROOT, Server } from "./support/ways.js";

/** It answers /held only after SIGTERM has come. */
const APP = `export default {
  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === "/held") {
      const stopped = new Promise((resolve) => process.once("SIGTERM", resolve));
      console.error("holds a request");
      await stopped;
    }
    return new Response("served");
  },
};
`;
const HELD = "GET /held HTTP/1.1\r\nHost: x\r\n\r\n";

/** The words of the last instruction with this keyword, in the form without a shell. */
function wordsOf(file: string, keyword: string): string[] {
  const { value } = instructionsOf(`deploy/container/${file}`).findLast((found) => found.keyword === keyword)!;
  return JSON.parse(value.slice(value.indexOf("[")));
}

function project(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-container-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, "node_modules/.bin"), { recursive: true });
  symlinkSync(ROOT, path.join(folder, "node_modules/waterspout"));
  symlinkSync(CLI, path.join(folder, "node_modules/.bin/waterspout"));
  writeFileSync(path.join(folder, "package.json"), "{}");
  writeFileSync(path.join(folder, "app.ts"), APP);
  return folder;
}

test("Dockerfile: its command serves, the health check sees it, and SIGTERM lets a request finish", async () => {
  const others: Record<string, string> = {
    node: process.execPath,
    "0.0.0.0": "127.0.0.1",
    "8888": "0",
    "--inspect=8889": "--inspect=0",
  };
  const [file, ...args] = wordsOf("Dockerfile", "CMD").map((word) => others[word] ?? word);
  const server = new Server(NODE, spawn(file, args, { cwd: project(), stdio: ["ignore", "pipe", "pipe"] }));
  onTestFinished(() => server.stop());
  await eventually("it serves", () => server.output.stdout.includes("\n") || server.exit !== null);
  server.port = Number(/:(\d+)\/ \(node\)$/m.exec(server.output.stdout)?.[1]);
  const admin = /:(\d+)\/$/.exec(await server.complaint(/shows itself/))![1];
  const check = wordsOf("Dockerfile", "HEALTHCHECK").map((word) => word.replace(":8889/", `:${admin}/`));
  const healthStatus = (): number | null => spawnSync(process.execPath, check.slice(1)).status;
  expect(healthStatus()).toBe(0);

  const client = (await server.connect()).send(HELD);
  await server.complaint(/holds a request/);
  server.signal("SIGTERM");
  expect((await client.readResponse()).body.toString()).toBe("served");
  expect(await server.exited).toEqual({ code: 0, signal: null });
  expect(healthStatus()).toBe(1);
});

test("bare.Dockerfile: its command is the one that test/e2e/components.test.ts serves components with", () => {
  const command = ["ENTRYPOINT", "CMD"].flatMap((keyword) => wordsOf("bare.Dockerfile", keyword));
  const way = { ...COMPONENT_ASYNC, wasmtime: "/wasmtime" };
  expect(command).toEqual(bareCommand(way, "/app.wasm", "0.0.0.0", 8888, ["-C", "cache=n"]));
});
