// Four suites in one run. `npx vitest run --project assembly` runs one of them, a path behind it one file.
//
//   assembly  inside wasm: each file of test/assembly is compiled by asc and each test runs in an instance of its own, over
//             the scripted network of assembly/wasi/sim/index.ts. Tests import from "vitest-pool-assemblyscript/assembly".
//   host      parts of the host, in Node.
//   docs      what the documents say: snippets are compiled and served, tables held against the code.
//   e2e       black boxes: servers are started and spoken to over loopback, one file after the other, because they
//             measure time and share two cores. Needs what `make test` builds and installs first.
import { defineConfig } from "vitest/config";
import { createAssemblyScriptPool } from "vitest-pool-assemblyscript/config";

export default defineConfig({
  test: {
    reporters: ["default", "./test/reporter.ts"],
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
          include: ["test/host/**/*.test.ts", "test/sandbox/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: { name: "docs", include: ["test/docs/**/*.test.ts"], testTimeout: 30_000 },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 1 }, // when the others are done
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
