// How many system calls a small request costs under wasmtime at full load, counted over a scripted network, where no
// other program's time changes it.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ScriptedWasi } from "../fuzz/scriptedwasi.js";
import { AsWasmtime, Bridged } from "./bridged.js";

const CONNECTIONS = 64;
const REQUESTS = 5000;
const WAIT_MS = 2;
const REQUEST = Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

/** Clients that send their next request as soon as they have an answer. Returns the system calls a request. */
async function load(wasi: ScriptedWasi, hostAnswers?: () => Promise<void>): Promise<number> {
  const wires = Array.from({ length: CONNECTIONS }, () => wasi.connect());
  for (const wire of wires) wire.send(REQUEST);
  let answers = 0;
  let before = 0;
  while (answers < 2 * REQUESTS) {
    wasi.turn(WAIT_MS);
    await hostAnswers?.();
    for (const wire of wires) {
      const answer = wire.take().toString("latin1");
      if (answer === "") continue;
      expect(answer.startsWith("HTTP/1.1 200 ")).toBe(true);
      answers++;
      wire.send(REQUEST);
    }
    if (answers < REQUESTS) before = wasi.systemCalls; // connecting is left out
  }
  return (wasi.systemCalls - before) / REQUESTS;
}

function module(name: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(`build/${name}.wasm`));
}

test("bare: one to read, one to write, and next to none besides", async () => {
  const wasi = new ScriptedWasi(module("demo"), new AsWasmtime(1));
  expect(await load(wasi)).toBeLessThanOrEqual(2.05);
});

test("behind wasmtime: the frames of a turn share theirs", async () => {
  const host = new Bridged(module("core"));
  await host.hostAnswers();
  expect(await load(host.wasi, () => host.hostAnswers())).toBeLessThanOrEqual(2.1);
});
