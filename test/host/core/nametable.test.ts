// The names of Object.prototype where an application or an operator names something: routes, settings, options, files
// of settings.
import { expect, test } from "vitest";

import { readArguments } from "../../../host/cli/command.js";
import { NameTable } from "../../../host/core/nametable.js";
import { Application, RequestHandler } from "../../../host/index.js";
import { define, parseCommandLine } from "../../../host/settings/define.js";
import { checkValues } from "../../../host/settings/file.js";
import { INHERITED } from "../support/inherited.js";

test.each(INHERITED)("%s is a name like any other", (name) => {
  const table = new NameTable<string>();
  expect(table[name]).toBeUndefined();
  table[name] = "x";
  expect(Object.entries(table)).toEqual([[name, "x"]]);
});

test.each(INHERITED)("%s is a group of a path", async (name) => {
  class Show extends RequestHandler {
    override get(groups: Record<string, string>): void {
      this.write(`${groups[name]} ${this.reverseUrl("show", groups)}`);
    }
  }
  const application = new Application([[`/a/:${name}`, Show, undefined, "show"]]);
  expect((await application.inject("/a/b")).text).toBe("b /a/b");
  expect(() => application.reverseUrl("show", {})).toThrow(/needs 1 values/);
});

test.each(INHERITED)("%s is no setting, no option and no value of one", (name) => {
  expect(() => checkValues(JSON.parse(`{"${name}":1}`), {}, "a.json")).toThrow(`a.json: ${name} is no setting`);
  expect(() => readArguments({}, [`--${name}`])).toThrow(/Unknown option/);
  expect(() => readArguments({}, [`--${name}=1`])).toThrow(/Unknown option/);
  if (/^[a-z]/.test(name)) expect(() => parseCommandLine([`--${name}`])).toThrow("is no setting of the application");
});

test.each(INHERITED.filter((name) => /^[a-z]/.test(name)))("%s can be a setting", (name) => {
  const options = define({ [name]: { type: "boolean", help: "" } });
  expect(options[name]).toBeUndefined();
  parseCommandLine([`--${name}=true`]);
  expect(options[name]).toBe(true);
  for (const value of INHERITED) {
    expect(() => parseCommandLine([`--${name}=${value}`])).toThrow("must be true or false");
  }
  parseCommandLine([]);
});
