// What a module counts: connections, requests, bytes and turns, each once and where it happens.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { LAST_REFUSAL, Refusal } from "../../../assembly/protocol/http/refusal";
import * as stats from "../../../assembly/core/stats";
import { stat } from "../../../assembly/core/stats";
import * as wasi from "../../../assembly/wasi/index";
import { connect } from "../../../assembly/wasi/sim/net";
import { client, exchange, get, ok } from "../support/http";
import { accepted, listen, newest, server, settle, sleep, turn, write } from "../support/sim";

test("connections: now and ever", () => {
  listen();
  for (let i = 0; i < 1000; i++) {
    accepted().reset();
    settle();
  }
  expect(stat(stats.CONNECTIONS_NOW)).toBe(0);
  expect(stat(stats.CONNECTIONS_EVER)).toBe(1000);
  expect(i32(bytesInUse())).toBe(0);
  accepted();
  connect();
  settle();
  expect(stat(stats.CONNECTIONS_NOW)).toBe(2);
  server.closeAllConnections();
  settle();
  expect(stat(stats.CONNECTIONS_NOW)).toBe(0);
  expect(stat(stats.CONNECTIONS_EVER)).toBe(1002);
});

test("closing the connections of a server in any order leaves its list whole", () => {
  listen();
  for (let i = 0; i < 5; i++) connect();
  settle();
  const seen = server.seen.slice();
  const order = [2, 4, 0];
  for (let i = 0; i < order.length; i++) {
    seen[order[i]].stream.close();
    settle();
  }
  expect(server.connections).toBe(2);
  server.closeAllConnections();
  settle();
  expect(server.connections).toBe(0);
  for (let i = 0; i < seen.length; i++) expect(seen[i].stream.closed).toBe(true);
});

test("connections refused: a PROXY protocol header that is none, or does not come", () => {
  server.useProxyProtocol();
  listen();
  accepted().send("GET / HTTP/1.1\r\n");
  accepted();
  settle();
  expect(stat(stats.CONNECTIONS_REFUSED)).toBe(1);
  sleep(10_000);
  expect(stat(stats.CONNECTIONS_REFUSED)).toBe(2);
  expect(stat(stats.CONNECTIONS_NOW)).toBe(0);
});

test("bytes, also those that had to wait", () => {
  listen();
  const peer = accepted();
  peer.room = 3;
  write(newest().stream, "abcdef");
  settle();
  expect(stat(stats.BYTES_OUT)).toBe(3);
  peer.room = 100;
  settle();
  expect(stat(stats.BYTES_OUT)).toBe(6);
  newest().stream.consume();
  peer.send("0123456789");
  settle();
  expect(stat(stats.BYTES_IN)).toBe(10);
});

test("requests: in flight, ever, refused", () => {
  const peer = client();
  exchange(peer, get("/hello?n=1"));
  expect(stat(stats.REQUESTS_NOW)).toBe(0);
  exchange(peer, get("/later?n=2&ms=50"));
  expect(stat(stats.REQUESTS_NOW)).toBe(1);
  expect(stat(stats.REQUESTS_EVER)).toBe(2);
  sleep(50);
  expect(stat(stats.REQUESTS_NOW)).toBe(0);
  const lost = client();
  exchange(lost, get("/never"));
  expect(stat(stats.REQUESTS_NOW)).toBe(1);
  lost.reset();
  exchange(client(), "nonsense\r\n\r\n");
  sleep(1000);
  expect(stat(stats.REQUESTS_NOW)).toBe(0);
  expect(stat(stats.REQUESTS_EVER)).toBe(3);
  expect(stat(stats.REQUESTS_REFUSED)).toBe(1);
  expect(exchange(client(), get("/hello?n=3"))).toBe(ok("hello 3"));
});

test("turns, what they tried, and the table as it leaves", () => {
  listen();
  turn();
  const turns = stat(stats.TURNS);
  const tried = stat(stats.HANDLES_TRIED);
  accepted();
  expect(stat(stats.TURNS)).toBeGreaterThan(turns);
  expect(stat(stats.HANDLES_TRIED)).toBeGreaterThan(tried);
  const table = new StaticArray<i64>(stats.STATS);
  stats.writeStats(changetype<usize>(table), 12345, 7);
  expect(table[stats.CONNECTIONS_NOW]).toBe(1);
  expect(table[stats.BUFFER_BYTES]).toBe(12345);
  expect(table[stats.MEMORY_BYTES]).toBe(i64(memory.size()) * 65536);
  expect(table[stats.CONNECTIONS_HOT]).toBe(7);
});

test("hot connections are those that are watched", () => {
  listen();
  accepted();
  accepted();
  settle();
  expect(wasi.hotConnections()).toBe(2);
  newest().stream.close();
  settle();
  expect(wasi.hotConnections()).toBe(1);
});

test("a turn is counted once, by the power of two that it did not pass", () => {
  const times: i64[] = [0, 1, 1024, 1025, 2048, 2049, 1 << 28, (1 << 28) + 1, i64.MAX_VALUE];
  const buckets: i32[] = [0, 0, 0, 1, 1, 2, 18, 19, 19];
  for (let i = 0; i < times.length; i++) {
    const before = stat(stats.TURN_TIMES + buckets[i]);
    stats.countTurn(times[i]);
    expect(stat(stats.TURN_TIMES + buckets[i])).toBe(before + 1);
  }
  let sum: i64 = 0;
  for (let i = 0; i < stats.TURN_TIMES_COUNT; i++) sum += stat(stats.TURN_TIMES + i);
  expect(sum).toBe(stat(stats.TURNS));
  expect(stat(stats.TURN_NS_MAX)).toBe(i64.MAX_VALUE);
});

test("refused requests are counted by their reason, and each reason has a place", () => {
  expect(-2 - LAST_REFUSAL).toBe(stats.REFUSALS_COUNT - 2);
  exchange(client(), "nonsense\r\n\r\n");
  exchange(client(), "GET / HTTP/1.1\r\n\r\n");
  expect(stat(stats.REFUSALS - 2 - Refusal.BAD_METHOD) + stat(stats.REFUSALS - 2 - Refusal.NO_VERSION)).toBe(1);
  expect(stat(stats.REFUSALS - 2 - Refusal.NO_HOST)).toBe(1);
  stats.countRefusal(LAST_REFUSAL - 1);
  stats.countRefusal(i32.MAX_VALUE);
  stats.countRefusal(i32.MIN_VALUE);
  expect(stat(stats.REFUSALS + stats.REFUSALS_COUNT - 1)).toBe(3);
  let sum: i64 = 0;
  for (let i = 0; i < stats.REFUSALS_COUNT; i++) sum += stat(stats.REFUSALS + i);
  expect(sum).toBe(stat(stats.REQUESTS_REFUSED));
});

test("the table ends with its last row", () => {
  expect(stats.TURN_TIMES + stats.TURN_TIMES_COUNT).toBe(stats.REFUSALS);
  expect(stats.REFUSALS + stats.REFUSALS_COUNT).toBe(stats.STATS);
});
