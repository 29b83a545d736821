/** `waterspout doctor`: reports what is installed, and tries each way to run on this machine. */
import { UsageError } from "../../core/errors.js";
import { packageVersion } from "../../core/paths.js";
import { RUNTIMES, type RuntimeName } from "../../core/runtimename.js";
import type { Command, Option } from "../command.js";
import { commandHelp } from "../help.js";
import type { Check, Status } from "./checks.js";

const usage = "[options]";

const options = {
  json: { type: "boolean", help: "the report as one JSON document on stdout" },
} satisfies Record<string, Option>;

const ABOUT =
  "Says what is installed, and tries each way to run with one request on a free loopback port. The exit status is 1 " +
  "when none of them works.";

/** A way to run: tried, and whether it worked. */
interface Way {
  runtime: RuntimeName;
  status: Status;
  text: string;
}

export const doctor: Command = {
  name: "doctor",
  summary: "say what is installed and which ways to run work",
  usage,
  help: commandHelp({ name: "doctor", usage, options }, ABOUT),
  options,
  async run(values, positionals) {
    if (positionals.length > 0) throw new UsageError(`doctor takes no argument, not ${positionals.join(" ")}`);
    const { allChecks } = await import("./checks.js");
    const checks = await allChecks();
    const ways: Way[] = [];
    for (const runtime of RUNTIMES) ways.push(await tryWay(runtime));
    const works = ways.some(({ status }) => status === "ok");
    const report = { ok: works, version: packageVersion(), checks, ways };
    process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : textOf(checks, ways));
    return works ? 0 : 1;
  },
};

async function tryWay(runtime: RuntimeName): Promise<Way> {
  const { smokeTest } = await import("./smoketest.js");
  try {
    const milliseconds = await smokeTest(runtime);
    return { runtime, status: "ok", text: `works; a first request took ${Math.ceil(milliseconds)} ms` };
  } catch (error) {
    return { runtime, status: "fail", text: (error as Error).message };
  }
}

function textOf(checks: Check[], ways: Way[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2;
  const line = (status: Status, name: string, text: string): string =>
    `  ${status.padEnd(6)}${name.padEnd(width)}${text}\n`;
  const found = checks.map(
    ({ status, name, text, fix }) => line(status, name, text) + (fix === null ? "" : line("" as Status, "", fix)),
  );
  const tried = ways.map(({ status, runtime, text }) => line(status, runtime, text));
  return `What is here:\n${found.join("")}Ways to run, each tried with one request:\n${tried.join("")}`;
}
