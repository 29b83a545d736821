/**
 * The imports and exports of a compiled application: whether it can be served, and by which runtimes.
 *
 * Invariant: what Node provides is read from the runtime's own tables, not listed here a second time.
 */
import { DescriptorTable } from "../runtime/node/descriptors.js";
import { EnvironmentCalls } from "../runtime/node/environment.js";
import { FileCalls } from "../runtime/node/files.js";
import { WASI_MODULE, Wasi } from "../runtime/node/wasi.js";

/** What was found. */
export interface Inspection {
  /** All imports, as `module.name`. */
  imports: string[];
  /** Those that Node does not have and wasmtime does: functions of WASI preview1 that servers do not need. */
  wasmtimeOnly: string[];
  /** Those that no runtime has. A module with one of them cannot run. */
  unknown: string[];
  /** Exports that it lacks and that it needs to be served. */
  missingExports: string[];
}

/** What wasmtime calls, what Node calls, and where both find the application's memory. */
const EXPORTS_NEEDED = ["_initialize", "_start", "memory", "turn"];

/** Reads a module's imports and exports. Throws WebAssembly.CompileError for what is no module. */
export function inspectModule(bytes: Uint8Array): Inspection {
  const module = new WebAssembly.Module(bytes);
  const imports = WebAssembly.Module.imports(module);
  const inNode = functionsOfNode();
  const nameOf = (item: { module: string; name: string }): string => `${item.module}.${item.name}`;
  const foreign = imports.filter((item) => item.module !== WASI_MODULE || item.kind !== "function");
  const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
  return {
    imports: imports.map(nameOf),
    wasmtimeOnly: imports.filter((item) => !foreign.includes(item) && !inNode.has(item.name)).map(nameOf),
    unknown: foreign.map(nameOf),
    missingExports: EXPORTS_NEEDED.filter((name) => !exported.includes(name)),
  };
}

/**
 * What the module inside a component asks for and offers; what it does with its own streams and waitables asks for
 * nothing.
 */
export function inspectCore(bytes: Uint8Array): { imports: string[]; exported: string[] } {
  const module = new WebAssembly.Module(bytes);
  const imports = WebAssembly.Module.imports(module).map(
    ({ module, name }) => `${module}.${name.replace("[async-lower]", "")}`,
  );
  return {
    imports: imports.filter((name) => !/^\$root\.|^\[export\]|\.\[(stream|future|resource)-/.test(name)),
    exported: WebAssembly.Module.exports(module).map(({ name }) => name),
  };
}

function functionsOfNode(): Set<string> {
  const nothing = { readInput: () => 0, write: () => {} };
  const table = new DescriptorTable(() => {});
  const parts = [new Wasi(table, nothing), new FileCalls(table), new EnvironmentCalls()];
  return new Set(parts.flatMap((part) => Object.keys(part.imports())));
}
