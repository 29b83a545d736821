// The corpus through examples/sandboxed/proxy.ts to an upstream whose parser is lax: it sees the requests that the
// proxy has taken, no others, and none of them leaves anything on a kept connection.
import { once } from "node:events";
import http, { METHODS } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Case, corpus } from "../corpus/corpus.js";
import { BUILD_MS, portOf, proxyBefore } from "./support/reverseproxy.js";
import { COMPONENT, COMPONENT_ASYNC, makeComponents, type Server } from "./support/ways.js";

const FILES = [
  "smuggling.md",
  "content-length.md",
  "transfer-encoding.md",
  "chunks.md",
  "trailers.md",
  "connection.md",
  "pipelining.md",
  "fields.md",
  "line-ends.md",
  "upgrade.md",
];
const MARK = "/mark";

let seen: string[] = [];
const upstream = http.createServer({ insecureHTTPParser: true, requireHostHeader: false }, (request, response) => {
  seen.push(`${request.method} ${request.url}`);
  request.on("error", () => {}); // its client, or the proxy, has given it up
  request.resume().on("end", () => response.end(request.url));
});
upstream.on("clientError", (error, socket) => {
  // The proxy closes the connection of a request that it gives up in the middle, and nothing else is wrong with it.
  if ((error as NodeJS.ErrnoException).code !== "HPE_INVALID_EOF_STATE") seen.push(`broken: ${error.message}`);
  socket.destroy();
});

beforeAll(async () => {
  makeComponents();
  await once(upstream.listen(0, "127.0.0.1"), "listening");
}, BUILD_MS);
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

describe.each([COMPONENT, COMPONENT_ASYNC])("$component", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await proxyBefore(way, portOf(upstream));
  }, BUILD_MS);
  afterAll(() => server.stop());

  test.each(FILES)("%s", async (file) => {
    const cases = corpus.filter((one) => one.file === file && isForBoth(one));
    expect(cases.length).toBeGreaterThan(0);
    for (const one of cases) await forwarded(server, one);
  });
});

/** The proxy has no limit of a body's size, and the upstream knows Node's methods alone. */
function isForBoth({ events }: Case): boolean {
  return (
    events[0] !== "refused 413 BODY_TOO_LARGE" && requestsOf(events).every(([, method]) => METHODS.includes(method))
  );
}

/** Those of the whole server are the proxy's own. */
function requestsOf(events: string[]): string[][] {
  return events.map((event) => event.split(" ")).filter(([kind, , target]) => kind === "request" && target !== "*");
}

/** Sends it and then a request of another client, which the same connection to the upstream may carry. */
async function forwarded(server: Server, { events, request, title }: Case): Promise<void> {
  seen = [];
  const client = await server.connect();
  client.send(request).halfClose();
  await client.gone();
  client.close();
  const mark = await server.get(MARK);
  expect([mark.status, mark.body.toString()], title).toEqual([200, MARK]);
  const taken = requestsOf(events).map(([, method, target]) => `${method} ${target}`);
  // The last one may have been given up before there was a connection for it.
  const isWhole = events.at(-1)!.startsWith("end ");
  const possible = isWhole ? [taken] : [taken, taken.slice(0, -1)];
  expect(possible, title).toContainEqual(seen.filter((line) => line !== `GET ${MARK}`));
}
