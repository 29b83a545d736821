#!/usr/bin/env node
import { UsageError } from "../core/errors.js";
import { packageVersion } from "../core/paths.js";
/**
 * The command `waterspout`: finds out which command is meant, and how it ends.
 *
 * Invariants: stdout gets a command's result and nothing else; every error is one line on stderr; it exits with 0 after
 * an orderly stop, 1 when something failed, 2 when it was used wrongly, 128 + n when a second signal n forced it.
 */
import { COMMON_OPTIONS, readArguments } from "./command.js";
import { commandNamed, commands } from "./commands.js";
import { nearest } from "./didyoumean.js";
import { endWith } from "./exit.js";
import { programHelp } from "./help.js";

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined) throw new UsageError("no command; try waterspout --help");
  if (name === "help") return help(args);
  if (name.startsWith("-")) return withoutCommand([name, ...args]);
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

// Whoever read what this command says may leave; the server that it runs goes on.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
main(process.argv.slice(2)).catch((error) => endWith(error));
