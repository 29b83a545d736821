// Settings without the command: types, bounds, and what is said about each mistake. The registry is a process's, so
// each test has names of its own.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest";

import {
  checkSettings,
  define,
  parseCommandLine,
  parseConfigFile,
  settingsHelp,
} from "../../../host/settings/define.js";
import { checked, kindOf, type Setting, settingFrom } from "../../../host/settings/settings.js";

const port: Setting = { type: "integer", min: 0, max: 65535, help: "" };
const rate: Setting = { type: "number", min: 0.5, help: "" };
const level: Setting = { type: "number", max: 3, help: "" };
const color: Setting = { type: "string", choices: ["red", "green", "blue"], help: "" };
const quiet: Setting = { type: "boolean", help: "" };
const names: Setting = { type: "string", multiple: true, help: "" };
const ports: Setting = { ...port, multiple: true };

describe("a text", () => {
  test.each([
    [port, "0", 0],
    [port, "65535", 65535],
    [rate, "0.5", 0.5],
    [level, "-12", -12],
    [color, "green", "green"],
    [quiet, "true", true],
    [quiet, "0", false],
    [names, "a,b", ["a", "b"]],
    [ports, "1,2", [1, 2]],
  ])("%j: %s", (setting, text, value) => {
    expect(checked(setting, { texts: [text], origin: "--x" })).toEqual(value);
  });

  test.each([
    [port, "65536", '--x must be a whole number from 0 to 65535, not "65536"'],
    [port, "-1", '--x must be a whole number from 0 to 65535, not "-1"'],
    [port, "1.5", '--x must be a whole number from 0 to 65535, not "1.5"'],
    [port, "", '--x must be a whole number from 0 to 65535, not ""'],
    [port, "0x10", '--x must be a whole number from 0 to 65535, not "0x10"'],
    [rate, "0.4", '--x must be a number from 0.5, not "0.4"'],
    [level, "3.1", '--x must be a number up to 3, not "3.1"'],
    [level, "Infinity", '--x must be a number up to 3, not "Infinity"'],
    [color, "grey", '--x must be red, green or blue, not "grey"'],
    [quiet, "yes", '--x must be true or false, not "yes"'],
    [ports, "1,x", '--x must be a list, each a whole number from 0 to 65535, not "x"'],
  ])("%j cannot be %s", (setting, text, message) => {
    expect(() => checked(setting, { texts: [text], origin: "--x" })).toThrow(
      expect.objectContaining({ code: "USAGE", message }),
    );
  });

  test("of several the last one counts, unless it is a list", () => {
    expect(checked(port, { texts: ["1", "2"], origin: "" })).toBe(2);
    expect(checked(names, { texts: ["a,b", "c"], origin: "" })).toEqual(["a", "b", "c"]);
  });
});

test.each([
  [port, 8.5],
  [port, "8"],
  [port, null],
  [color, 3],
  [quiet, 1],
  [names, "a"],
  [names, [1]],
])("%j: a file cannot give it %j", (setting, value) => {
  expect(() => checked(setting, { value, origin: "f.json: x" })).toThrow(/^f\.json: x must be /);
});

test("the first that says something decides; the others may be wrong", () => {
  const says = (value: unknown) => () => ({ value, origin: "" });
  expect(settingFrom("x", port, [() => undefined, says(1), says("wrong")])).toBe(1);
  expect(settingFrom("x", { ...port, default: 7 }, [() => undefined])).toBe(7);
  expect(kindOf({ type: "string", choices: ["a", "b"], help: "" })).toBe("a or b");
});

