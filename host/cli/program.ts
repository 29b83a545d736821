/**
 * The command `waterspout`: finds which command is meant, runs it, and exits.
 *
 * Invariants: stdout gets a command's result and nothing else; every error is one line on stderr. The exit code is 0
 * after an orderly stop, 1 when something failed, 2 for wrong usage, 128 + n when a second signal n forced the end.
 */
import { existsSync } from "node:fs";
import { UsageError } from "../core/errors.js";
import { packageVersion } from "../core/paths.js";
import { COMMON_OPTIONS, readArguments } from "./command.js";
import { commandNamed, commands } from "./commands.js";
import { nearest } from "./didyoumean.js";
import { exitWith } from "./exit.js";
import { programHelp } from "./help.js";

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined) throw new UsageError("no command; try waterspout --help");
  if (name === "help") return help(args);
  if (name.startsWith("-")) return withoutCommand([name, ...args]);
  // A file in place of a command is one to run.
  if (commandNamed(name) === null && existsSync(name)) return main(["run", name, ...args]);
  const command = commandNamed(name);
  if (command === null) throw new UsageError(unknown(name));
  const { values, positionals, passedOn } = readArguments(command.options, args);
  if (values.help === true) return print(command.help);
  if (values.version === true) return print(`${packageVersion()}\n`);
  const own = command.passesOn === true ? positionals : [...positionals, ...(passedOn ?? [])];
  const code = await command.run(values, own, command.passesOn === true ? (passedOn ?? []) : []);
  process.exitCode = code ?? 0;
}

function help([name]: readonly string[]): void {
  if (name === undefined) return print(programHelp(commands));
  const command = commandNamed(name);
  if (command === null) throw new UsageError(unknown(name));
  print(command.help);
}

function withoutCommand(args: readonly string[]): void {
  const { values, positionals } = readArguments({}, args);
  if (values.version === true) print(`${packageVersion()}\n`);
  else if (values.help === true) help(positionals);
  else throw new UsageError(`options come after the command; ${Object.keys(COMMON_OPTIONS).join(" and ")} need none`);
}

function unknown(name: string): string {
  const meant = nearest(name, [...commands.map((command) => command.name), "help"]);
  return `no command ${name}; ${meant === null ? "try waterspout --help" : `did you mean ${meant}?`}`;
}

function print(text: string): void {
  process.stdout.write(text);
}

// The reader of a pipe may close it; a server that this command runs goes on.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
main(process.argv.slice(2)).catch((error) => exitWith(error));
