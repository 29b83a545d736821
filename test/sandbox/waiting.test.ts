// What waiting costs core.wasm under wasmtime, whose poll_oneoff makes a system call for each descriptor once one is
// ready: which descriptors it polls and when it tries its listener, over a scripted network and clock.
import { readFileSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import type { ScriptedWasi } from "../fuzz/scriptedwasi.js";
import type { Wire } from "../fuzz/wire.js";
import { Bridged } from "./bridged.js";

const MODULE = new WebAssembly.Module(readFileSync("build/core.wasm"));
const CONNECTIONS = 64;
const PINNED = 2; // the channel and the listener
const OTHERS = CONNECTIONS - 1; // a connection is not watched while the host has its request
const ANSWERS_LATE = 15; // as in assembly/wasi/poller.ts
const WAIT_MS = 2;
const SILENT_MS = 60; // longer than HOT_NS there

let host: Bridged;
let wasi: ScriptedWasi;
let wires: Wire[];

/** How many descriptors are polled in a turn that may wait. */
function polledInTurn(): number {
  const before = wasi.polled;
  wasi.turn(WAIT_MS);
  return wasi.polled - before;
}

/** The client sends a request, and the turn that waits for it gives it to the host. */
function request(wire: Wire): void {
  wire.send(Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  expect(polledInTurn()).toBe(CONNECTIONS + PINNED);
  expect(polledInTurn()).toBe(0); // some of the others are read instead, in vain
}

function answered(wire: Wire): boolean {
  return wire.take().toString("latin1").startsWith("HTTP/1.1 200 ");
}

beforeEach(async () => {
  host = new Bridged(MODULE);
  ({ wasi } = host);
  await host.hostAnswers();
  wires = Array.from({ length: CONNECTIONS }, () => wasi.connect());
  while (wasi.queue.length > 0 || wasi.untold > 0) wasi.turn();
  while (wasi.turn() === 0);
});

test("a request polls all connections once: its answer is awaited with the listener alone", async () => {
  for (const wire of wires) {
    request(wire);
    await host.hostAnswers();
    expect(polledInTurn()).toBe(PINNED);
    expect(answered(wire)).toBe(true);
    expect(polledInTurn()).toBe(0);
  }
});

test("an answer that takes longer is awaited together with all connections, and so are the next ones", async () => {
  request(wires[0] as Wire);
  wires[1]?.send(Buffer.from("GET"));
  expect(polledInTurn()).toBe(PINNED + OTHERS + PINNED);
  expect(wires[1]?.waiting).toBe(0);
  await host.hostAnswers();
  while (wasi.untold > 0) wasi.turn();
  while (wasi.turn() === 0);
  for (const [index, wire] of wires.slice(2, 2 + ANSWERS_LATE + 1).entries()) {
    request(wire);
    await host.hostAnswers();
    expect(polledInTurn()).toBe(index < ANSWERS_LATE ? OTHERS + PINNED : PINNED);
    expect(answered(wire)).toBe(true);
    expect(polledInTurn()).toBe(0);
  }
});

test("a listener is not tried at each request; one who connects waits a millisecond for others at most", async () => {
  request(wires[0] as Wire);
  const before = wasi.accepts;
  for (const wire of wires.slice(1, 6)) wire.send(Buffer.from("GET"));
  while (wasi.turn() === 0);
  expect(wasi.accepts).toBe(before);

  wasi.connect();
  for (const wire of wires.slice(6, 8)) {
    wire.send(Buffer.from("GET"));
    wasi.turn();
    expect([wire.waiting, wasi.queue.length]).toEqual([0, 1]);
  }
  wasi.pass(1);
  wires[8]?.send(Buffer.from("GET"));
  wasi.turn();
  expect([wires[8]?.waiting, wasi.queue.length]).toEqual([0, 0]);
});

test("nor longer when a silent client, who is looked for alone, sends just then", async () => {
  const silent = Array.from({ length: CONNECTIONS }, () => wasi.connect());
  while (wasi.queue.length > 0 || wasi.untold > 0) wasi.turn();
  wasi.pass(SILENT_MS);
  for (const wire of wires) wire.send(Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  while (wires.some((wire) => wire.waiting > 0)) wasi.turn();
  while (wasi.turn() === 0);
  await host.hostAnswers();

  wasi.connect();
  wasi.pass(1);
  silent[0]?.send(Buffer.from("GET"));
  wasi.turn();
  expect([silent[0]?.waiting, wasi.queue.length]).toEqual([0, 1]);
  expect(wasi.untold).toBeGreaterThan(0);
  wasi.turn();
  expect([wasi.untold, wasi.queue.length]).toEqual([0, 0]);
});

test("a client that connects while nothing else happens is accepted at once", () => {
  wasi.connect();
  wasi.turn(WAIT_MS);
  expect(wasi.queue).toEqual([]);
});