describe("define, from the command line and by mistake", () => {
  test("flags: with = and without, with dashes and underscores, switches with no-", () => {
    const options = define({
      flagSize: { type: "integer", help: "" },
      flag_name: { type: "string", help: "" },
      flagLoud: { type: "boolean", default: true, help: "" },
      flagTag: { type: "string", multiple: true, default: [], help: "" },
    });
    const parsed = (...args: string[]): unknown[] => {
      const rest = parseCommandLine(args);
      return [options.flagSize, options.flag_name, options.flagLoud, options.flagTag, rest];
    };
    expect(parsed("--flag-size=3", "--flag-name", "a b")).toEqual([3, "a b", true, [], []]);
    expect(parsed("--flag_size", "3", "x", "--no-flag-loud", "y")).toEqual([3, undefined, false, [], ["x", "y"]]);
    expect(parsed("--flag-loud=false", "--flag-tag=a,b", "--flag-tag", "c")).toEqual([
      undefined,
      undefined,
      false,
      ["a", "b", "c"],
      [],
    ]);
    expect(parsed("--flag-name=a=b\nc")).toEqual([undefined, "a=b\nc", true, [], []]);
    expect(() => parseCommandLine(["--flag-size"])).toThrow("--flag-size needs a value");
    expect(() => parseCommandLine(["--flag-sise=3"])).toThrow(
      /--flag-sise is no setting of the application; there are .*--flag-size/,
    );
  });

  test("mistakes are reported when they are made", () => {
    define({ twice: { type: "string", help: "" } });
    expect(() => define({ twice: { type: "string", help: "" } })).toThrow("the setting twice is defined twice");
    expect(() => define({ preset: { type: "integer", max: 3, default: 4, help: "" } })).toThrow(
      /the default of preset must be/,
    );
    expect(() => define({ "no-name": { type: "string", help: "" } })).toThrow(/cannot be a setting's name/);
  });
});

describe("define", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "waterspout-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    parseCommandLine([]);
  });

  test("gives an object whose properties have the settings' types", () => {
    const options = define({
      typedText: { type: "string", default: "Hello", help: "" },
      typedNone: { type: "number", help: "" },
      typedChoice: { type: "string", choices: ["a", "b"], default: "a", help: "" },
      typedList: { type: "integer", multiple: true, default: [1, 2], help: "" },
      typedSwitch: { type: "boolean", default: false, help: "" },
    });
    expectTypeOf(options.typedText).toEqualTypeOf<string>();
    expectTypeOf(options.typedNone).toEqualTypeOf<number | undefined>();
    expectTypeOf(options.typedChoice).toEqualTypeOf<"a" | "b">();
    expectTypeOf(options.typedList).toEqualTypeOf<readonly number[]>();
    expectTypeOf(options.typedSwitch).toEqualTypeOf<boolean>();
    expect({ ...options }).toEqual({
      typedText: "Hello",
      typedNone: undefined,
      typedChoice: "a",
      typedList: [1, 2],
      typedSwitch: false,
    });
    // @ts-expect-error: they are for reading
    expect(() => (options.typedText = "x")).toThrow(TypeError);
  });

  test("the command line, the environment, a file, the default: in this order", () => {
    const options = define({ orderOne: { type: "integer", default: 1, env: "WATERSPOUT_TEST_ORDER", help: "" } });
    expect(options.orderOne).toBe(1);
    const file = path.join(folder, "settings.json");
    writeFileSync(file, '{ "orderOne": 2 }');
    parseConfigFile(file);
    expect(options.orderOne).toBe(2);
    process.env.WATERSPOUT_TEST_ORDER = "3";
    parseCommandLine([]);
    expect(options.orderOne).toBe(3);
    expect(parseCommandLine(["--order-one=4", "other"])).toEqual(["other"]);
    expect(options.orderOne).toBe(4);
    delete process.env.WATERSPOUT_TEST_ORDER;
  });

  test.each([
    ['{ "stray": 1 }', /settings\.json: stray is no setting; there are .*filed/],
    ['{ "filed": "x" }', /settings\.json: filed must be a whole number from 1, not "x"/],
    ['{ "filed": 0 }', /settings\.json: filed must be a whole number from 1, not 0/],
    ['{ "__proto__": 1 }', /__proto__ is no setting/],
    ["[]", /settings\.json must be an object, not \[\]/],
    ["{ filed: 1 }", /settings\.json is no JSON: /],
  ])("a file with %s", (text, message) => {
    try {
      define({ filed: { type: "integer", min: 1, help: "" } });
    } catch {} // by an earlier row
    const file = path.join(folder, "settings.json");
    writeFileSync(file, text);
    expect(() => parseConfigFile(file)).toThrow(message);
  });

  test("a file that is not there", () => {
    expect(() => parseConfigFile(path.join(folder, "none.json"))).toThrow(/cannot read .*none\.json: ENOENT/);
  });

  test("the list tells each setting's flag, meaning, kind, variable and default", () => {
    define({ listedSize: { type: "integer", min: 1, max: 9, default: 5, env: "LISTED", help: "how many" } });
    expect(settingsHelp()).toContain(
      "  --listed-size\n      how many\n      a whole number from 1 to 9, or $LISTED (default 5)\n",
    );
    expect(checkSettings()).toEqual([]);
  });
});
