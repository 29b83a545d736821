/**
 * Settings: the values that each may have, how a text becomes a value, and which of several sources decides.
 *
 * Invariant: a value that is returned has its setting's type, is within its bounds and is one of its choices. For
 * anything else a UsageError is thrown that names the source and the setting.
 */
import { UsageError } from "../core/errors.js";

/** What settings of all types have. */
interface Described {
  /** What it does, for `--help`. */
  readonly help: string;
  /** The environment variable that it is also taken from. Default: none. */
  readonly env?: string;
  /** A list: given several times, or once with commas; in a file of settings an array. Default: false. */
  readonly multiple?: boolean;
}

/** A setting whose value is text. */
export interface StringSetting extends Described {
  /** What its values are. */
  readonly type: "string";
  /** Its value until one is given; a list with `multiple`. Default: undefined. */
  readonly default?: string | readonly string[];
  /** The values that it may have. Default: any. */
  readonly choices?: readonly string[];
}

/** A setting whose value is a number. */
export interface NumberSetting extends Described {
  /** `"integer"`: a whole number. */
  readonly type: "number" | "integer";
  /** Its value until one is given; a list with `multiple`. Default: undefined. */
  readonly default?: number | readonly number[];
  /** The smallest value that it may have. Default: no bound. */
  readonly min?: number;
  /** The largest value that it may have. Default: no bound. */
  readonly max?: number;
}

/** A setting that is on or off. */
export interface BooleanSetting extends Described {
  /** What its values are. */
  readonly type: "boolean";
  /** Its value until one is given; a list with `multiple`. Default: undefined. */
  readonly default?: boolean | readonly boolean[];
}

/** One setting. Without a default its value is undefined until it is given. */
export type Setting = StringSetting | NumberSetting | BooleanSetting;
/** Settings by their names, as TypeScript spells them; the flag of `pageSize` is `--page-size`. */
export type Settings = Readonly<Record<string, Setting>>;

/** One value of a setting. */
type One<S> = S extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : S extends { readonly type: "string" }
    ? string
    : S extends { readonly type: "boolean" }
      ? boolean
      : number;
/** What a setting has once it is given: a value, or a list with `multiple`. */
type Given<S> = S extends { readonly multiple: true } ? readonly One<S>[] : One<S>;
/** The value of a setting. */
export type SettingValue<S> = S extends { readonly default: NonNullable<unknown> } ? Given<S> : Given<S> | undefined;
/** The values of settings, by their names. */
export type SettingValues<All extends Settings> = { readonly [Name in keyof All]: SettingValue<All[Name]> };

/** What a source has for a setting. */
export interface SourceValue {
  /** Texts of flags and variables, which are converted to the setting's type. */
  readonly texts?: readonly string[];
  /** A value of a file, which must have the type already. */
  readonly value?: unknown;
  /** What an error names: `"--port"`, `"app.json: port"`. */
  readonly origin: string;
}

/** Where values come from: flags, the environment, a file. It returns undefined for a setting that it does not have. */
export type Source = (name: string, setting: Setting) => SourceValue | undefined;

/** The value of the first of `sources` that has one, else the default. Throws UsageError. */
export function settingFrom(name: string, setting: Setting, sources: readonly Source[]): unknown {
  for (const source of sources) {
    const said = source(name, setting);
    if (said !== undefined) return checked(setting, said);
  }
  return setting.default;
}

/** The value, converted and checked. Throws UsageError for one that the setting cannot have. */
export function checked(setting: Setting, { texts, value, origin }: SourceValue): unknown {
  if (setting.multiple === true)
    return list(setting, texts?.flatMap((text) => text.split(",")) ?? value, origin, !!texts);
  // A flag that is given several times: the last one counts.
  const one = texts === undefined ? value : readText(setting, texts.at(-1) ?? "");
  if (isOne(setting, one)) return one;
  throw new UsageError(`${origin} must be ${kindOf(setting)}, not ${JSON.stringify(texts?.at(-1) ?? value)}`);
}

function list(setting: Setting, given: unknown, origin: string, isText: boolean): readonly unknown[] {
  if (!Array.isArray(given)) throw new UsageError(`${origin} must be a list, not ${JSON.stringify(given)}`);
  return given.map((each) => {
    const one = isText ? readText(setting, each) : each;
    if (isOne(setting, one)) return one;
    throw new UsageError(`${origin} must be a list, each ${kindOf(setting)}, not ${JSON.stringify(each)}`);
  });
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
  ["1", true],
  ["0", false],
]);

/** The value that `text` stands for; else `text` itself, which `isOne` then refuses. */
function readText({ type }: Setting, text: string): unknown {
  if (type === "boolean") return BOOLEANS.get(text) ?? text;
  if (type === "string") return text;
  return /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(text) ? Number(text) : text;
}

function isOne(setting: Setting, value: unknown): boolean {
  if (setting.type === "boolean") return typeof value === "boolean";
  if (setting.type === "string") {
    return typeof value === "string" && (setting.choices === undefined || setting.choices.includes(value));
  }
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = setting;
  if (typeof value !== "number" || !Number.isFinite(value) || value < min || value > max) return false;
  return setting.type === "number" || Number.isSafeInteger(value);
}

/** `"a whole number from 0 to 65535"`, `"node or wasmtime"`. */
export function kindOf(setting: Setting): string {
  if (setting.type === "boolean") return "true or false";
  if (setting.type === "string") {
    const { choices } = setting;
    if (choices === undefined) return "a text";
    return choices.length < 2 ? choices.join() : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
  }
  const { min, max } = setting;
  const range = min === undefined ? (max === undefined ? "" : ` up to ${max}`) : ` from ${min}`;
  const end = min === undefined || max === undefined ? "" : ` to ${max}`;
  return `a ${setting.type === "integer" ? "whole " : ""}number${range}${end}`;
}

/** The flag of a setting, without its dashes: `pageSize` is `page-size`. */
export function flagOf(name: string): string {
  return name.replaceAll("_", "-").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Environment variables; an empty one counts as not set. */
export const environment: Source = (_name, { env }) => {
  const text = env === undefined ? undefined : process.env[env];
  return text === undefined || text === "" ? undefined : { texts: [text], origin: env as string };
};
