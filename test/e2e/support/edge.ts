// An application in TypeScript as one component: built by the command, served by wasmtime alone.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { type Ended, end } from "./programs.js";
import { CLI, NODE, ROOT, type Server, start, type Way, wasmtime } from "./ways.js";

export const EDGE: Way = {
  name: "a component, wasmtime alone",
  runtime: "bare",
  demo: "test/e2e/apps/edge.ts",
  component: "component-async",
};
/** wasmtime compiles the engine of JavaScript first. */
export const SERVE_MS = 60_000;

/** The memory that docs/edge.md gives the handler of a component: peers alone do not use it up. */
export const BOUNDED = ["-W", `max-memory-size=${256 << 20}`];

/** What `Built.compile` takes before that, on a machine that has much to do. */
export const MAKE_MS = 300_000;

/** A folder for what is built. */
export class Built {
  readonly folder = mkdtempSync(path.join(tmpdir(), "waterspout-edge-"));

  at(name: string): string {
    return path.join(this.folder, name);
  }

  build(source: string, ...args: string[]): Promise<Ended> {
    return end([process.execPath, CLI, "build", source, "--target", "component-async", ...args], ROOT);
  }

  /** Serves `app` in Node, or as a component that is built first. */
  async serve(way: Way, app: string): Promise<Server> {
    if (way === NODE) return start(NODE, app);
    const file = this.at(`${path.basename(app, ".ts")}.wasm`);
    const { code, stdout, stderr } = await this.build(app, "--out", file);
    if (
      code !== 0 ||
      !/\.wasm: [\d,]+ bytes\nimports: \d+ functions\nserve it with: wasmtime run .*\nor supervised: .*\n$/.test(stdout)
    ) {
      throw new Error(`build has ended with ${code}: ${stdout}${stderr}`);
    }
    return start(EDGE, this.precompile(file), [], { serveMs: SERVE_MS });
  }

  /** Compiles a component for the processor: what is started more than once starts quickly. Answers its file. */
  precompile(file: string): string {
    const compiled = file.replace(/\.wasm$/, ".cwasm");
    execFileSync(wasmtime("wasmtime-async"), ["compile", "-o", compiled, file]);
    return compiled;
  }

  /** Builds `app`, and compiles it for the processor, so that it starts as quickly as others. Answers its file. */
  async compile(app: string): Promise<string> {
    const file = this.at(`${path.basename(app, ".ts")}.wasm`);
    const { code, stderr } = await this.build(app, "--out", file);
    if (code !== 0) throw new Error(`build has ended with ${code}: ${stderr}`);
    return this.precompile(file);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
