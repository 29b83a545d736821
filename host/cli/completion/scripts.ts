/**
 * Completion scripts for three shells, made from the commands' descriptions. A shell reads its script once, at its
 * start.
 *
 * Invariants: a script starts no program to complete a word; every word in it is quoted for its shell; files are
 * completed by the shell itself.
 * Reference: bash(1) "Programmable Completion", zshcompsys(1) `_arguments`, fish's complete(1).
 */
import { type Argument, COMMON_OPTIONS, type Command, type Option, spellings } from "../command.js";

/** The shells. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The script of `shell` for these commands. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

/** Something that takes a value. */
type Taken = Option | Argument;

/** The help of an option without its default. */
function briefly({ help }: Option): string {
  return help.split(" (default", 1)[0] as string;
}

function takesFile(taken: Taken): boolean {
  return ["APP", "FILE", "FOLDER", "HOST::GUEST"].includes(taken.value ?? "");
}

function optionsOf(command: Command): [string, Option][] {
  return Object.entries({ ...command.options, ...COMMON_OPTIONS });
}

/** In single quotes, where only a single quote has a meaning. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function flagsOf(options: [string, Option][]): string {
  return options.flatMap(([name, option]) => spellings(name, option)).join(" ");
}

// --- bash ---

function bashScript(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const values = commands.flatMap((command) =>
    optionsOf(command)
      .filter(([, option]) => option.type === "string" && option.bare === undefined)
      .map(([name, option]) => {
        const given = spellings(name, option).map((flag) => quoted(`${command.name} ${flag}`));
        return `    ${given.join(" | ")}) ${bashWords(option)} ;;\n`;
      }),
  );
  const words = commands.map(
    (command) =>
      `    ${command.name}:-*) __waterspout_words ${quoted(flagsOf(optionsOf(command)))} ;;\n` +
      `    ${command.name}:*) ${command.argument ? bashWords(command.argument) : "__waterspout_words ''"} ;;\n`,
  );
  return `# Completion of waterspout for bash. In ~/.bashrc: source <(waterspout completion bash)
__waterspout_words() {
  compopt +o default 2>/dev/null # no files
  COMPREPLY=($(compgen -W "$1" -- "$current"))
}
_waterspout() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if ((COMP_CWORD == 1)); then
    __waterspout_words ${quoted(`${names.join(" ")} ${flagsOf(Object.entries(COMMON_OPTIONS))}`)}
    return
  fi
  case "$command $previous" in
${values.join("")}    *) __waterspout_word ;;
  esac
}
__waterspout_word() {
  case "$command:$current" in
${words.join("")}  esac
}
complete -o default -F _waterspout waterspout
`;
}

/** Without any words `-o default` applies, which completes files. */
function bashWords(taken: Taken): string {
  if (takesFile(taken)) return ":";
  return `__waterspout_words ${quoted((taken.choices ?? []).join(" "))}`;
}

// --- zsh ---

function zshScript(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}\n`);
  const cases = commands.map((command) => {
    const specs = optionsOf(command).flatMap(([name, option]) => zshOptions(name, option));
    if (command.argument) specs.push(`1:${command.argument.value}:${zshAction(command.argument)}`);
    return `    ${command.name}) _arguments -S ${specs.map((spec) => `\\\n      ${quoted(spec)}`).join(" ")} ;;\n`;
  });
  return `#compdef waterspout
# Completion of waterspout for zsh. In ~/.zshrc, behind compinit: source <(waterspout completion zsh)
_waterspout() {
  local -a commands=(
${described.join("")}  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    _arguments ${Object.entries(COMMON_OPTIONS)
      .flatMap(([name, option]) => zshOptions(name, option).map(quoted))
      .join(" ")}
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("")}  esac
}
if [[ $funcstack[1] == _waterspout ]]; then _waterspout "$@"; else compdef _waterspout waterspout; fi
`;
}

/** A description of each spelling of the option; after one of them zsh does not offer the others. */
function zshOptions(name: string, option: Option): string[] {
  const help = briefly(option).replace(/[[\]\\]/g, "\\$&");
  const all = spellings(name, option);
  const once = all.length === 1 ? "" : `(${all.join(" ")})`;
  const before = option.multiple ? "*" : once;
  if (option.type === "boolean") return all.map((flag) => `${before}${flag}[${help}]`);
  const message = (option.value ?? "VALUE").replaceAll(":", "\\:");
  return all.map((flag) => {
    // A value that may be left out is joined to its option by "="; one of a letter may follow at once.
    const [separator, optional] = option.bare === undefined ? [flag.startsWith("--") ? "=" : "+", ""] : ["=-", ":"];
    return `${before}${flag}${separator}[${help}]:${optional}${message}:${zshAction(option)}`;
  });
}

function zshAction(taken: Taken): string {
  if (takesFile(taken)) return "_files";
  return taken.choices ? `(${taken.choices.join(" ")})` : " ";
}

// --- fish ---

function fishScript(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const base = `complete -c waterspout -n '__waterspout_is ${command.name}'`;
    const { argument } = command;
    return [
      `complete -c waterspout -n '__waterspout_is' -a ${command.name} -d ${fishQuoted(command.summary)}`,
      ...(argument && takesFile(argument) ? [`${base} -F`] : []),
      ...(argument?.choices ? [`${base} -a ${fishQuoted(argument.choices.join(" "))}`] : []),
      ...optionsOf(command).map(([name, option]) => `${base} ${fishOption(name, option)}`),
    ];
  });
  const global = Object.entries(COMMON_OPTIONS).map(
    ([name, option]) => `complete -c waterspout -n '__waterspout_is' ${fishOption(name, option)}`,
  );
  return `# Completion of waterspout for fish. In ~/.config/fish/config.fish: waterspout completion fish | source
function __waterspout_is
  set -l words (commandline -opc)
  test "$words[2]" = "$argv[1]"
end
complete -c waterspout -f
${[...global, ...lines].join("\n")}
`;
}

function fishOption(name: string, option: Option): string {
  const names = spellings(name, option).map((flag) => flag.replace("--", "-l ").replace(/^-(?!l )/, "-s "));
  const text = `${names.join(" ")} -d ${fishQuoted(briefly(option))}`;
  if (option.type === "boolean" || option.bare !== undefined) return text;
  if (takesFile(option)) return `${text} -r -F`;
  return option.choices ? `${text} -x -a ${fishQuoted(option.choices.join(" "))}` : `${text} -x`;
}

/** In single quotes, where fish reads backslashes. */
function fishQuoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
