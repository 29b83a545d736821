/** `waterspout completion`: prints the script with which a shell completes the command's words. */
import { UsageError } from "../../core/errors.js";
import type { Command } from "../command.js";
import { commandHelp } from "../help.js";
import { completionScript, SHELLS } from "./scripts.js";

const usage = SHELLS.join("|");

const ABOUT = "Prints a script with which a shell completes commands, options and their values.";

const MORE = `In the shell's own start file:
  bash  source <(waterspout completion bash)
  zsh   source <(waterspout completion zsh)       behind compinit
  fish  waterspout completion fish | source`;

export const completion: Command = {
  name: "completion",
  summary: "print a completion script for a shell",
  usage,
  help: commandHelp({ name: "completion", usage, options: {} }, ABOUT, MORE),
  argument: { value: "SHELL", choices: SHELLS },
  options: {},
  async run(_values, [name, ...rest]) {
    const shell = SHELLS.find((each) => each === name);
    if (shell === undefined || rest.length > 0) throw new UsageError(`completion needs one of ${SHELLS.join(", ")}`);
    const { commands } = await import("../commands.js");
    process.stdout.write(completionScript(shell, commands));
    return 0;
  },
};
