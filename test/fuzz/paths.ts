// Paths of files below a folder that has links in it, some of which lead out.
//
// Invariants tested: what is found is in the folder; a path that leads out is refused in the same way, whether or not
// there is something; waiting for it and not waiting say the same.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { realPathBelow, realPathBelowSync } from "../../host/core/pathbelow.js";
import type { Random } from "./random.js";

const NAMES = ["a", "b.txt", "out", "in", "loop", "absolute", "missing", "..", ".", "", "...", "%2e%2e", "a\\..", "é"];
const PATHS = 20;
/** What a path may fail with. */
const CODES = ["EOUTSIDE", "ENOENT", "ENOTDIR", "ELOOP", "EINVAL", "ERR_INVALID_ARG_VALUE"];

export class PathFuzz {
  readonly name = "paths of static files";
  /** Paths that were tried. */
  connections = 0;
  /** Paths that led to something. */
  answers = 0;
  #root: string | null = null;

  async run(random: Random): Promise<void> {
    this.#root ??= tree();
    const folder = path.join(this.#root, "served");
    for (let i = 0; i < PATHS; i++) {
      const names = Array.from({ length: 1 + random.below(6) }, () => random.pick(NAMES));
      // As the callers do: dots are gone by then, but for those in links.
      await this.#find(folder, path.join(folder, ...names) + (random.once(50) ? "\0" : ""));
    }
  }

  async end(): Promise<void> {
    if (this.#root !== null) rmSync(this.#root, { recursive: true });
  }

  async #find(folder: string, asked: string): Promise<void> {
    this.connections++;
    const found = attempt(() => realPathBelowSync(asked, [folder]));
    const waited = await realPathBelow(asked, [folder]).catch((error: NodeJS.ErrnoException) => `${error.code}`);
    if (found !== waited) throw new Error(`${JSON.stringify(asked)}: at once ${found}, later ${waited}`);
    if (CODES.includes(found)) return;
    this.answers++;
    if (found !== folder && !found.startsWith(folder + path.sep)) {
      throw new Error(`${JSON.stringify(asked)} leads to ${found}`);
    }
    if (realpathSync(asked) !== found) throw new Error(`${JSON.stringify(asked)} is not ${found}`);
  }
}

function attempt(find: () => string): string {
  try {
    return find();
  } catch (error) {
    return `${(error as NodeJS.ErrnoException).code}`;
  }
}

/** A folder with a file, a folder, and links: to the folder above, into itself, in a circle, absolute. */
function tree(): string {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), "waterspout-")));
  const served = path.join(root, "served");
  mkdirSync(path.join(served, "a"), { recursive: true });
  for (const file of ["secret", "served/b.txt", "served/a/b.txt"]) writeFileSync(path.join(root, file), file);
  symlinkSync("..", path.join(served, "out"));
  symlinkSync("../..", path.join(served, "a", "out"));
  symlinkSync("a", path.join(served, "in"));
  symlinkSync("loop", path.join(served, "loop"));
  symlinkSync(path.join(root, "secret"), path.join(served, "absolute"));
  return root;
}
