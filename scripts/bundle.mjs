// Puts the host's modules together after `tsc -p host`: Node loads a few files at the start instead of 200, which halves
// the time to the first answer (docs/decisions/0037-bundled.md).
//
// Invariants: one module is in one part only, so the command and the package that an application imports share its
// state; what runs when it is loaded, `program`, is in no part with others; what the command needs for every application
// is in a few parts, the rest is loaded when it is needed; of Node's modules only node:module is loaded by `import`.
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

/** What the package has for those that import it, and what `waterspout run` loads at once. */
const PACKAGE = ["index"];
const START = ["cli/run/index", "cli/run/serve"];
/** `main` needs the one before V8's compile cache is there, which is for all that follows; the hooks need the other. */
const APART = ["core/cachefolder", "cli/run/loading/moduleformat"];
/** The modules of these, those of package and start, and those of the start alone. */
const apart = APART.map(() => new Set());
const shared = new Set();
const command = new Set();
const parts = {
  name: "parts",
  buildEnd() {
    const ofPackage = needed(PACKAGE, this);
    for (const [at, name] of APART.entries()) for (const id of needed([name], this)) apart[at].add(id);
    for (const id of needed(START, this)) (ofPackage.has(id) ? shared : command).add(id);
  },
};

/** These modules and all that they import, directly or not. */
function needed(names, graph) {
  const found = new Set();
  const waiting = names.map((name) => path.join(root, `host/${name}.ts`));
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (found.has(id) || !path.isAbsolute(id)) continue;
    found.add(id);
    waiting.push(...graph.getModuleInfo(id).importedIds);
  }
  return found;
}

/**
 * Takes Node's modules from Node itself: for an `import` it makes a module of each, and reads its every name, whatever
 * that loads. Nodes before 20.16, and 22 before 22.3, give them to `require`.
 */
const GIVE =
  'import { createRequire as requireFor } from "node:module"; ' +
  "const builtinModule = process.getBuiltinModule ?? requireFor(import.meta.url);";
const IMPORT = /^import (?:(?<whole>\w+|\* as \w+)(?:, )?)?(?:\{ (?<names>[^}]+) \})? ?from "(?<name>node:[^"]+)";$/gm;
const builtins = {
  name: "builtins",
  renderChunk(code) {
    let given = `${GIVE} `; // with the first, since a command begins with another line
    const replaced = code.replace(IMPORT, (_statement, whole, names, name) => {
      const module = `builtinModule("${name}")`;
      const own = whole?.replace("* as ", "");
      const each = names === undefined ? [] : [`{ ${names.replaceAll(" as ", ": ")} } = ${own ?? module}`];
      const statement = `${given}const ${[...(own === undefined ? [] : [`${own} = ${module}`]), ...each].join(", ")};`;
      given = "";
      return statement;
    });
    const left = code.replace(IMPORT, "").match(/^import .*"node:.*$/m);
    if (left !== null) throw new Error(`an import that is not known here: ${left}`);
    return { code: replaced, map: null };
  },
};

rmSync(path.join(folder, "parts"), { recursive: true, force: true });
const bundle = await rolldown({
  input: Object.fromEntries(entries),
  platform: "node",
  external: /^[^./]/,
  resolve: { extensionAlias: { ".js": [".ts"] } },
  plugins: [parts, builtins],
  // The list of commands is loaded by `main` in any case.
  checks: { ineffectiveDynamicImport: false },
});
await bundle.write({
  dir: folder,
  format: "es",
  entryFileNames: "[name].js",
  chunkFileNames: "parts/[name]-[hash].js",
  sourcemap: true,
  codeSplitting: {
    groups: [
      ...APART.map((name, at) => ({ name: path.basename(name), test: (id) => apart[at].has(id) })),
      { name: "shared", test: (id) => shared.has(id) },
      { name: "command", test: (id) => command.has(id) },
    ],
  },
});
await bundle.close();

// What an application in TypeScript is put on top of when it becomes a component (edge/main.ts), and what it imports of
// this package (host/component.ts), with all that they need. What the host's modules need of Node has a substitute.
const WITHOUT_NODE = "edge/withoutnode.ts";
const REQUEST = "edge/httprequest.ts";
const SUBSTITUTES = {
  "node:buffer": "edge/node/buffer.ts",
  "node:crypto": "edge/node/crypto.ts",
  "node:stream": WITHOUT_NODE,
  "node:stream/web": "edge/node/webstreams.ts",
  "host/bridge/trace.ts": WITHOUT_NODE,
  "host/core/garbage.ts": WITHOUT_NODE,
  "host/core/log.ts": WITHOUT_NODE,
  "host/core/memorybudget.ts": "edge/memory.ts",
  "host/fetch/send.ts": WITHOUT_NODE,
  "host/http/compression/options.ts": WITHOUT_NODE,
  "host/http/debugpage.ts": WITHOUT_NODE,
  "host/http/form/tempfiles.ts": WITHOUT_NODE,
  "host/http/forwarded.ts": WITHOUT_NODE,
  "host/http/headers.ts": "edge/httpheaders.ts",
  "host/http/request.ts": REQUEST,
  "host/http/response.ts": REQUEST,
  "host/http/settings.ts": WITHOUT_NODE,
  "host/server/httpserver.ts": WITHOUT_NODE,
  "host/server/inject.ts": WITHOUT_NODE,
  "host/server/server.ts": "edge/server.ts",
  "host/tls/bridgesocket.ts": WITHOUT_NODE,
  "host/tls/contexts.ts": WITHOUT_NODE,
  "host/tls/starttls.ts": WITHOUT_NODE,
  "host/web/bodytags.ts": WITHOUT_NODE,
  "host/web/staticfiles.ts": WITHOUT_NODE,
  "host/web/staticurl.ts": WITHOUT_NODE,
  "host/websocket/deflate.ts": WITHOUT_NODE,
};
const substitutes = {
  name: "substitutes",
  async resolveId(asked, importer, options) {
    const own = /^host:(.+)$/.exec(asked);
    if (own !== null) return path.join(root, `host/${own[1]}.ts`);
    const found = SUBSTITUTES[asked] === undefined ? await this.resolve(asked, importer, options) : null;
    const substitute = SUBSTITUTES[found === null ? asked : path.relative(root, found.id)];
    if (substitute === undefined && asked.startsWith("node:")) throw new Error(`${importer} needs ${asked}`);
    return substitute === undefined ? found : path.join(root, substitute);
  },
};
/** The platform, parts of it that some applications have beside, and what is there of Node's modules. */
const EDGE_PARTS = [
  "main",
  "fetch",
  "fetchglobal",
  "compression",
  "subtle",
  "forms",
  "urlpattern",
  "node/buffer",
  "node/crypto",
  "node/timers/promises",
];
const edgeFolder = path.join(root, "dist/edge");
rmSync(edgeFolder, { recursive: true, force: true });
const edge = await rolldown({
  input: {
    waterspout: path.join(root, "host/component.ts"),
    ...Object.fromEntries(EDGE_PARTS.map((name) => [name, path.join(root, `edge/${name}.ts`)])),
  },
  platform: "neutral",
  external: /^waterspout:/,
  plugins: [substitutes],
  resolve: {
    extensionAlias: { ".js": [".ts"] },
    mainFields: ["module", "main"],
    alias: { tr46: path.join(root, "edge/domains.ts") },
  },
});
await edge.write({
  dir: edgeFolder,
  format: "es",
  entryFileNames: "[name].js",
  chunkFileNames: "parts/[name]-[hash].js",
});
await edge.close();
