// Counts branches of a finished module: every arm, loop and branch that is not taken sets a bit of a global
// that is exported.
//
// Invariant: the module's memory, imports and other exports stay as they are; it does what it did.
// Reference: binaryen's text form, in which an expression is closed on a line of its own, as deep as it began.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { ROOT } from "../e2e/support/ways.js";

/** What the exported globals are called, with a number behind it. */
export const BRANCHES = "branches ";
const BITS = 64n;
const FEATURES = ["--all-features"];

/** The text of a module, with its branches counted. */
export function instrumentText(text: string): string {
  let count = 0n;
  const mark = (indent: string): string => {
    const [word, bit] = [count / BITS, 1n << (count++ % BITS)];
    return `${indent}(global.set $branches${word} (i64.or (global.get $branches${word}) (i64.const 0x${bit.toString(16)})))`;
  };
  const lines: string[] = [];
  /** Where a branch ends that may not be taken, by its indentation. */
  const ends = new Set<string>();
  for (const line of text.split("\n")) {
    const [, indent = "", head = ""] = /^( *)(\S*)/.exec(line) ?? [];
    lines.push(line);
    const isOpen = !line.endsWith("))");
    if ((head === "(then" || head === "(else" || head === "(loop") && isOpen) lines.push(mark(indent));
    if (head === "(br_if" && isOpen) ends.add(indent);
    else if (head === ")" && ends.delete(indent)) lines.push(mark(indent));
  }
  const words = Number((count + BITS - 1n) / BITS);
  const globals = Array.from({ length: words }, (_, word) => {
    return ` (global $branches${word} (export "${BRANCHES}${word}") (mut i64) (i64.const 0))`;
  });
  const at = lines.findIndex((line) => /^ \((export|func|start) /.test(line) && !line.includes("(import"));
  return [...lines.slice(0, at), ...globals, ...lines.slice(at)].join("\n");
}

/** The file's module, or the text of one, with its branches counted. */
export function instrumentWasm(source: { readonly file: string } | { readonly text: string }): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-branches-"));
  const [text, wasm] = [path.join(folder, "module.wat"), path.join(folder, "module.wasm")];
  const run = (tool: string, ...args: string[]) =>
    execFileSync(path.join(ROOT, "node_modules/.bin", tool), [...FEATURES, ...args], { stdio: "pipe" });
  try {
    if ("file" in source) run("wasm-dis", source.file, "-o", text);
    writeFileSync(text, instrumentText("file" in source ? readFileSync(text, "utf8") : source.text));
    run("wasm-as", text, "-o", wasm);
    return new Uint8Array(readFileSync(wasm));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
