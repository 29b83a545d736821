/**
 * What a `.wasm` application is given beside its listeners: `--dir` and `--env`, as wasmtime has them. Nothing of this
 * process is the application's unless it was given.
 */
import { UsageError } from "../core/errors.js";
import { type Folder, foldersFrom } from "./folders.js";

export interface Grants {
  /** Folders that it may read. */
  readonly folders: readonly Folder[];
  /** Its environment: each `NAME=VALUE`. */
  readonly variables: readonly string[];
}

/** Of an application that is given nothing. */
export const NO_GRANTS: Grants = { folders: [], variables: [] };

/** Grants from what was said of them. Throws UsageError. */
export function grantsFrom(folders: readonly string[] = [], variables: readonly string[] = []): Grants {
  const wrong = variables.find((text) => !/^[^=\0]+=[^\0]*$/s.test(text));
  if (wrong !== undefined) throw new UsageError(`--env takes NAME=VALUE, not ${JSON.stringify(wrong)}`);
  return { folders: foldersFrom(folders), variables };
}

/** wasmtime's options for them. */
export function grantArguments({ folders, variables }: Grants): string[] {
  return [
    ...folders.flatMap(({ host, guest }) => ["--dir", `${host}::${guest}`]),
    ...variables.flatMap((variable) => ["--env", variable]),
  ];
}
