// Makes a component of wasi:http 0.2 with StarlingMonkey of a module whose default export has `fetch`.
// Usage: node bench/peers/starlingmonkey.mjs FOLDER MODULE OUT (FOLDER: where the packages of bench/npm are)

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const [folder, module, out] = process.argv.slice(2).map((path) => resolve(path));
const packages = join(folder, "@bytecodealliance");
const { componentize } = await import(pathToFileURL(join(packages, "componentize-js/src/componentize.js")).href);

/** The version that StarlingMonkey was built for. The packages have the same interfaces under a later number. */
const VERSION = "0.2.10";
const AT_HAND = "0.2.12";

/** A package of WIT in the form that it has inside the text of another. */
function nested(name) {
  const file = join(packages, "jco/lib/wit/builtin", AT_HAND, name, "package.wit");
  const text = readFileSync(file, "utf8")
    .replace(/^\s*\/\/.*$/gm, "")
    .replace(/(?:@[a-z]+\([^)]*\)\s*)?world [a-z]+ \{[^}]*\}/g, "")
    .replace(/package\s+([^;]+);/, "package $1 {");
  return `${text}}\n`.replaceAll(AT_HAND, VERSION);
}

const world = `world worker { export wasi:http/incoming-handler@${VERSION}; }`;
const witWorld = ["package bench:worker;", world, ...["wasi-io", "wasi-clocks", "wasi-http"].map(nested)].join("\n");
const entry =
  `import worker from ${JSON.stringify(module)};\n` +
  'addEventListener("fetch", (event) => event.respondWith(worker.fetch(event.request)));\n';
const stdin = { contents: entry, resolveDir: dirname(module) };
await build({ stdin, bundle: true, format: "esm", outfile: `${out}.js`, logLevel: "error" });
const { component } = await componentize({ sourcePath: `${out}.js`, witWorld, worldName: "worker" });
writeFileSync(out, component);
