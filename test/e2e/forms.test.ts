// The three forms of Tornado's TCPServer, as the examples show them, on both runtimes.
import { availableParallelism } from "node:os";
import { afterEach, describe, expect, test } from "vitest";

import { commandLine } from "./support/processes.js";
import { answering, ask, Program } from "./support/programs.js";
import { wasmtime } from "./support/ways.js";

describe.each(["node", "wasmtime"])("%s", (runtime) => {
  let program: Program;
  const run = (file: string, env: Record<string, string> = {}): Program => {
    const binary = runtime === "wasmtime" ? { WATERSPOUT_WASMTIME: wasmtime() } : {};
    return (program = new Program(file, { WATERSPOUT_RUNTIME: runtime, ...binary, ...env }));
  };
  afterEach(() => program.end());

  const wasmtimes = (): number =>
    program.workers().filter(({ pid }) => /wasmtime$/.test(commandLine(pid)[0] ?? "")).length;

  test("listen: several ports, at once, without start", async () => {
    run("examples/forms-listen.ts");
    const ports = (await program.lines(2)).map((line) => Number(line.split(" ").at(-1)));
    expect(new Set(ports).size).toBe(2);
    expect(await Promise.all(ports.map((port) => ask(port, "hi")))).toEqual(["hi", "hi"]);
    program.workers();
    program.signal("SIGTERM");
    expect(await program.gone()).toEqual({ code: 0, signal: null });
  });

  test("bind and start(3): one port, three processes", async () => {
    run("examples/forms-start.ts", { PROCESSES: "3" });
    const port = await program.port();
    if (runtime === "wasmtime") {
      expect(await ask(port, "hi")).toBe(`main ${program.pid} hi`);
      expect(wasmtimes()).toBe(3);
    } else {
      const lines = (await program.lines(3)).sort();
      expect(lines).toEqual([0, 1, 2].map((task) => `process ${task} serves port ${port}`));
      expect(await answering(port, 3)).toEqual(["0", "1", "2"]);
    }
    program.workers();
    program.signal("SIGTERM");
    const exit = await program.gone();
    if (runtime === "node") expect(exit).toEqual({ code: 0, signal: null });
  });

  test("bind and start(0): one process a processor", async () => {
    run("examples/forms-start.ts", { PROCESSES: "0" });
    if (runtime === "wasmtime") {
      await program.lines(1);
      expect(wasmtimes()).toBe(availableParallelism());
    } else {
      await program.lines(availableParallelism());
      expect(program.workers().length).toBe(availableParallelism());
    }
  });

  test("bindSockets, forkProcesses(3), addSockets: one port, task ids 0, 1 and 2", async () => {
    run("examples/forms-fork.ts", { PROCESSES: "3" });
    const port = await program.port();
    const lines = (await program.lines(3)).sort();
    expect(lines).toEqual([0, 1, 2].map((task) => `process ${task} serves port ${port}`));
    expect(await answering(port, 3)).toEqual(["0", "1", "2"]);
    program.workers();
    program.signal("SIGINT");
    expect(await program.gone()).toEqual({ code: 0, signal: null });
  });

  test("forkProcesses(0): one process a processor", async () => {
    run("examples/forms-fork.ts", { PROCESSES: "0" });
    const lines = await program.lines(availableParallelism());
    expect(lines.map((line) => line.split(" ")[1]).sort()).toEqual(lines.map((_, task) => String(task)));
  });
});
