// Makes build/absent.component.wasm: what `waterspout build` plugs into the core in place of an interface that a
// handler does not export. The core never calls it, and its functions trap.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { componentEmbed, componentNew } from "@bytecodealliance/jco";

const root = path.resolve(import.meta.dirname, "..");
const wit = readFileSync(path.join(root, "wit/waterspout.wit"), "utf8");
const witSource = `${wit}\nworld absent {\n  export streams;\n  export websockets;\n  export outgoing;\n}\n`;
const binary = await componentEmbed({ dummy: true, witSource, world: "absent" });
writeFileSync(path.join(root, "build/absent.component.wasm"), await componentNew(binary, []));
