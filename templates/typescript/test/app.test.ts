// The application's answers, without a network: `inject` hands it a request.
import assert from "node:assert/strict";
import { test } from "node:test";
import app from "../app.ts";

test("greets the client by name", async () => {
  const answer = await app.inject("/?name=you");
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(answer.text, /Hello, you</);
  assert.match((await app.inject("/")).text, /Hello, world</);
});

test("a name is never markup", async () => {
  const answer = await app.inject(`/?name=${encodeURIComponent("<script>")}`);
  assert.match(answer.text, /Hello, &lt;script&gt;</);
});

test("adds two numbers", async () => {
  assert.deepEqual((await app.inject("/add/1/2.5")).json(), { sum: 3.5 });
});

test("refuses what is no number", async () => {
  assert.equal((await app.inject("/add/1/x")).status, 400);
});

test("knows what it does not have", async () => {
  assert.equal((await app.inject("/nowhere")).status, 404);
  assert.equal((await app.inject({ method: "POST" })).status, 405);
});
