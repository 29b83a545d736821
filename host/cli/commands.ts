/** The commands that there are, in the order of the help. What a command needs for its work is loaded when it runs. */
import { build } from "./build.js";
import type { Command } from "./command.js";
import { completion } from "./completion.js";
import { doctor } from "./doctor.js";
import { newProject } from "./new.js";
import { run } from "./run.js";

export const commands: readonly Command[] = [run, build, newProject, doctor, completion];

/** The command of that name; null when there is none. */
export function commandNamed(name: string): Command | null {
  return commands.find((command) => command.name === name) ?? null;
}
