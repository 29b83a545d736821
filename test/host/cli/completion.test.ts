// Completion, by the shells themselves: each reads its script and completes a line, as a user who types it and
// presses Tab would see. zsh and fish are asked where they are installed.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";

import type { Command } from "../../../host/cli/command.js";
import { commands } from "../../../host/cli/commands.js";
import { completionScript, SHELLS, type Shell } from "../../../host/cli/completion/scripts.js";

const DEADLINE_MS = 20_000;

/** Everything that an option can be, beside what there is. */
const odd: Command = {
  name: "odd",
  summary: "it's [odd]: with a colon",
  usage: "FILE [options]",
  help: "",
  argument: { value: "FILE" },
  options: {
    level: { type: "string", value: "LEVEL", choices: ["low", "high"], help: "don't [break]: \\this (default low)" },
    watch: { type: "boolean", help: "a `flag` with $dollars" },
    show: { type: "string", value: "PORT", bare: "1", help: "its value may be left out" },
    cert: { type: "string", value: "FILE", help: "a file" },
    size: { type: "string", short: "s", alias: "much", value: "SIZE", choices: ["big"], help: "has three names" },
    dir: { type: "string", value: "HOST::GUEST", multiple: true, help: "one of several" },
  },
  run: async () => 0,
};

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-completion-"));
for (const shell of SHELLS) writeFileSync(path.join(folder, shell), completionScript(shell, [...commands, odd]));
writeFileSync(path.join(folder, "a file.pem"), "");
afterAll(() => rmSync(folder, { recursive: true }));

const START: Record<Shell, string> = {
  bash: "bash --norc --noprofile -i",
  zsh: "zsh -f -i",
  fish: "fish --no-config",
};

function isInstalled(shell: Shell): boolean {
  try {
    execFileSync(shell, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn(`no ${shell} here: install it, and its completion is tested too`);
    return false;
  }
}

/**
 * Types `line` into a shell at a terminal; resolves with the words that the completed command line would have given to
 * waterspout.
 */
function typed(shell: "bash" | "zsh", line: string): Promise<string> {
  const child = spawn("script", ["-qfec", START[shell], "/dev/null"], {
    cwd: folder,
    env: { PATH: process.env.PATH, TERM: "dumb", HOME: folder },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const prepare = shell === "zsh" ? "autoload -U compinit; compinit -u -D" : "bind 'set bell-style none'";
  const show = "waterspout() { printf '%s%s|' 'G' 'OT'; printf '<%s>' \"$@\"; echo '|'; }";
  child.stdin.write(`${prepare}\nsource ./${shell}\n${show}\n${line}\n`);
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => end(() => reject(new Error(`no answer: ${output}`))), DEADLINE_MS);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      child.stdin.end();
      child.kill();
      settle();
    };
    child.once("error", (error) => end(() => reject(error)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const words = /GOT\|(.*?)\|/.exec(output)?.[1];
      if (words !== undefined) end(() => resolve(words));
    });
  });
}

describe.each(["bash", "zsh"] as const)("%s", (shell) => {
  test.skipIf(!isInstalled(shell)).each([
    ["waterspout comp\tz\t", "<completion><zsh>"],
    ["waterspout doc\t--js\t", "<doctor><--json>"],
    ["waterspout run --worker\t", "<run><--workers>"],
    ["waterspout run --runtime w\t", "<run><--runtime><wasmtime>"],
    ["waterspout run --runtime=w\t", "<run><--runtime=wasmtime>"],
    ["waterspout new x --template=as\t", "<new><x><--template=assemblyscript>"],
    ["waterspout odd --level h\t--wat\t", "<odd><--level><high><--watch>"],
    ["waterspout odd --show --c\t", "<odd><--show><--cert>"],
    ["waterspout odd --cert a\t", "<odd><--cert><a file.pem>"],
    ["waterspout odd --dir b --dir a\t", "<odd><--dir><b><--dir><a file.pem>"],
    ["waterspout odd --dir=b --di\t", "<odd><--dir=b><--dir>"],
    ["waterspout odd --much b\t", "<odd><--much><big>"],
    ["waterspout odd -s b\t--sh\t", "<odd><-s><big><--show>"],
    ["waterspout odd --size=b\t", "<odd><--size=big>"],
    ["waterspout odd a\t", "<odd><a file.pem>"],
    ["waterspout doctor a\t", "<doctor><a>"], // no file is wanted there
    ["waterspout --vers\t", "<--version>"],
  ])("%j", { timeout: DEADLINE_MS + 5000 }, async (line, words) => {
    expect(await typed(shell, line)).toBe(words);
  });
});

test.skipIf(!isInstalled("fish")).each([
  [
    "waterspout ",
    ["attack", "build", "completion", "dev", "doctor", "install-wasmtime", "new", "odd", "reload", "run"],
  ],
  ["waterspout comp", ["completion"]],
  ["waterspout completion ", ["bash", "fish", "zsh"]],
  ["waterspout new run --t", ["--template"]],
  ["waterspout run --runtime ", ["component", "component-async", "node", "wasmtime"]],
  ["waterspout run --runtime=w", ["--runtime=wasmtime"]],
  ["waterspout odd --cert a", ["a file.pem"]],
  ["waterspout odd --mu", ["--much"]],
  ["waterspout odd -s ", ["big"]],
  ["waterspout odd a", ["a file.pem"]],
  ["waterspout doctor a", []],
  ["waterspout odd --l", ["--level\tdon't [break]: \\this"]],
])("fish: %j", (line, words) => {
  const script = `source ./fish; complete -C ${JSON.stringify(line)}`;
  const lines = execFileSync("fish", ["--no-config", "-c", script], { cwd: folder, encoding: "utf8" }).split("\n");
  const whole = words.some((word) => word.includes("\t"));
  expect(lines.slice(0, -1).map((each) => (whole ? each : each.split("\t")[0]))).toEqual(words);
});
