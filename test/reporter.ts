// The last lines of a run, always of the same form, for people and machines that read logs, also those that keep no
// more than its end:
//
//     failed: test/e2e/demo.test.ts > the demo, node > greets: AssertionError: expected 404 to be 200
//     tests: 12 passed, 1 failed, 1 skipped
//
// A run in which no test was executed is a failed run, whatever the reason for it.
import type { Reporter, TestModule } from "vitest/node";

export default class ClosingLines implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const lines: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        count[state]++;
        if (state === "failed")
          lines.push(`failed: ${module.relativeModuleId} > ${test.fullName}: ${firstLine(errors)}`);
      }
      // A file that could not be loaded or compiled has no tests to fail.
      if (module.state() === "failed" && module.errors().length > 0) {
        count.failed++;
        lines.push(`failed: ${module.relativeModuleId}: ${firstLine(module.errors())}`);
      }
    }
    const { passed, failed, skipped, pending } = count;
    if (passed + failed === 0) process.exitCode = 1;
    process.stdout.write(`\n${lines.map((line) => `${line}\n`).join("")}`);
    process.stdout.write(`tests: ${passed} passed, ${failed + pending} failed, ${skipped} skipped\n`);
  }
}

function firstLine(errors: ReadonlyArray<{ name?: string; message: string }> | undefined): string {
  const [first] = errors ?? [];
  return first ? `${first.name ?? "Error"}: ${first.message.split("\n", 1)[0]}` : "no reason given";
}
