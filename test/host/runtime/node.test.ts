// Modules that misbehave inside Node: each ends its own instance, and the next one takes over its listener.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";

import type { ListeningSocket } from "../../../host/core/address.js";
import { bindSockets } from "../../../host/index.js";
import { runtimeNamed, type Worker } from "../../../host/runtime/index.js";

const node = runtimeNamed("node");
const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
afterAll(() => rmSync(folder, { recursive: true }));

// --- an assembler for one function: enough for modules that do one wrong thing ---

const I32 = 0x7f;
const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
const section = (id: number, ...items: number[][]): number[] => {
  const body = [items.length, ...items.flat()];
  return [id, body.length, ...body];
};

/** A module that imports `name` with `parameters` numbers; its `turn(wait)`, and what else it exports, runs `code`. */
function assemble(name: string, parameters: number, result: boolean, code: number[], ...others: string[]): Buffer {
  const imported = [0x60, parameters, ...Array<number>(parameters).fill(I32), ...(result ? [1, I32] : [0])];
  const body = [0, ...code, 0x0b];
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, imported, [0x60, 1, I32, 1, I32]),
    ...section(2, [...text("wasi_snapshot_preview1"), ...text(name), 0, 0]),
    ...section(3, [1]),
    ...section(5, [0, 1]),
    ...section(7, ...["turn", ...others].map((exported) => [...text(exported), 0, 1]), [...text("memory"), 2, 0]),
    ...section(10, [body.length, ...body]),
  ]);
}

const constant = (value: number): number[] => [0x41, value];
const CALL = [0x10, 0];
const END_NOW = constant(0x7f); // -1

interface Outcome {
  error: Error | null;
  lines: string[];
}

/** Starts a module and waits for its end. */
async function outcome(name: string, bytes: Buffer, sockets: ListeningSocket[] = []): Promise<Outcome> {
  const file = join(folder, `${name}.wasm`);
  writeFileSync(file, bytes);
  await node.prepare(file);
  const lines: string[] = [];
  return new Promise((resolve) => {
    node.start(file, sockets, {
      gather: () => {},
      receive: () => {},
      log: (line) => lines.push(line),
      ended: (error) => resolve({ error, lines }),
    });
  });
}

describe("an instance", () => {
  test("ends in order when its turn says so", async () => {
    expect((await outcome("end", assemble("fd_close", 1, true, END_NOW))).error).toBeNull();
  });

  test("that traps ends", async () => {
    const { error } = await outcome("trap", assemble("fd_close", 1, true, [0x00, ...END_NOW]));
    expect(error?.message).toMatch(/unreachable/);
  });

  test("that exits ends with its status", async () => {
    const exit = assemble("proc_exit", 1, false, [...constant(0x3f), ...CALL, ...END_NOW]);
    expect((await outcome("exit", exit)).error?.message).toMatch(/status 63/);
  });

  test("that names memory that it has not ends", async () => {
    // fd_fdstat_get(3, -4)
    const code = [...constant(3), ...constant(0x7c), ...CALL, 0x1a, ...END_NOW];
    expect((await outcome("pointer", assemble("fd_fdstat_get", 2, true, code))).error?.message).toMatch(/memory/);
  });

  test("that writes without end in one turn ends", async () => {
    // a loop of fd_write(1, 0, 1, 16), whose vector is one piece of 64 KiB from 0 on: i32.store(4, 65535)
    const store = [...constant(4), 0x41, 0xff, 0xff, 0x03, 0x36, 0x02, 0x00];
    const loop = [
      0x03,
      0x40,
      ...constant(1),
      ...constant(0),
      ...constant(1),
      ...constant(16),
      ...CALL,
      0x1a,
      0x0c,
      0,
      0x0b,
    ];
    const { error } = await outcome("flood", assemble("fd_write", 4, true, [...store, ...loop, ...END_NOW]));
    expect(error?.message).toMatch(/writes without end/);
  });

  test("leaves its listener to the next", async () => {
    const [socket] = await bindSockets(0, "127.0.0.1", { runtime: "node" });
    const trap = assemble("fd_close", 1, true, [0x00, ...END_NOW]);
    expect((await outcome("first", trap, [socket])).error).not.toBeNull();
    // Both close descriptor 3 and end: that is the listener, which they can only close if they have it. An application
    // with `drain` may end by itself; the port is closed with it only when its host has asked for that.
    const closing = [...constant(3), ...CALL, 0x1a, ...END_NOW];
    const drained = assemble("fd_close", 1, true, closing, "drain");
    expect((await outcome("drained", drained, [socket])).error).toBeNull();
    const close = assemble("fd_close", 1, true, closing);
    const client = net.connect(socket.address.port, "127.0.0.1");
    await once(client, "connect");
    client.on("error", () => {});
    expect((await outcome("second", close, [socket])).error).toBeNull();
    const late = net.connect(socket.address.port, "127.0.0.1");
    expect((await once(late, "error"))[0].code).toBe("ECONNREFUSED");
    client.destroy();
  });

  test("that is killed says so once", async () => {
    const file = join(folder, "forever.wasm");
    writeFileSync(file, assemble("fd_close", 1, true, constant(1)));
    await node.prepare(file);
    const ends: (Error | null)[] = [];
    let turned = (): void => {};
    const hasTurned = new Promise<void>((resolve) => {
      turned = resolve;
    });
    const worker: Worker = node.start(file, [], {
      gather: () => turned(),
      receive: () => {},
      log: () => {},
      ended: (error) => ends.push(error),
    });
    await hasTurned;
    worker.kill();
    worker.kill();
    await vi.waitUntil(() => ends.length > 0);
    await new Promise((resolve) => setImmediate(resolve)); // a second call would come by then
    expect(ends.map(String)).toEqual(["WorkerError: it was killed"]);
  });
});

describe("a module", () => {
  const prepare = (name: string, bytes: Buffer): Promise<void> => {
    const file = join(folder, `${name}.wasm`);
    writeFileSync(file, bytes);
    return node.prepare(file);
  };

  test("that asks for more than is given is refused by the name of it", async () => {
    await expect(prepare("files", assemble("path_unlink_file", 1, true, END_NOW))).rejects.toMatchObject({
      code: "RUNTIME_UNAVAILABLE",
      message: expect.stringMatching(/imports wasi_snapshot_preview1\.path_unlink_file/),
    });
  });

  test("that is none is refused", async () => {
    await expect(prepare("none", Buffer.from("not a module"))).rejects.toThrow(/cannot load .*none\.wasm/);
    await expect(node.prepare(join(folder, "missing.wasm"))).rejects.toThrow(/missing\.wasm/);
  });

  test("without turn is refused", async () => {
    const empty = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    await expect(prepare("empty", empty)).rejects.toThrow(/exports no turn/);
  });
});
