// What a module counts: connections, requests, bytes and turns, each once and where it happens.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../assembly/buffer";
import * as stats from "../../assembly/stats";
import { stat } from "../../assembly/stats";
import { connect } from "../../assembly/wasi/simnet";
import { client, exchange, get, ok } from "./httpsupport";
import { accepted, listen, newest, server, settle, sleep, turn, write } from "./support";

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
  stats.writeStats(changetype<usize>(table), 12345);
  expect(table[stats.CONNECTIONS_NOW]).toBe(1);
  expect(table[stats.BUFFER_BYTES]).toBe(12345);
  expect(table[stats.MEMORY_BYTES]).toBe(i64(memory.size()) * 65536);
});
