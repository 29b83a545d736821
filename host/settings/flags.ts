/**
 * Reading flags: `--name=value`, `--name value`, `--name`, `--no-name`, `-n value`. The command's options and an
 * application's settings are both read here, from the tokens of Node's own `parseArgs`.
 *
 * Invariant: nothing is thrown; the first mistake is returned, and the caller decides what follows from it.
 * Reference: POSIX.1-2017 12.2, Utility Syntax Guidelines.
 */
import { parseArgs } from "node:util";

/** What a flag takes. */
export interface Flag {
  /**
   * `"none"`: `--name` alone. `"needed"`: `--name=value` or `--name value`. `"optional"`: `--name` or `--name=value`,
   * and the next word is not taken.
   */
  readonly value: "none" | "optional" | "needed";
  /** Whether `--no-name` is a flag, too. Default: false. */
  readonly negatable?: boolean;
  /** The letter of `-p`, which means the same. Default: none. */
  readonly short?: string;
  /** Another name: `--alias` means the same. Default: none. */
  readonly alias?: string;
}

export interface Mistake {
  readonly kind: "unknown" | "missing" | "unexpected";
  /** As it was given, without its value: `"--prot"`, `"-p"`. */
  readonly flag: string;
}

export interface GivenFlags {
  /** By the flags' names: each value that was given, true for a flag without one, false for `--no-name`. */
  readonly flags: ReadonlyMap<string, readonly (string | boolean)[]>;
  /** What is no flag and no flag's value. */
  readonly words: readonly string[];
  /** What came after `--`; null when that was not there. */
  readonly passedOn: readonly string[] | null;
  /** A flag that is not known, lacks its value or must have none: the first such; null when there is none. */
  readonly mistake: Mistake | null;
}

/** Reads `args`, in which flags and words may be mixed. `known`: the flags by their names, without dashes. */
export function readFlags(args: readonly string[], known: ReadonlyMap<string, Flag>): GivenFlags {
  const end = args.indexOf("--");
  const aliases = new Map([...known].flatMap(([name, { alias }]) => (alias === undefined ? [] : [[alias, name]])));
  const types = [...known].flatMap(([name, { value, short, alias }]) => {
    const type = value === "needed" ? "string" : "boolean";
    const own = [name, short === undefined ? { type } : { type, short }];
    return alias === undefined ? [own] : [own, [alias, { type }]];
  });
  const { tokens } = parseArgs({
    args: end < 0 ? [...args] : args.slice(0, end),
    options: Object.fromEntries(types) as Record<string, { type: "string" | "boolean"; short?: string }>,
    strict: false,
    tokens: true,
  });
  const flags = new Map<string, (string | boolean)[]>();
  const words: string[] = [];
  let mistake: Mistake | null = null;
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const given = aliases.get(token.name) ?? token.name;
    const off = !known.has(given) && given.startsWith("no-");
    const name = off ? given.slice("no-".length) : given;
    const kind = mistakeIn(token, off, known.get(name));
    if (kind !== null) mistake ??= { kind, flag: token.rawName };
    else flags.set(name, [...(flags.get(name) ?? []), token.value ?? !off]);
  }
  return { flags, words, passedOn: end < 0 ? null : args.slice(end + 1), mistake };
}

interface Token {
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function mistakeIn(
  { rawName, value, inlineValue }: Token,
  off: boolean,
  flag: Flag | undefined,
): Mistake["kind"] | null {
  if (flag === undefined || (off && flag.negatable !== true)) return "unknown";
  if (!rawName.startsWith("--") && rawName !== `-${flag.short}`) return "unknown";
  if (off || flag.value === "none") return value === undefined ? null : "unexpected";
  if (flag.value === "optional" || inlineValue === true) return null;
  return value === undefined || isFlag(value) ? "missing" : null;
}

/** A value that looks like this has to be joined to its flag by `=`; a negative number need not be. */
function isFlag(word: string): boolean {
  return /^-[^\d.]/.test(word);
}
