// Writes the declarations of `waterspout/assembly` to dist/assembly, for editors and tsc: asc reads the sources.
//
// The sources import "./core/address", which is how AssemblyScript names files. Node's resolution, which TypeScript
// follows in ES modules, wants endings, so the declarations get them. Their maps lead an editor to the sources.
import { rmSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const root = path.resolve(import.meta.dirname, "..");
const outDir = path.join(root, "dist/assembly");
const { config } = ts.readConfigFile(path.join(root, "assembly/tsconfig.json"), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, path.join(root, "assembly"));

const entries = ["assembly/index.ts", "assembly/web/index.ts"];
const program = ts.createProgram(
  [...entries, "assembly/globals.d.ts"].map((name) => path.join(root, name)),
  { ...options, rootDir: path.join(root, "assembly"), outDir, noEmit: false, declaration: true, declarationMap: true },
);

/** Relative imports and exports name the file with the ending that it would have as JavaScript. */
const withEndings = (context) => (file) => {
  const { factory } = context;
  const visit = (node) => {
    if (ts.isStringLiteral(node) && /^\.\.?\//.test(node.text)) return factory.createStringLiteral(`${node.text}.js`);
    return ts.visitEachChild(node, visit, context);
  };
  return ts.visitNode(file, visit);
};

rmSync(outDir, { recursive: true, force: true });
const { diagnostics } = program.emit(undefined, undefined, undefined, true, { afterDeclarations: [withEndings] });
if (diagnostics.length > 0) {
  console.error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost(options)));
  process.exit(1);
}
