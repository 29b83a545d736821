// The corpus over real connections: each case is sent whole, the client's side is closed, and what comes back has to be
// what the events of the case say: 200 for a request that is complete, the refusal's status, nothing for one that never
// is; then an orderly end.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Case, corpus, FILES } from "../corpus/corpus.js";
import type { Client } from "./support/client.js";
import { NODE, SANDBOXED_BARE, type Server, start, WASMTIME, type Way } from "./support/ways.js";

const COLLECT = "test/e2e/apps/collect.ts";
/** Cases that are sent at the same time. */
const AT_ONCE = 16;

/** What the demo can answer for: it may answer before a body is complete. */
const HEADS = ["request-line.md", "versions.md", "targets.md", "host.md", "fields.md", "line-ends.md"];

describe.each([
  [NODE.name, NODE, COLLECT, FILES],
  [WASMTIME.name, WASMTIME, COLLECT, FILES],
  [SANDBOXED_BARE.name, SANDBOXED_BARE, SANDBOXED_BARE.demo, HEADS],
])("%s", (_, way, app, files) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way, app);
  });
  afterAll(() => server.stop());

  test.each(files)("%s", async (file) => {
    const cases = corpus.filter((one) => one.file === file);
    while (cases.length) await Promise.all(cases.splice(0, AT_ONCE).map((one) => answered(server, way, one)));
  });
});

/** OPTIONS of the whole server is answered by the server itself. */
const SERVER_WIDE = 204;

interface Expected {
  status: number;
  method: string;
}

async function answered(server: Server, way: Way, one: Case): Promise<void> {
  const client = await server.connect();
  try {
    client.send(one.request).halfClose();
    for (const { status, method } of expectedOf(one)) {
      const got = await responseTo(client, method, one);
      // The demo knows few targets and methods; what it answers to the others is its own.
      if (way === SANDBOXED_BARE && status === 200) expect([200, 404, 405]).toContain(got);
      else expect(got).toBe(status);
    }
    if (one.events.at(-1) === "needs body" && one.events.includes("expect 100-continue")) await client.gone();
    else await client.expectEnd();
  } catch (error) {
    throw new Error(`${one.file}, "${one.title}": ${(error as Error).message}`);
  } finally {
    client.close();
  }
}

/** The status of the next response but 100, which may come only when it was asked for. */
async function responseTo(client: Client, method: string, one: Case): Promise<number> {
  const { status } = await client.readResponse(method);
  if (status !== 100) return status;
  expect(one.events).toContain("expect 100-continue");
  return (await client.readResponse(method)).status;
}

function expectedOf({ events, request }: Case): Expected[] {
  const expected: Expected[] = [];
  // A head that is refused is no event of its own, and its answer has no body either.
  let [method, status] = [request.toString("latin1", 0, 5) === "HEAD " ? "HEAD" : "GET", 200];
  for (const event of events) {
    const [kind, detail, target] = event.split(" ");
    if (kind === "request") [method, status] = [detail, target === "*" ? SERVER_WIDE : 200];
    else if (kind === "end") expected.push({ status, method });
    else if (kind === "refused") expected.push({ status: Number(detail), method });
    if (kind === "end") method = "GET";
  }
  return expected;
}
