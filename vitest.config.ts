// Six suites in one run. `npx vitest run --project assembly` runs one of them, a path behind it one file.
//
//   assembly  inside wasm: each file of test/assembly is compiled by asc and each test runs in an instance of its own, over
//             the scripted network of assembly/wasi/sim/index.ts. Tests import from "vitest-pool-assemblyscript/assembly".
//   host      parts of the host, and of edge/, in Node.
//   docs      what the documents say: snippets are compiled and served, tables held against the code.
//   e2e       black boxes: servers are started and spoken to over loopback, several files at a time, since most of them
//             wait most of the time. Needs what `make test` builds and installs first.
//   e2e-elsewhere  the same for what serves without Node, on Bun and Deno, or in components: on another Node it would say the same.
//             Builds of frameworks, too, which `make frameworks` installs.
//   e2e-alone the same for files that measure time, processor or memory: one after the other, when all else is done.
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { createAssemblyScriptPool } from "vitest-pool-assemblyscript/config";

const ALONE = ["bodies", "crud", "node", "sandboxed", "slow", "stop", "wasmtime", "websocket"].map(
  (name) => `test/e2e/${name}.test.ts`,
);

const ELSEWHERE = [
  "bridgedcomponents",
  "components",
  "componentsockets",
  "edge",
  "edgeexamples",
  "edgefetch",
  "engines",
  "environment",
  "frameworks",
  "httpcomponent",
  "installwasmtime",
  "outgoing",
  "reverseproxy",
  "reverseproxycorpus",
  "reverseproxyupgrades",
  "runcomponent",
  "wasmtimes",
].map((name) => `test/e2e/${name}.test.ts`);

const E2E = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    reporters: ["default", "./test/reporter.ts"],
    maxWorkers: availableParallelism(), // the default leaves one processor unused
    projects: [
      {
        test: {
          name: "assembly",
          include: ["test/assembly/**/*.test.ts"],
          testTimeout: 30_000, // unoptimized code, and some of it moves 64 MiB
          pool: createAssemblyScriptPool({
            // The target of asconfig.json that is not the shipped build: -O0, asserts on, `abort` imported (the pool
            // reads failures from it). The runtime stands here because the pool asks for `stub` on the same command
            // line.
            extraCompilerFlags: ["--target", "test", "--runtime", "incremental"],
            // Inlined code is compiled as it ships.
            stripInline: false,
          }),
        },
      },
      {
        test: {
          name: "host",
          include: ["test/host/**/*.test.ts", "test/sandbox/**/*.test.ts", "test/edge/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: { name: "docs", include: ["test/docs/**/*.test.ts"], testTimeout: 30_000 },
      },
      {
        test: {
          ...E2E,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: [...ALONE, ...ELSEWHERE],
          maxWorkers: availableParallelism() + 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...E2E,
          name: "e2e-elsewhere",
          include: ELSEWHERE,
          maxWorkers: availableParallelism() + 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...E2E,
          name: "e2e-alone",
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
