// The command line without a command's work: help, near misses, arguments.
import { describe, expect, test } from "vitest";

import { COMMON_OPTIONS, type Option, readArguments } from "../../../host/cli/command.js";
import { commands } from "../../../host/cli/commands.js";
import { nearest } from "../../../host/cli/didyoumean.js";
import { programHelp } from "../../../host/cli/help.js";

describe("a word that is none", () => {
  const names = ["run", "build", "new", "doctor", "completion"];
  test.each([
    ["biuld", "build"],
    ["buld", "build"],
    ["BUILD", "build"],
    ["buildd", "build"],
    ["rnu", "run"],
    ["ru", "run"],
    ["compltion", "completion"],
    ["docter", "doctor"],
    ["serve", null],
    ["", null],
    ["b", null],
    ["x".repeat(10_000), null],
  ])("%s may have been %s", (word, meant) => {
    expect(nearest(word, names)).toBe(meant);
  });
});

describe("help", () => {
  test.each(commands)("of $name names every option, in lines that fit", ({ name, help, options }) => {
    expect(help).toMatch(new RegExp(`^Usage: waterspout ${name}( |\\n)`));
    for (const option of Object.keys(options)) expect(help).toContain(`--${option}`);
    for (const line of help.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100);
    expect(help.endsWith("\n") && !help.endsWith("\n\n")).toBe(true);
  });

  test("of the program has a line for each command", () => {
    const text = programHelp(commands);
    for (const { name, summary } of commands) expect(text).toMatch(new RegExp(`^  ${name} +${summary}$`, "m"));
    for (const name of Object.keys(COMMON_OPTIONS)) expect(text).toContain(`--${name}`);
  });
});

describe("arguments", () => {
  const options: Record<string, Option> = {
    port: { type: "string", short: "p", alias: "door", help: "" },
    watch: { type: "boolean", help: "" },
    inspect: { type: "string", bare: "8889", help: "" },
  };
  const read = (...args: string[]) => {
    const { values, positionals, passedOn } = readArguments(options, args);
    return { values: { ...values }, positionals, passedOn };
  };

  test("may be mixed; what follows -- is apart", () => {
    expect(read("a.ts", "--port", "1", "b", "--watch", "--", "--port=2", "--", "c")).toEqual({
      values: { port: "1", watch: true },
      positionals: ["a.ts", "b"],
      passedOn: ["--port=2", "--", "c"],
    });
    expect(read().passedOn).toBeNull();
    expect(read("--").passedOn).toEqual([]);
  });

  test("a letter or another name is the option itself; the last one counts", () => {
    expect(read("-p", "1", "a.ts")).toMatchObject({ values: { port: "1" }, positionals: ["a.ts"] });
    expect(read("--door", "1", "--port=2", "-p3")).toMatchObject({ values: { port: "3" } });
  });

  test("those of run and dev", () => {
    for (const { options: own } of commands.filter(({ name }) => ["run", "dev"].includes(name))) {
      const { values } = readArguments(own, ["-p", "80", "-H", "::1"]);
      expect({ ...values }).toEqual({ port: "80", address: "::1" });
      expect({ ...readArguments(own, ["--host="]).values }).toEqual({ address: "" });
    }
  });

  test("an option that may come without its value does not take the next word", () => {
    expect(read("--inspect", "a.ts")).toMatchObject({ values: { inspect: "8889" }, positionals: ["a.ts"] });
    expect(read("--inspect=0", "a.ts")).toMatchObject({ values: { inspect: "0" }, positionals: ["a.ts"] });
  });

  test.each([
    [["--wacth"], "Unknown option '--wacth'; did you mean --watch?"],
    [["--dor=1"], "Unknown option '--dor'; did you mean --door?"],
    [["--speed"], "Unknown option '--speed'"],
    [["-w"], "Unknown option '-w'"],
    [["--port"], "Option '--port <value>' argument missing"],
    [["--watch=1"], "Option '--watch' does not take an argument"],
  ])("%j: %s", (args, message) => {
    expect(() => read(...args)).toThrow(expect.objectContaining({ code: "USAGE", message }));
  });
});
