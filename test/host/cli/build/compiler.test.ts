// The flags that `waterspout build` gives to the compiler: those with which docs/tour.md compiles by hand, and the
// project's own demo is built.
import { expect, test } from "vitest";

import { flags } from "../../../../host/cli/build/compiler.js";

test("the flags of an application", () => {
  expect(flags(false).join(" ")).toBe(
    "--runtime incremental --exportStart _initialize --enable simd --use abort= --use WASI=1 -O2 --noAssert",
  );
});

test("for debugging: assertions and names, and nothing optimised", () => {
  expect(flags(true).join(" ")).toBe(
    "--runtime incremental --exportStart _initialize --enable simd --use abort= --use WASI=1 --target debug --debug --sourceMap",
  );
});
