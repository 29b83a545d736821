// An h3 application: the same requests go to it on Node's own server and on ours, and the answers are compared.
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { toNodeHandler } from "h3";
import { FastResponse } from "srvx";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FetchServer, serve } from "waterspout";

import { h3App } from "./apps/h3.js";
import { type Answered, type Asked, ask, compare, json, name, upload } from "./support/compared.js";

const post = (target: string, body: string | Buffer, type = "text/plain"): Asked => ({
  method: "POST",
  target,
  headers: { "Content-Type": type },
  body,
});

const ASKED: Asked[] = [
  { target: "/" },
  { target: "/?name=%C3%BC" },
  { target: "/", method: "HEAD" },
  { target: "/nowhere" },
  { target: "/about/a%20b/./c/../d?x=1&x=%7b", headers: { "X-Twice": ["a", "b"], "User-Agent": "one" } },
  { target: "/about//e/%2e%2e/f?'" },
  { target: "/about/put", method: "PUT", body: "unread" },
  { target: "/about/any", method: "PROPFIND" },
  { target: "/cookies", headers: { Cookie: ["seen=yes", "other=1"] } },
  { target: "/redirect" },
  { target: "/json" },
  { target: "/nothing" },
  { target: "/cached" },
  { target: "/cached", headers: { "If-None-Match": '"1"' } },
  { target: "/defined" },
  { target: "/private/page" },
  { target: "/private/page", headers: { Authorization: "Bearer yes" } },
  { target: "/users" },
  { target: "/users/1" },
  { target: "/users/2" },
  json("/users", { name: "Bob", age: 3 }),
  json("/users", { name: "Bob" }),
  post("/users", "{", "application/json"),
  { target: "/users/1", method: "DELETE" },
  post("/text", "ä€".repeat(100_000)),
  post("/text", ""),
  post("/bytes", Buffer.from([0, 1, 255])),
  post("/echo", Buffer.alloc(2_000_000, "y")),
  { target: "/echo", method: "POST", headers: { "Transfer-Encoding": "chunked" }, body: "chunked" },
  json("/twice", [1]),
  upload("/form", 150_000),
  post("/urlencoded", "a=1&a=2&b=%C3%BC", "application/x-www-form-urlencoded"),
  { target: "/events" },
  { target: "/stream" },
  { target: "/big" },
  { target: "/blob" },
  { target: "/throw" },
  { target: "/crash" },
  { target: "/rejects" },
];

/**
 * h3's own way to Node's server: no phrase but the application's, another space in types, and a length for 204 (RFC
 * 9110 8.6).
 */
function asItself(expected: Answered, given: Answered): void {
  if (expected.reason === "") given.reason = "";
  if (expected.status === 204) delete expected.headers["content-length"];
  for (const { headers } of [expected, given]) {
    if (headers["content-type"] !== undefined) headers["content-type"] = headers["content-type"].replace("; ", ";");
  }
}

describe.each(["node", "wasmtime"] as const)("%s: h3", (runtime) => {
  const log: string[] = [];
  const theirs = http.createServer(toNodeHandler(h3App()));
  let ours: FetchServer;
  const theirPort = () => (theirs.address() as AddressInfo).port;
  const ourPort = () => Number(new URL(ours.url ?? "").port);

  beforeAll(async () => {
    await once(theirs.listen(0, "127.0.0.1"), "listening");
    ours = await serve({ fetch: h3App(log).fetch, port: 0, runtime }).ready();
  });
  afterAll(async () => {
    theirs.close();
    theirs.closeAllConnections();
    await ours.close();
  });

  test.each(ASKED.map((asked) => [name(asked), asked] as const))("%s", async (_name, asked) => {
    await compare(theirPort(), ourPort(), asked, asItself);
  });

  test("an answer without a body may be given again, and one with a body may not", async () => {
    const given = [new FastResponse(null, { status: 202 }), new FastResponse("once"), new Response("once")];
    const server = await serve({ fetch: ({ url }) => given[Number(url.at(-1))], port: 0, runtime }).ready();
    const statuses = [];
    for (const which of [0, 0, 1, 1, 2]) statuses.push((await fetch(`${server.url}${which}`)).status);
    expect(statuses).toEqual([202, 202, 200, 500, 200]);
    await server.close();
  });

  test("a request can be copied into another", async () => {
    expect((await ask(ourPort(), { target: "/copied" })).body).toBe('[true,"copied","1"]');
  });

  test("its errors are its own business", async () => {
    log.length = 0;
    expect((await ask(ourPort(), { target: "/throw" })).body).toContain("a teapot");
    expect((await ask(ourPort(), { target: "/crash" })).body).not.toContain("not to be shown");
    expect(log).toEqual(["a teapot", "not to be shown"]);
  });
});
