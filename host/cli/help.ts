/**
 * The texts of `--help`.
 *
 * Invariant: no line is longer than WIDTH.
 */
import { COMMON_OPTIONS, type Command, type Option, spellings } from "./command.js";

const WIDTH = 88;
const INDENT = 2;
/** Columns for an option and its value; a longer one has a line of its own. */
const LABEL_WIDTH = 20;

/** The help of a command: usage, what it does, options. `about` may have several paragraphs. */
export function commandHelp(
  command: Pick<Command, "name" | "usage" | "options">,
  about: string,
  more: string = "",
): string {
  const paragraphs = about.split("\n\n").map((text) => wrap(text, WIDTH).join("\n"));
  const options = { ...command.options, help: COMMON_OPTIONS.help };
  const parts = [
    `Usage: waterspout ${command.name} ${command.usage}`,
    ...paragraphs,
    `Options:\n${optionLines(options)}`,
    ...(more === "" ? [] : [more]),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The help of `waterspout` without a command. */
export function programHelp(commands: readonly Command[]): string {
  const names = Math.max(...commands.map(({ name }) => name.length)) + INDENT;
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(names)}${summary}`).join("\n");
  return `Usage: waterspout COMMAND [options]

Commands:
${list}

Options:
${optionLines(COMMON_OPTIONS)}

"waterspout COMMAND --help" or "waterspout help COMMAND" tells more.
`;
}

/** One line or more for each option: `  --port PORT         port to listen on`. */
export function optionLines(options: Readonly<Record<string, Option>>): string {
  return Object.entries(options)
    .map(([name, option]) => entry(optionLabel(name, option), option.help))
    .join("\n");
}

/** `--port, -p PORT`, `--inspect[=PORT]`, `--watch`. */
export function optionLabel(name: string, option: Option): string {
  const { value = "VALUE", bare, type } = option;
  const names = spellings(name, option).join(", ");
  if (type === "boolean") return names;
  return bare === undefined ? `${names} ${value}` : `${names}[=${value}]`;
}

function entry(label: string, text: string): string {
  const margin = " ".repeat(INDENT);
  const [first = "", ...rest] = wrap(text, WIDTH - INDENT - LABEL_WIDTH);
  const under = " ".repeat(INDENT + LABEL_WIDTH);
  const head = label.length < LABEL_WIDTH ? label.padEnd(LABEL_WIDTH) : `${label}\n${under}`;
  return [`${margin}${head}${first}`, ...rest.map((line) => under + line)].join("\n");
}

/** Breaks a text into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
