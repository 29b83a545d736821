/**
 * Watches files by a stat of each in short intervals, as Tornado's autoreload does. So it does not matter whether an
 * editor writes a file, replaces it or removes it first, nor on which file system it is.
 *
 * Invariant: a change is reported once, after an interval without further changes; changes of one burst are reported
 * together.
 */
import { statSync } from "node:fs";
import { dirname, isAbsolute, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { WATCH_INTERVAL_MS } from "../../core/limits.js";
import { PACKAGE_FOLDER } from "../../core/paths.js";
import { modulesOf } from "../../nodeinternals/modulereports.js";

export class FileWatcher {
  readonly #changed: (files: readonly string[]) => void;
  readonly #folder: string;
  /** The last state of each. */
  readonly #files = new Map<string, string>();
  #folders = new Map<string, string>();
  #pending = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  /** `folder`: the application's. `changed` is called with the files that have changed. */
  constructor(folder: string, changed: (files: readonly string[]) => void) {
    this.#folder = folder;
    this.#changed = changed;
  }

  /** Watches this file, too, whether it exists or not. */
  add(file: string): void {
    if (!this.#files.has(file)) this.#files.set(file, stateOf(file));
    this.#timer ??= setInterval(() => this.#look(), WATCH_INTERVAL_MS);
  }

  /**
   * Watches the modules that a message of Node names; false when it is another message. Packages and names that begin
   * with a dot are not watched.
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

  /** Whether to watch the files' folders, too: after a failed load, a missing file may appear there. */
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
    // A missing file is about to be written again.
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
    return MISSING; // or not accessible, which is the same here
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
