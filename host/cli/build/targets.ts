/**
 * What an application can be built for: a module of WASI preview1, or a component of WASI 0.2 or 0.3, or one of
 * wasi:http 0.2 or 0.3.
 *
 * Invariant: the functions that a component exports, and their names, stand here alone; what it imports stands in its
 * WIT.
 * Reference: the component model's CanonicalABI.md and its "legacy" names, which wit-component and so jco take.
 */
export type TargetName = "preview1" | "component" | "component-async" | "http" | "http-async";

export interface Target {
  readonly name: TargetName;
  /** What the sources call it: `WASI` in assembly/wasi/index.ts. */
  readonly platform: number;
  /** What a file of it ends in. */
  readonly suffix: string;
  /** How it differs from a module; null: it is one. */
  readonly component: Component | null;
}

export interface Component {
  /** The source whose functions it exports, from this package's folder. */
  readonly source: string;
  /** By the names in that source: those of the canonical ABI, which AssemblyScript cannot spell. */
  readonly exports: Readonly<Record<string, string>>;
  /** The world that it is of, and the packages it names: paths of WIT files, from this package's folder. */
  readonly wit: readonly string[];
  /** The command that serves it: what stands before and behind its file, and the versions of wasmtime. */
  readonly serve: { readonly before: string; readonly behind: string; readonly wasmtime: string };
}

const CLI_COMMAND = { before: "wasmtime run -S inherit-network=y", behind: " --address 127.0.0.1 --port 8888" };
const SERVE = { before: "wasmtime serve -S cli=y --addr 127.0.0.1:8888", behind: "" };

export const TARGETS: Readonly<Record<TargetName, Target>> = {
  preview1: { name: "preview1", platform: 1, suffix: ".wasm", component: null },
  component: {
    name: "component",
    platform: 2,
    suffix: ".component.wasm",
    component: {
      source: "assembly/loop/component.ts",
      exports: { run: "wasi:cli/run@0.2.0#run" },
      wit: ["assembly/wasi/preview2/world.wit", "assembly/wasi/preview2/packages.wit"],
      serve: { ...CLI_COMMAND, wasmtime: "36 or later" },
    },
  },
  "component-async": {
    name: "component-async",
    platform: 3,
    suffix: ".component-async.wasm",
    component: {
      source: "assembly/loop/componentasync.ts",
      exports: {
        run: "[async-lift]wasi:cli/run@0.3.0#run",
        callback: "[callback][async-lift]wasi:cli/run@0.3.0#run",
      },
      wit: ["assembly/wasi/preview3/world.wit", "assembly/wasi/preview3/packages.wit"],
      serve: { ...CLI_COMMAND, wasmtime: "46 or later" },
    },
  },
  http: {
    name: "http",
    platform: 4,
    suffix: ".http.wasm",
    component: {
      source: "assembly/http/incominghandler.ts",
      exports: { handle: "wasi:http/incoming-handler@0.2.0#handle" },
      wit: ["assembly/wasi/http/world.wit", "assembly/wasi/preview2/packages.wit"],
      serve: { ...SERVE, wasmtime: "36 or later" },
    },
  },
  "http-async": {
    name: "http-async",
    platform: 5,
    suffix: ".http-async.wasm",
    component: {
      source: "assembly/http/asynchandler.ts",
      exports: {
        handle: "[async-lift]wasi:http/handler@0.3.0#handle",
        callback: "[callback][async-lift]wasi:http/handler@0.3.0#handle",
      },
      wit: ["assembly/wasi/httpasync/world.wit", "assembly/wasi/preview3/packages.wit"],
      serve: { ...SERVE, wasmtime: "48 or later" },
    },
  },
};

/** The part of the compiler's inside that is used. */
interface Source {
  sourceKind: number;
  readonly normalizedPath: string;
  readonly internalPath: string;
}
interface Program {
  filesByName: Map<string, { exports: Map<string, { internalName: string }> }>;
}
interface Module {
  removeExport(name: string): void;
  addFunctionExport(internalName: string, name: string): void;
}

const USER_ENTRY = 1;

/**
 * A transform of the compiler's: the component's source counts as one that was named on the command line, so that its
 * functions are exports, and these get their names. (Named there, it would be a second copy of the package.)
 */
export function exporting({ source, exports }: Component): new () => object {
  return class {
    declare program: Program;
    #path = "";

    afterParse({ sources }: { sources: Source[] }): void {
      const found = sources.find(({ normalizedPath }) => normalizedPath.endsWith(source));
      if (found === undefined) return; // the application does not use this package: what it lacks is reported later
      found.sourceKind = USER_ENTRY;
      this.#path = found.internalPath;
    }

    afterCompile(module: Module): void {
      const file = this.program.filesByName.get(this.#path);
      for (const [name, abiName] of Object.entries(exports)) {
        const found = file?.exports.get(name);
        if (found === undefined) continue;
        module.removeExport(name);
        module.addFunctionExport(found.internalName, abiName);
      }
    }
  };
}
