/** All commands, in the order of the help. What a command needs for its work is loaded when it runs. */
import { attack } from "./attack/index.js";
import { build } from "./build/index.js";
import type { Command } from "./command.js";
import { completion } from "./completion/index.js";
import { doctor } from "./doctor/index.js";
import { newProject } from "./new/index.js";
import { reload } from "./reload/index.js";
import { dev, run } from "./run/index.js";
import { installWasmtime } from "./wasmtime/index.js";

export const commands: readonly Command[] = [
  run,
  dev,
  build,
  newProject,
  reload,
  attack,
  doctor,
  installWasmtime,
  completion,
];

/** The command of this name, or null. */
export function commandNamed(name: string): Command | null {
  return commands.find((command) => command.name === name) ?? null;
}
