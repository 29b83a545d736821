// The last line of a run, alone on its line and always of the same form, for people and machines that read logs:
//
//     tests: 12 passed, 0 failed, 1 skipped
//
// A run in which no test was executed is a failed run, whatever the reason for it.
import type { Reporter, TestModule } from "vitest/node";

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++;
      // A file that could not be loaded or compiled has no tests to fail.
      if (module.state() === "failed" && module.errors().length > 0) count.failed++;
    }
    const { passed, failed, skipped, pending } = count;
    if (passed + failed === 0) process.exitCode = 1;
    process.stdout.write(`\ntests: ${passed} passed, ${failed + pending} failed, ${skipped} skipped\n`);
  }
}
