/**
 * Files that somebody may edit. They are looked at in short intervals, as Tornado's autoreload does: so it does not
 * matter whether an editor writes a file, replaces it, or removes it first, nor where it is stored.
 *
 * Invariant: a change is told once, when nothing has changed any more for a moment; what a burst of saves has changed
 * is told together.
 */
import { statSync } from "node:fs";
import { dirname, isAbsolute, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { WATCH_INTERVAL_MS } from "../../core/limits.js";
import { PACKAGE_FOLDER } from "../../core/paths.js";
import { modulesOf } from "../../nodeinternals/modulereports.js";

export class WatchedFiles {
  readonly #changed: (files: readonly string[]) => void;
  readonly #folder: string;
  /** What each looked like last. */
  readonly #files = new Map<string, string>();
  #folders = new Map<string, string>();
  #pending = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  /** `folder` is the application's. */
  constructor(folder: string, changed: (files: readonly string[]) => void) {
    this.#folder = folder;
    this.#changed = changed;
  }

  /** Looks at this file, too, whether it is there or not. */
  add(file: string): void {
    if (!this.#files.has(file)) this.#files.set(file, stateOf(file));
    this.#timer ??= setInterval(() => this.#look(), WATCH_INTERVAL_MS);
  }

  /**
   * Takes what Node tells of modules; false: it is something else. Packages, and what begins with a dot, are nobody's
   * to edit.
   */
  takeModules(message: unknown): boolean {
    const modules = modulesOf(message);
    if (modules === null) return false;
    for (const module of modules) {
      const file = pathOf(module);
      if (file !== null && isEdited(file, this.#folder)) this.add(file);
    }
    return true;
  }

  /** Looks at the files' folders, too, or no more: what could not be loaded because it is missing may come there. */
  set expectsNewFiles(yes: boolean) {
    this.#folders = new Map();
    if (yes) for (const file of this.#files.keys()) this.#folders.set(dirname(file), stateOf(dirname(file)));
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #look(): void {
    let quiet = true;
    for (const states of [this.#files, this.#folders]) {
      for (const [file, before] of states) {
        const state = stateOf(file);
        if (state === before) continue;
        quiet = false;
        states.set(file, state);
        this.#pending.add(file);
      }
    }
    const files = [...this.#pending];
    // One that is missing is about to be written again.
    if (!quiet || files.every((file) => this.#files.get(file) === MISSING)) return;
    this.#pending = new Set();
    this.#changed(files);
  }
}

const MISSING = "";

function stateOf(file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return MISSING; // or out of reach, which is the same here
  }
}

function pathOf(module: unknown): string | null {
  if (typeof module !== "string") return null;
  if (module.startsWith("file:")) return fileURLToPath(module);
  return isAbsolute(module) ? module : null;
}

const OWN_FOLDER = `${PACKAGE_FOLDER}${sep}dist${sep}`;

function isEdited(file: string, folder: string): boolean {
  if (file.startsWith(OWN_FOLDER)) return false;
  const parts = relative(folder, file).split(sep);
  return !parts.some((part) => part === "node_modules" || (part.startsWith(".") && part !== ".."));
}
