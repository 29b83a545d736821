// Which pages may open a websocket: each row of test/corpus/origins.md, in both languages and on every way to run. The
// host's check of requests that change something follows the same table.
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Application, RequestHandler } from "../../host/index.js";
import { ROOT, type Server, start, WAYS } from "./support/ways.js";
import { handshakeText } from "./support/wsclient.js";

interface Vector {
  origin: string;
  host: string;
  same: boolean;
}

const vectors: Vector[] = readFileSync(path.join(ROOT, "test/corpus/origins.md"), "utf8")
  .split("\n## ")
  .slice(1)
  .flatMap((section) =>
    [...section.matchAll(/^\| `(.*)` \| `(.*)` \|$/gm)].map(([, origin, host]) => ({
      origin,
      host,
      same: section.startsWith("Of the same site"),
    })),
  );

test("the table is read", () => {
  expect(vectors.filter(({ same }) => same).length).toBeGreaterThan(10);
  expect(vectors.filter(({ same }) => !same).length).toBeGreaterThan(30);
});

describe.each(WAYS)("$name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way);
  });
  afterAll(() => server.stop());

  test.each(vectors)("$origin asks $host: the same is $same", async ({ origin, host, same }) => {
    const client = await server.connect();
    const response = await client.send(handshakeText("/ws", { Host: host, Origin: origin })).readResponse();
    expect(response.status).toBe(same ? 101 : 403);
    client.close();
  });

  test("a request of no page at all, and one that names two", async () => {
    const client = await server.connect();
    expect((await client.send(handshakeText("/ws")).readResponse()).status).toBe(101);
    client.close();
    const twice = handshakeText("/ws", { Origin: "http://x" }).replace(
      "Origin: http://x",
      "Origin: http://x\r\n".repeat(2).trim(),
    );
    expect((await server.request(twice)).status).toBe(403);
  });
});

describe("crossOriginProtection", () => {
  const quiet = (): void => {};
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  class Changing extends RequestHandler {
    override post(): void {
      this.finish("changed");
    }
  }
  const application = new Application([["/", Changing]], { crossOriginProtection: true, logger });

  test.each(vectors)("$origin asks $host: the same is $same", async ({ origin, host, same }) => {
    const answer = await application.inject({ method: "POST", headers: { host, origin } });
    expect(answer.status).toBe(same ? 200 : 403);
  });
});
