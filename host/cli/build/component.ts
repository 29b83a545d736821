/**
 * A component made of a compiled module, by the project's own jco: the world's types are added to the module, and it is
 * wrapped.
 * Reference: @bytecodealliance/jco, `componentEmbed` and `componentNew`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PACKAGE_FOLDER } from "../../core/paths.js";
import type { InstalledPackage } from "../packages.js";
import type { Component } from "./targets.js";

/** The part of jco's interface that is used. */
interface Jco {
  componentEmbed(options: { binary: Uint8Array; witSource: string; world: string }): Promise<Uint8Array>;
  componentNew(module: Uint8Array, adapters: []): Promise<Uint8Array>;
  componentWit(component: Uint8Array): Promise<string>;
}

/** Of a component that calls another one, its handler. */
const HANDLER_WIT = ["wit/core.wit", "wit/waterspout.wit"];

/** Wraps `module`, which has these imports. Throws an Error in jco's words when it does not fit the world. */
export async function wrap(
  jco: InstalledPackage,
  module: Uint8Array,
  { wit }: Component,
  imports: readonly string[],
): Promise<Uint8Array> {
  const { componentEmbed, componentNew } = await load(jco);
  const isCore = imports.some((name) => name.startsWith("waterspout:app/"));
  try {
    const texts = [...wit, ...(isCore ? HANDLER_WIT : [])].map((file) => witOf(file));
    const binary = await componentEmbed({
      binary: module,
      witSource: texts.join("\n"),
      world: isCore ? "core" : "server",
    });
    return await componentNew(binary, []);
  } catch (error) {
    throw new Error(`jco makes no component of it: ${wordsOf(error).replaceAll(/\s+/g, " ").trim()}`);
  }
}

/** The component's world, as WIT. */
export async function worldOf(jco: InstalledPackage, component: Uint8Array): Promise<string> {
  return (await load(jco)).componentWit(component);
}

/** A file as a part of a longer text: only the first file's package may go without braces. */
function witOf(file: string): string {
  const text = readFileSync(join(PACKAGE_FOLDER, file), "utf8");
  return file === HANDLER_WIT[1] ? `${text.replace(/^(package \S+);/m, "$1 {")}}` : text;
}

async function load(jco: InstalledPackage): Promise<Jco> {
  return (await import(pathToFileURL(join(jco.folder, mainOf(jco))).href)) as Jco;
}

function mainOf({ folder }: InstalledPackage): string {
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    exports: { ".": { default: string } };
  };
  return exports["."].default;
}

/** jco's errors carry the words of the tool inside it. */
function wordsOf(error: unknown): string {
  const { payload } = error as { payload?: unknown };
  return typeof payload === "string" ? payload : (error as Error).message;
}
