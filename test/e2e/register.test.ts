// `waterspout/register`: programs that know nothing of this project, whose servers become ours.
import { execFile } from "node:child_process";
import http from "node:http";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";

import { Client } from "./support/client.js";
import { Program } from "./support/programs.js";
import { ROOT } from "./support/ways.js";

/** The package's own name stands for the project in its folder. */
const REGISTER = "waterspout/register";
const APPS = path.join(ROOT, "test/e2e/apps/registered");

/** Runs a program to its end. */
function run(app: string, env: Record<string, string> = {}): Promise<{ stdout: string; stderr: string }> {
  const args = ["--import", REGISTER, path.join(APPS, app)];
  return promisify(execFile)(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } });
}

describe.each(["node", "wasmtime"])("%s", (runtime) => {
  const env = { WATERSPOUT_RUNTIME: runtime };
  const line = `waterspout: http.Server is Waterspout's, runtime ${runtime}\n`;

  test("each way to make a server makes one of ours; stderr says so once", async () => {
    const { stdout, stderr } = await run("kinds.cjs", env);
    const ways = ["createServer", "require", "new", "call", "extends", "event"];
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((text) => JSON.parse(text)),
    ).toEqual(
      ways.map((way) => ({
        way,
        isOurs: true,
        text: `you want /${way}\n`,
        ...(way === "extends" && { name: "extended" }),
      })),
    );
    expect(stderr).toBe(line);
  });

  test("an Express application, which listens by itself", async () => {
    const app = new Program(path.join(APPS, "express.mjs"), { ...env, NODE_OPTIONS: `--import ${REGISTER}` });
    onTestFinished(() => app.killAll());
    const client = await Client.connect(await app.port());
    const body = "[1,2,3]";
    const head = `POST /sum HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    client.send(`${head}\r\n\r\n${body}`);
    expect((await client.readResponse("POST")).body.toString()).toBe('{"sum":6}');
    client.close();
    expect(app.errors).toBe(line);
    process.kill(app.pid, "SIGTERM");
    expect(await app.exited).toEqual({ code: 0, signal: null });
  });
});

test("a listener that throws ends the program; the limits are those of Node's server, and a body may have any size", async () => {
  await expect(run("throws.cjs")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Error: thrown on purpose"),
  });
  const { keepAliveTimeout, headersTimeout, requestTimeout } = http.createServer();
  const limits = [keepAliveTimeout, headersTimeout, requestTimeout, 200, 200, 431];
  expect(JSON.parse((await run("limits.cjs")).stdout)).toEqual(limits);
});

test("workers of node:cluster keep Node's server", async () => {
  const { stdout, stderr } = await run("cluster.cjs");
  expect(stdout).toBe("true a worker\n");
  expect(stderr).toBe("waterspout: a worker of node:cluster keeps Node's http.Server\n".repeat(2));
});
