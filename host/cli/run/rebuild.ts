/**
 * `waterspout dev` of an application in AssemblyScript: compiles it by `waterspout build` in a process of its own, at
 * the start and whenever a source changes. The server watches the module.
 *
 * Invariant: one compiler runs at a time; a change while it runs is compiled after it. Errors are on stderr, and the
 * module before them stays.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { taskId } from "../../net/inheritedsockets.js";
import { FileWatcher } from "./filewatcher.js";

/** Whether a file is an application in AssemblyScript. */
export function isAssemblyScript(file: string): boolean {
  return file.endsWith(".ts") && /\bfrom\s*["']waterspout\/assembly(?:\/web)?["']/.test(readFileSync(file, "utf8"));
}

/** Compiles `source`, and again after each change until this process ends. Resolves with the path of the module. */
export function keepBuilt(source: string): Promise<string> {
  const folder = dirname(resolve(source));
  const out = join(folder, "build", basename(source).replace(/\.ts$/, ".wasm"));
  if (taskId() !== null) return Promise.resolve(out); // a child process of this command, which only serves
  let compiler: ChildProcess | null = null;
  let hasChanged = false;
  process.once("exit", () => compiler?.kill());
  return new Promise((built) => {
    const watcher = new FileWatcher(folder, () => {
      hasChanged = true;
      if (compiler === null) compile();
    });
    const compile = (): void => {
      hasChanged = false;
      for (const file of sourcesIn(folder)) watcher.add(file);
      const command = [process.argv[1] as string, "build", source, "--out", out];
      compiler = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "inherit"] });
      compiler.once("close", (code) => {
        compiler = null;
        if (code === 0) built(out);
        if (hasChanged) compile();
      });
    };
    compile();
  });
}

/** Files that a module may be compiled from; packages and what was built are none of them. */
function sourcesIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const own = entries.filter(({ name }) => !name.startsWith(".") && name !== "node_modules" && name !== "build");
  return own.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesIn(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}
