// Makes a component of bench/sandboxed/least.ts, whose exports are its own where an application's are the loop's.
// Usage: node least.mjs OUT

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const commandPart = (file) => import(join(ROOT, "dist/host/cli", file));
const [{ compile }, { wrap }, { TARGETS }, { findPackage }] = await Promise.all(
  ["build/compiler.js", "build/component.js", "build/targets.js", "packages.js"].map(commandPart),
);

const [out] = process.argv.slice(2);
const source = "bench/sandboxed/least.ts";
const asyncTarget = TARGETS["component-async"];
const target = { ...asyncTarget, component: { ...asyncTarget.component, source } };
const job = { base: ROOT, source: join(ROOT, source), out, debug: false, target };
const { files, failure } = await compile(findPackage("assemblyscript", ROOT), job, process.stderr);
const module = files.get(out);
if (module === undefined) throw new Error(`${source} does not compile: ${failure}`);
const imports = WebAssembly.Module.imports(new WebAssembly.Module(module)).map((each) => each.module);
writeFileSync(out, await wrap(findPackage("@bytecodealliance/jco", ROOT), module, target.component, imports));
