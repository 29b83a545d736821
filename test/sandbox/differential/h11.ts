// h11, the reference parser of Python's asynchronous world, in a child process that takes one case after the other.
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import path from "node:path";
import { createInterface, type Interface } from "node:readline";

import { ROOT } from "../../e2e/support/ways.js";
import type { Outcome } from "./outcome.js";

export class H11 {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;

  constructor() {
    const folder = execFileSync(path.join(ROOT, "scripts/install-wheel.sh"), ["h11"], { encoding: "utf8" }).trim();
    this.child = spawn("python3", [path.join(ROOT, "test/sandbox/differential/h11peer.py"), folder]);
    this.child.stderr.pipe(process.stderr);
    this.reader = createInterface({ input: this.child.stdout });
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  async run(requests: Uint8Array[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const request of requests) {
      const size = Buffer.alloc(4);
      size.writeUInt32BE(request.length);
      this.child.stdin.write(size);
      this.child.stdin.write(request);
    }
    while (outcomes.length < requests.length) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error("h11 has ended");
      outcomes.push(JSON.parse(value) as Outcome);
    }
    return outcomes;
  }

  close(): void {
    this.child.stdin.end();
    this.reader.close();
  }
}
