/**
 * Folders that a `.wasm` application may read: `--dir HOST::GUEST`, as wasmtime has it. Invariant: each is there, and
 * its path is absolute, when it is given out.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../core/errors.js";
import { FOLDERS_MAX } from "../core/limits.js";

export interface Folder {
  /** Where it is. */
  readonly host: string;
  /** What the application calls it. */
  readonly guest: string;
}

/** Folders from what was said of them: `HOST::GUEST`, or one path for both. Throws UsageError. */
export function foldersFrom(texts: readonly string[]): Folder[] {
  if (texts.length > FOLDERS_MAX) throw new UsageError(`--dir can be given ${FOLDERS_MAX} times at most`);
  return texts.map((text) => {
    const mark = text.indexOf("::");
    const given = mark < 0 ? text : text.slice(0, mark);
    const guest = mark < 0 ? text : text.slice(mark + 2);
    if (given === "" || guest === "") throw new UsageError(`--dir takes HOST::GUEST, not ${JSON.stringify(text)}`);
    const host = resolve(given);
    if (host.includes("::")) throw new UsageError("--dir takes no folder with :: in its path");
    if (statSync(host, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new UsageError(`--dir: there is no folder ${host}`);
    }
    return { host, guest };
  });
}
