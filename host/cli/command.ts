/**
 * What a command is. Its help, its completion and the reading of its command line use one description, so they cannot
 * differ.
 *
 * Invariant: a command writes its result to stdout and everything else to stderr; for wrong usage it throws UsageError.
 */
import { UsageError } from "../core/errors.js";
import { type Flag, type Mistake, readFlags } from "../settings/flags.js";
import { nearest } from "./didyoumean.js";

/** One option: how it is read, and what its help says. */
export interface Option {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  /** The letter of `-p`, which means the same. Default: none. */
  readonly short?: string;
  /** Another name, which means the same. Default: none. */
  readonly alias?: string;
  /** What it does; the help breaks it into lines. */
  readonly help: string;
  /** The name of its value in the help: `"FILE"`, `"PORT"`. Completion offers files for `"FILE"` and `"FOLDER"`. */
  readonly value?: string;
  /** The values that it may have. Default: any. */
  readonly choices?: readonly string[];
  /** The value of the option when it is given alone; another one is joined to it by `=`. */
  readonly bare?: string;
}

/** The word behind the command's name, for completion. */
export interface Argument {
  /** Its name in the help. Completion offers files for `"APP"` and `"FILE"`. */
  readonly value: string;
  /** The words that it may be. Default: any. */
  readonly choices?: readonly string[];
}

/** The options' values by name; an option that was not given has none. */
export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

export interface Command {
  readonly name: string;
  /** One line for the list of commands and for completion. */
  readonly summary: string;
  /** What comes after its name: `"APP [options]"`. */
  readonly usage: string;
  /** Its first word; undefined when it takes none. */
  readonly argument?: Argument;
  /** The whole text of `waterspout NAME --help`; see `commandHelp`. */
  readonly help: string;
  readonly options: Readonly<Record<string, Option>>;
  /** What comes after `--` is for the program that the command starts: `run` gets it as `passedOn`. */
  readonly passesOn?: boolean;
  /**
   * Returns the exit code, 0 by default. Throws UsageError (exit code 2) or any other error (1, its message as one
   * line).
   */
  run(values: Values, positionals: readonly string[], passedOn: readonly string[]): Promise<number | undefined>;
}

/** Options of every command, and of `waterspout` without a command. */
export const COMMON_OPTIONS = {
  help: { type: "boolean", help: "this text" },
  version: { type: "boolean", help: "the version" },
} satisfies Record<string, Option>;

/** A command line that was read. */
export interface Given {
  readonly values: Values;
  readonly positionals: readonly string[];
  /** What came after `--`; null when that was not there. */
  readonly passedOn: readonly string[] | null;
}

/** Reads `args`, in which options and words may be mixed. Throws UsageError. */
export function readArguments(options: Readonly<Record<string, Option>>, args: readonly string[]): Given {
  const all = new Map(Object.entries({ ...COMMON_OPTIONS, ...options }));
  const known = [...all].map(([name, option]): [string, Flag] => [name, { ...option, value: valueKind(option) }]);
  const { flags, words, passedOn, mistake } = readFlags(args, new Map(known));
  if (mistake !== null) throw new UsageError(complaint(mistake, [...all].flatMap(namesOf)));
  const values: Record<string, Values[string]> = {};
  for (const [name, given] of flags) {
    const { multiple, bare } = all.get(name) as Option;
    const each = given.map((value) => (value === true ? (bare ?? true) : value));
    values[name] = multiple === true ? each : each.at(-1);
  }
  return { values, positionals: words, passedOn };
}

/** The long names of an option, without dashes. */
function namesOf([name, { alias }]: readonly [string, Option]): string[] {
  return alias === undefined ? [name] : [name, alias];
}

/** All that an option may be called: `["--address", "--host", "-H"]`. */
export function spellings(name: string, option: Option): string[] {
  const long = namesOf([name, option]).map((each) => `--${each}`);
  return option.short === undefined ? long : [...long, `-${option.short}`];
}

function valueKind({ type, bare }: Option): Flag["value"] {
  if (type === "boolean") return "none";
  return bare === undefined ? "needed" : "optional";
}

function complaint({ kind, flag }: Mistake, names: readonly string[]): string {
  if (kind === "missing") return `Option '${flag} <value>' argument missing`;
  if (kind === "unexpected") return `Option '${flag}' does not take an argument`;
  const meant = flag.startsWith("--") ? nearest(flag.slice(2), names) : null;
  return `Unknown option '${flag}'${meant === null ? "" : `; did you mean --${meant}?`}`;
}
