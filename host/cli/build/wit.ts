/**
 * The WIT of a component: its world as it is in its bytes, the functions that it calls, and the packages that both are
 * written in, so that the text stands by itself.
 * Reference: the component model's WIT.md.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_FOLDER } from "../../core/paths.js";
import type { Component } from "./targets.js";

export interface Wit {
  text: string;
  /** Interfaces, as `wasi:cli/run@0.2.0`. */
  exports: string[];
  imports: string[];
}

/** `world` is the component's world as jco prints it; `functions` are `interface.function`. */
export function witOf(world: string, functions: readonly string[], { wit }: Component): Wit {
  const imports = [...world.matchAll(/^ {2}import (\S+);$/gm)].map(([, name]) => name as string);
  const exports = [...world.matchAll(/^ {2}export (\S+);$/gm)].map(([, name]) => name as string);
  const named = new Set([...imports, ...exports].map((name) => name.replace(/\/[^@]*/, "")));
  const packages = wit
    .flatMap((file) => readFileSync(join(PACKAGE_FOLDER, file), "utf8").split(/^(?=package )/m))
    .map((text) => text.replace(/^\/\/.*\n/gm, "").trimEnd())
    .filter((text) => named.has(/^package (\S+) \{/.exec(text)?.[1] ?? ""));
  const calls = [...functions].sort().map((name) => `//   ${name}\n`);
  const head = `// Of the functions below the component calls these, and no others:\n${calls.join("")}`;
  return { text: `${head}${world.trim()}\n\n${packages.join("\n\n")}\n`, exports, imports };
}
