/**
 * What a command is. Help, completion and the check of the command line are made from the same description, so that
 * they cannot differ.
 *
 * Invariant: stdout belongs to a command's result, stderr to everything else; a command that was used wrongly throws
 * UsageError.
 */
import { UsageError } from "../core/errors.js";
import { type Flag, type Mistake, readFlags } from "../settings/flags.js";
import { nearest } from "./didyoumean.js";

/** One option, as it is read and as its help says it. */
export interface Option {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  /** What it does, for the help: words that are broken into lines there. */
  readonly help: string;
  /** What its value is called: `"FILE"`, `"PORT"`. Completion offers files for `"FILE"` and `"FOLDER"`. */
  readonly value?: string;
  /** The values that there are. */
  readonly choices?: readonly string[];
  /** The option may come without a value, and then this is meant; its value is joined to it by `=`. */
  readonly bare?: string;
}

/** What stands behind the command's name, for completion. */
export interface Argument {
  /** What it is called: `"APP"`, `"FILE"`, for which completion offers files, or another name. */
  readonly value: string;
  /** The words that there are. */
  readonly choices?: readonly string[];
}

/** What the options were given, by their names; an option that was not given is missing. */
export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

export interface Command {
  readonly name: string;
  /** One line for the list of commands and for completion. */
  readonly summary: string;
  /** What comes after its name: `"APP [options]"`. */
  readonly usage: string;
  /** What its first word may be; none: it takes no words. */
  readonly argument?: Argument;
  /** The whole text of `waterspout NAME --help`; see `commandHelp`. */
  readonly help: string;
  readonly options: Readonly<Record<string, Option>>;
  /** What comes after `--` is not for the command but for what it starts, and is given to `run` apart. */
  readonly passesOn?: boolean;
  /**
   * Returns the exit code, 0 by default. Throws UsageError (exit code 2) or any other error (1, its message as one
   * line).
   */
  run(values: Values, positionals: readonly string[], passedOn: readonly string[]): Promise<number | undefined>;
}

/** Every command has these, and the command without a command too. */
export const COMMON_OPTIONS = {
  help: { type: "boolean", help: "this text" },
  version: { type: "boolean", help: "the version" },
} satisfies Record<string, Option>;

/** What was given to a command. */
export interface Given {
  readonly values: Values;
  readonly positionals: readonly string[];
  /** What came after `--`; null when that was not there. */
  readonly passedOn: readonly string[] | null;
}

/** Reads `args`, in which options and others may be mixed. Throws UsageError. */
export function readArguments(options: Readonly<Record<string, Option>>, args: readonly string[]): Given {
  const all = new Map(Object.entries({ ...COMMON_OPTIONS, ...options }));
  const known = [...all].map(([name, option]): [string, Flag] => [name, { value: valueOf(option) }]);
  const { flags, words, passedOn, mistake } = readFlags(args, new Map(known));
  if (mistake !== null) throw new UsageError(complaint(mistake, [...all.keys()]));
  const values: Record<string, Values[string]> = {};
  for (const [name, given] of flags) {
    const { multiple, bare } = all.get(name) as Option;
    const each = given.map((value) => (value === true ? (bare ?? true) : value));
    values[name] = multiple === true ? each : each.at(-1);
  }
  return { values, positionals: words, passedOn };
}

function valueOf({ type, bare }: Option): Flag["value"] {
  if (type === "boolean") return "none";
  return bare === undefined ? "needed" : "optional";
}

function complaint({ kind, flag }: Mistake, names: readonly string[]): string {
  if (kind === "missing") return `Option '${flag} <value>' argument missing`;
  if (kind === "unexpected") return `Option '${flag}' does not take an argument`;
  const meant = flag.startsWith("--") ? nearest(flag.slice(2), names) : null;
  return `Unknown option '${flag}'${meant === null ? "" : `; did you mean --${meant}?`}`;
}
