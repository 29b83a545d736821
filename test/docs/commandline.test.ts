// docs/command-line.md: it has every command and every option, and no others.
import { expect, test } from "vitest";

import { COMMON_OPTIONS } from "../../host/cli/command.js";
import { commands } from "../../host/cli/commands.js";
import { optionLabel } from "../../host/cli/help.js";
import { documentNamed, rowsBelow } from "./documents.js";

const FILE = "docs/command-line.md";
const { prose } = documentNamed(FILE);

test("every command has its section, in the order of the help", () => {
  const headings = [...prose.matchAll(/^## `waterspout (\S+)( \S+)?`$/gm)];
  expect(headings.map(([, name]) => name)).toEqual(commands.map(({ name }) => name));
  for (const [, name, word] of headings) {
    const command = commands.find((each) => each.name === name);
    expect(word?.trim(), name).toBe(command?.argument?.value);
  }
});

/** The rows of a command's options. `dev` has those of `run`, but for those that it stands for. */
function optionRows(name: string): Record<string, string>[] {
  if (name === "dev") {
    return optionRows("run").filter(({ option }) => !["`--watch`", "`--debug`"].includes(option as string));
  }
  return rowsBelow(FILE, `## \`waterspout ${name}`).filter((row) => row.option !== undefined);
}

test.each(commands.map((command) => [command.name, command] as const))(
  "the options of %s",
  (name, { options, help }) => {
    const rows = optionRows(name);
    const labels = Object.entries(options).map(([option, config]) => `\`${optionLabel(option, config)}\``);
    expect(rows.map((row) => row.option).sort()).toEqual(labels.sort());
    for (const option of Object.keys({ ...options, help: COMMON_OPTIONS.help }))
      expect(help).toContain(`  --${option}`);
  },
);

test("the choices of an option are named in its row", () => {
  for (const { name, options } of commands) {
    const rows = optionRows(name);
    for (const [option, config] of Object.entries(options)) {
      const row = rows.find((each) => each.option === `\`${optionLabel(option, config)}\``);
      for (const choice of config.choices ?? []) expect(row?.["what it does"], option).toContain(`\`${choice}\``);
    }
  }
});

test("what a command takes is in its help, and its help in its width", () => {
  for (const { name, usage, argument, help } of commands) {
    expect(help.startsWith(`Usage: waterspout ${name} ${usage}\n`)).toBe(true);
    for (const word of argument?.choices ?? [argument?.value ?? ""]) expect(usage).toContain(word);
    for (const line of help.split("\n")) expect(line.length, line).toBeLessThanOrEqual(88);
  }
});
