// The flag reader that the command's options and an application's settings share.
import { describe, expect, test } from "vitest";
import { type Flag, readFlags } from "../../../host/settings/flags.js";

const known = new Map<string, Flag>([
  ["port", { value: "needed", short: "p", alias: "door" }],
  ["inspect", { value: "optional" }],
  ["watch", { value: "none" }],
  ["loud", { value: "optional", negatable: true }],
  ["no-color", { value: "none" }],
]);
const read = (...args: string[]) => {
  const { flags, words, passedOn, mistake } = readFlags(args, known);
  return { flags: Object.fromEntries(flags), words, passedOn, mistake };
};
const nothing = { flags: {}, words: [], passedOn: null, mistake: null };

describe("flags", () => {
  test.each([
    ["a value joined by =", ["--port=1"], { flags: { port: ["1"] } }],
    ["a value as the next word", ["--port", "1", "a"], { flags: { port: ["1"] }, words: ["a"] }],
    ["an empty value", ["--port=", "--port", ""], { flags: { port: ["", ""] } }],
    ["a value with = and a line end", ["--port=a=b\nc"], { flags: { port: ["a=b\nc"] } }],
    ["a negative number as the next word", ["--port", "-5", "--port", "-.5"], { flags: { port: ["-5", "-.5"] } }],
    ["a value that looks like a flag, joined", ["--port=--watch"], { flags: { port: ["--watch"] } }],
    ["no value where it may be left out", ["--inspect", "1"], { flags: { inspect: [true] }, words: ["1"] }],
    ["a switch, on and off", ["--loud", "--no-loud", "--loud=0"], { flags: { loud: [true, false, "0"] } }],
    ["a flag whose own name begins with no-", ["--no-color"], { flags: { "no-color": [true] } }],
    ["words, among them a dash", ["a", "-", "--watch", "b"], { flags: { watch: [true] }, words: ["a", "-", "b"] }],
    ["what comes after --", ["a", "--", "--x", "--"], { words: ["a"], passedOn: ["--x", "--"] }],
    ["a letter, with the next word or the rest of its own", ["-p", "1", "-p2"], { flags: { port: ["1", "2"] } }],
    ["another name, in the order given", ["--door=1", "-p", "2", "--door", "3"], { flags: { port: ["1", "2", "3"] } }],
    ["nothing", [], {}],
  ])("%s", (_name, args, expected) => {
    expect(read(...args)).toEqual({ ...nothing, ...expected });
  });

  test.each([
    ["--prot=1", "unknown", "--prot"],
    ["--no-watch", "unknown", "--no-watch"],
    ["--no-port=1", "unknown", "--no-port"],
    ["-x", "unknown", "-x"],
    ["--p=1", "unknown", "--p"],
    ["--no-door", "unknown", "--no-door"],
    ["-p", "missing", "-p"],
    ["--door", "missing", "--door"],
    ["--watch=1", "unexpected", "--watch"],
    ["--no-loud=1", "unexpected", "--no-loud"],
    ["--port", "missing", "--port"],
  ])("%s is a mistake: %s", (arg, kind, flag) => {
    expect(read(arg).mistake).toEqual({ kind, flag });
  });

  test("a flag is not taken for the value of the one before; the first mistake is returned", () => {
    expect(read("--port", "--watch", "--stray").mistake).toEqual({ kind: "missing", flag: "--port" });
  });
});
