// docs/crud.md: its commands are run against the example, and answer what it says.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

import { NODE, start } from "../e2e/support/ways.js";
import { documentNamed } from "./documents.js";

const SERVE_MS = 60_000; // the embedded database computes for some seconds, beside other tests

test("the commands of docs/crud.md answer what it says", async () => {
  const { blocks } = documentNamed("docs/crud.md");
  const at = blocks.findIndex(({ text }) => text.startsWith("curl "));
  const env = { DATABASE_URL: "", DATABASE_FOLDER: "" };
  const server = await start(NODE, "examples/crud.ts", [], { env, serveMs: SERVE_MS });
  try {
    const commands = blocks[at].text.replaceAll(":8888/", `:${server.port}/`);
    expect((await promisify(execFile)("sh", ["-ec", commands])).stdout).toBe(blocks[at + 1].text);
  } finally {
    await server.stop();
  }
}, 90_000);
