// A server that has a successor, to the end of its patience: it does not wait for its connections without end.
import { expect, onTestFinished, test } from "vitest";

import { HTTPServer } from "../../../host/index.js";
import { Client } from "../../e2e/support/client.js";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

async function serving(server: HTTPServer): Promise<Client[]> {
  await server.listen(0);
  onTestFinished(() => server.stop(0));
  const clients = await Promise.all([1, 2].map(() => Client.connect(server.addresses[0]?.port as number)));
  onTestFinished(() => {
    for (const client of clients) client.close();
  });
  return clients;
}

test("what is in flight when the time of a retired server is over is cut, and the server ends", async () => {
  const server = new HTTPServer((request) => {
    if (request.path === "/") request.respond(200, {}, "hello");
    else request.connection.writeHeaders(200, {}); // and no more
  });
  const [idle, busy] = await serving(server);
  await busy?.send(GET.replace("/", "/hangs")).readUntil("\r\n\r\n");
  await idle?.send(GET).readResponse();
  let quiet = false;
  await server.retire(() => (quiet = true), { graceMs: 200, requestMs: 60_000 });
  expect(quiet).toBe(true);
  expect(await idle?.gone()).toBe("ended");
  await expect(busy?.readToEnd()).resolves.not.toContain("0\r\n\r\n");
});

test("an idle connection is closed when it has not brought a request for so long", async () => {
  const server = new HTTPServer((request) => request.respond(200, {}, "hello"));
  const clients = await serving(server);
  for (const client of clients) await client.send(GET).readResponse();
  await server.retire(() => {}, { graceMs: 60_000, requestMs: 100 });
  for (const client of clients) expect(await client.gone()).toBe("ended");
});
