// Puts the host's modules together after `tsc -p host`: Node loads a dozen files at the start instead of 200, which halves
// the time to the first answer (docs/decisions/0037-bundled.md).
//
// Invariant: one module is in one part only, so the command and the package that an application imports share its state.
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";

const root = path.resolve(import.meta.dirname, "..");
const folder = path.join(root, "dist/host");
const { bin, exports } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
/** What is loaded by its name: what the package exports, the command, and the hooks that Node 20 runs in a thread. */
const files = [
  ...Object.values(exports).map((file) => path.normalize(file.default ?? file)),
  ...Object.values(bin),
  "dist/host/cli/run/loading/hooksthread.js",
];
const entries = files
  .map((file) => /^dist\/host\/(.+)\.js$/.exec(file)?.[1])
  .filter((name) => name !== undefined)
  .map((name) => [name, path.join(root, `host/${name}.ts`)]);

rmSync(path.join(folder, "parts"), { recursive: true, force: true });
const bundle = await rolldown({
  input: Object.fromEntries(entries),
  platform: "node",
  external: /^[^./]/,
  resolve: { extensionAlias: { ".js": [".ts"] } },
  // The list of commands is loaded by `main` in any case.
  checks: { ineffectiveDynamicImport: false },
});
await bundle.write({
  dir: folder,
  format: "es",
  entryFileNames: "[name].js",
  chunkFileNames: "parts/[name]-[hash].js",
  sourcemap: true,
});
await bundle.close();

// What an application in TypeScript is put on top of when it becomes a component (edge/main.ts), with all that it needs.
const edge = await rolldown({
  input: path.join(root, "edge/main.ts"),
  platform: "neutral",
  external: /^waterspout:/,
  resolve: {
    extensionAlias: { ".js": [".ts"] },
    mainFields: ["module", "main"],
    alias: { tr46: path.join(root, "edge/domains.ts") },
  },
});
await edge.write({ file: path.join(root, "dist/edge/main.js"), format: "es" });
await edge.close();
