/** Puts together what is known of a built application and its packages, and has it written (artifacts.ts). */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { PACKAGE_FOLDER } from "../../core/paths.js";
import { findPackage, type InstalledPackage, manifest } from "../packages.js";
import { writeArtifacts } from "./artifacts.js";
import type { Part } from "./built.js";
import { worldOf } from "./component.js";
import { licenseOf, partOf } from "./sbom.js";
import type { Target } from "./targets.js";
import { witOf } from "./wit.js";

/** A module or component, and where it came from. */
interface Made {
  /** The project's folder. */
  base: string;
  source: string;
  out: string;
  target: Target;
  bytes: Uint8Array;
  imports: string[];
}

/** The packages that it was made with, and those whose sources are in it. */
interface Tools {
  compiler: InstalledPackage;
  jco: InstalledPackage | null;
  packages: string[];
}

/** Returns the paths of what was written. */
export async function publish(folder: string, made: Made, { compiler, jco, packages }: Tools): Promise<string[]> {
  const { base, source, out, target, bytes, imports } = made;
  const { component } = target;
  const wit = component === null || jco === null ? null : witOf(await worldOf(jco, bytes), imports, component);
  const own = { folder: PACKAGE_FOLDER, version: manifest().version };
  const parts: Part[] = [
    partOf("waterspout", own),
    partOf("assemblyscript", compiler),
    ...(jco === null ? [] : [partOf("@bytecodealliance/jco", jco, true)]),
    ...packages.filter((name) => name !== "waterspout").flatMap((name) => partsOf(name, base)),
  ];
  const about = aboutProject(base, basename(source, ".ts"));
  return writeArtifacts(folder, { ...about, file: basename(out), bytes, wit, parts });
}

function partsOf(name: string, base: string): Part[] {
  const found = findPackage(name, base);
  return found === null ? [] : [partOf(name, found)];
}

function aboutProject(base: string, name: string): { name: string; version: string | null; license: string | null } {
  const file = join(base, "package.json");
  const about = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>) : {};
  const version = typeof about.version === "string" ? about.version : null;
  return { name: typeof about.name === "string" ? about.name : name, version, license: licenseOf(about.license) };
}
