/**
 * An application's own settings: Tornado's `define`, `options`, `parse_command_line` and `parse_config_file`.
 *
 *     export const options = define({ greeting: { type: "string", default: "Hello", help: "what is said first" } });
 *     options.greeting // a string
 *
 * Invariants: the value comes from the first of these that has one: command line, environment, file of settings,
 * default. A name is defined once in a process, however many copies of this package are loaded. Each value is checked
 * when its setting is defined.
 */
import { UsageError } from "../core/errors.js";
import { checkValues, fileSource, objectOf, readSettingsFile } from "./file.js";
import { type Flag, type GivenFlags, type Mistake, readFlags } from "./flags.js";
import {
  checked,
  environment,
  flagOf,
  kindOf,
  type Setting,
  type Settings,
  type SettingValues,
  type Source,
  settingFrom,
} from "./settings.js";

interface Registry {
  readonly settings: Record<string, Setting>;
  /** Values by name, computed when first asked for; emptied when a source changes. */
  readonly values: Map<string, unknown>;
  /** The command line. A flag in it may be defined later, so it is read again for each setting. */
  args: readonly string[];
  file: { path: string; values: Readonly<Record<string, unknown>> } | null;
}

const REGISTRY = Symbol.for("waterspout.settings");
const store = globalThis as { [REGISTRY]?: Registry };
const registry: Registry = (store[REGISTRY] ??= { settings: {}, values: new Map(), args: [], file: null });

const fromFlags: Source = (name, setting) => {
  const values = given({ [name]: setting }).flags.get(flagOf(name));
  return values === undefined ? undefined : { texts: values.map(String), origin: `--${flagOf(name)}` };
};
const fromFile: Source = (name, setting) =>
  registry.file === null ? undefined : fileSource(registry.file.values, registry.file.path)(name, setting);

function currentValue(name: string, setting: Setting): unknown {
  const { values } = registry;
  if (!values.has(name)) values.set(name, settingFrom(name, setting, [fromFlags, environment, fromFile]));
  return values.get(name);
}

/**
 * Defines settings and returns their values: an object with one typed, read-only property each, which follows
 * `parseCommandLine` and `parseConfigFile`. Each module may define its own. Throws UsageError for a name that is
 * defined already, for a default that is not of its type, and for a value that has been given and cannot be.
 */
export function define<const All extends Settings>(settings: All): SettingValues<All> {
  const values = {};
  for (const [name, setting] of Object.entries(settings)) {
    if (Object.hasOwn(registry.settings, name)) throw new UsageError(`the setting ${name} is defined twice`);
    if (!/^[a-z][A-Za-z0-9_]*$/.test(name)) throw new UsageError(`${JSON.stringify(name)} cannot be a setting's name`);
    if (setting.default !== undefined) checked(setting, { value: setting.default, origin: `the default of ${name}` });
    currentValue(name, setting);
    registry.settings[name] = setting;
    Object.defineProperty(values, name, { get: () => currentValue(name, setting), enumerable: true });
  }
  return Object.freeze(values) as SettingValues<All>;
}

/**
 * Takes flags from `args` (default: the program's): `--page-size=10`, `--page-size 10`, `--verbose`, `--no-verbose`.
 * Returns what is no flag, and all that stands behind `--`. With `--help` it prints the settings and exits. For
 * programs that start themselves: `waterspout run` has already read the flags behind its `--`. Throws UsageError for a
 * flag that is not defined, and for a value that its setting cannot have.
 */
export function parseCommandLine(args: readonly string[] = process.argv.slice(2)): string[] {
  if (args.includes("--help")) {
    process.stdout.write(settingsHelp());
    process.exit(0);
  }
  registry.args = args;
  registry.values.clear();
  return checkSettings();
}

/** Takes values from a JSON file, `{ "greeting": "Hi" }`. Throws UsageError, which names the file and the key. */
export function parseConfigFile(path: string): void {
  const file = readSettingsFile(path, true);
  if (file === null) return;
  checkValues(file.values, registry.settings, path);
  registry.file = { path, values: file.values };
  registry.values.clear();
}

/** Sets the sources of settings before the application is loaded. `values` is its part of the file at `path`. */
export function presetSettings(args: readonly string[], path: string, values: unknown): void {
  registry.args = args;
  const origin = `${path}: application`;
  registry.file = values === undefined ? null : { path: origin, values: objectOf(values, origin) };
}

/**
 * Returns what was given beside flags. Throws UsageError for a flag of no setting, and for a value that its setting
 * cannot have.
 */
export function checkSettings(): string[] {
  const { settings, file } = registry;
  const { mistake, words, passedOn } = given(settings);
  if (mistake !== null) throw new UsageError(complaint(mistake, settings));
  for (const [name, setting] of Object.entries(settings)) currentValue(name, setting);
  if (file !== null) checkValues(file.values, settings, file.path);
  return [...words, ...(passedOn ?? [])];
}

function complaint({ kind, flag }: Mistake, settings: Settings): string {
  if (kind === "missing") return `${flag} needs a value`;
  if (kind === "unexpected") return `${flag} takes no value`;
  const flags = Object.keys(settings).map((name) => `--${flagOf(name)}`);
  const known = flags.length === 0 ? "it defines none" : `there are ${flags.join(", ")}`;
  return `${flag} is no setting of the application; ${known}`;
}

/** The text of `--help`: each setting's flag, what it does, its values, its variable and its default. */
export function settingsHelp(): string {
  const entries = Object.entries(registry.settings);
  if (entries.length === 0) return "The application defines no settings.\n";
  return `Settings:\n${entries.map(([name, setting]) => entry(name, setting)).join("")}`;
}

function entry(name: string, setting: Setting): string {
  const kind = setting.multiple === true ? `a list, each ${kindOf(setting)}` : kindOf(setting);
  const env = setting.env === undefined ? "" : `, or $${setting.env}`;
  const preset = setting.default === undefined ? "" : ` (default ${JSON.stringify(setting.default)})`;
  return `  --${flagOf(name)}\n      ${setting.help}\n      ${kind}${env}${preset}\n`;
}

/** Underscores stand for dashes, as in Tornado. */
function given(settings: Settings): GivenFlags {
  const known = Object.entries(settings).map(([name, { type }]): [string, Flag] => {
    const isSwitch = type === "boolean";
    return [flagOf(name), { value: isSwitch ? "optional" : "needed", negatable: isSwitch }];
  });
  return readFlags(
    registry.args.map((arg) => arg.replace(/^--[A-Za-z][^=]*/, flagOf)),
    new Map(known),
  );
}
