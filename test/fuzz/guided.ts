// `make fuzz`: the fuzzers with all branches of the host and of the modules counted, in one bundle.
//
//   node --import tsx test/fuzz/guided.ts --help
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

import { ROOT } from "../e2e/support/ways.js";
import { HOST_BRANCHES_MAX, HostBranches } from "./instrumenthost.js";

const FOLDER = path.join(ROOT, "build/fuzz");
const BUNDLE = path.join(FOLDER, "run.mjs");
const branches = new HostBranches();

/** A file in a bundle is still where it was. */
const plugin: Plugin = {
  name: "branches",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
      const url = JSON.stringify(pathToFileURL(file).href);
      const source = readFileSync(file, "utf8").replaceAll("import.meta.url", url);
      if (!file.startsWith(path.join(ROOT, "host/"))) return { contents: source, loader: "ts" };
      return { contents: branches.instrument(source, file), loader: "js" };
    });
  },
};

mkdirSync(FOLDER, { recursive: true });
await build({
  entryPoints: [path.join(ROOT, "test/fuzz/run.ts")],
  outfile: BUNDLE,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "es2022",
  packages: "external",
  plugins: [plugin],
  logLevel: "error",
});
Object.assign(globalThis, { branches: new Uint8Array(HOST_BRANCHES_MAX) });
console.log(`fuzz: ${branches.count} branches of the host are counted`);
await import(BUNDLE);
