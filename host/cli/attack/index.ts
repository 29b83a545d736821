/** `waterspout attack URL`: tries on a server what hostile clients do, and says how it stands that. */
import { UsageError } from "../../core/errors.js";
import { ATTACK_CONNECTIONS, ATTACK_CONNECTIONS_MAX, ATTACK_PATIENCE_MS } from "../../core/limits.js";
import type { Command, Option, Values } from "../command.js";
import { EXIT_FAILED } from "../exit.js";
import { commandHelp } from "../help.js";
import { KINDS, type Kind } from "./finding.js";

const name = "attack";
const usage = "URL [options]";
const PATIENCE_S_MAX = 3600;

const options = {
  only: { type: "string", multiple: true, value: "KIND", choices: KINDS, help: "this kind alone; can be given again" },
  websocket: { type: "string", value: "PATH", help: "where a websocket is; a ws: URL names it itself" },
  patience: {
    type: "string",
    value: "SECONDS",
    help: `how long slow clients are watched; ${ATTACK_PATIENCE_MS / 1000}`,
  },
  connections: { type: "string", value: "N", help: `connections at the same time; ${ATTACK_CONNECTIONS}` },
  "i-own-this-host": { type: "boolean", help: "attack a host that is not this machine's loopback" },
  json: { type: "boolean", help: "the findings as one JSON document on stdout" },
} satisfies Record<string, Option>;

const ABOUT =
  "Tries on a server what hostile clients do: bad requests, ones whose end two servers may find at different places, " +
  "what has no end, slow clients, clients that do not read, bad websocket frames. It says what came, what the " +
  "specifications want, and whether that is safe. It opens connections to the one address of the URL alone, " +
  "which must be this machine's loopback.\n\n" +
  "The exit status is 1 when something failed: a server that hangs, ends, takes without bound, or answers where two " +
  "servers in a row could read two requests.";

export const attack: Command = {
  name,
  summary: "try on a server what hostile clients do",
  usage,
  argument: { value: "URL" },
  help: commandHelp({ name, usage, options }, ABOUT),
  options,
  async run(values, [url, ...rest]) {
    if (url === undefined || rest.length > 0)
      throw new UsageError("attack needs one URL; try waterspout attack --help");
    const only = kindsOf(values.only as readonly string[] | undefined);
    const patienceMs = wholeOf(values, "patience", PATIENCE_S_MAX, ATTACK_PATIENCE_MS / 1000) * 1000;
    const connections = wholeOf(values, "connections", ATTACK_CONNECTIONS_MAX, ATTACK_CONNECTIONS);
    const { targetOf } = await import("./target.js");
    const target = await targetOf(url, (values.websocket as string) ?? null, values["i-own-this-host"] === true);
    const { attackTarget, textOf } = await import("./run.js");
    const findings = await attackTarget(target, { only, patienceMs, connections, progress });
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    const ok = findings.every(({ verdict }) => verdict !== "fail");
    const report = { ok, url: target.url, findings };
    process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : textOf(target.url, findings));
    return ok ? 0 : EXIT_FAILED;
  },
};

function progress(kind: Kind, done: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${kind}: ${done} of ${of}`);
}

function kindsOf(words: readonly string[] = []): Kind[] {
  return words.map((word) => {
    const kind = KINDS.find((each) => each === word);
    if (kind === undefined) throw new UsageError(`--only must be one of ${KINDS.join(", ")}, not ${word}`);
    return kind;
  });
}

function wholeOf(values: Values, option: string, most: number, otherwise: number): number {
  const text = values[option] as string | undefined;
  if (text === undefined) return otherwise;
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most) throw new UsageError(`--${option} must be a number from 1 to ${most}, not ${text}`);
  return number;
}
