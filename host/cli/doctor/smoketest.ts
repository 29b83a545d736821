/**
 * A smoke test of a way to run: a server on a free loopback port, one request over TCP, its answer, an orderly stop.
 */
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { LOOPBACK } from "../../core/address.js";
import type { Logger } from "../../core/log.js";
import type { RuntimeName } from "../../core/runtimename.js";
import { HTTPServer } from "../../server/httpserver.js";

const ANSWER_TIMEOUT_MS = 10_000;
const STOP_GRACE_MS = 1_000;
const ANSWER = "it works";

/** The call that fails throws an error; nothing is logged. */
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Resolves with the milliseconds from the request to its answer; rejects with what failed. */
export async function smokeTest(runtime: RuntimeName): Promise<number> {
  const server = new HTTPServer((request) => request.respond(200, {}, ANSWER), {
    runtime,
    accessLog: "off",
    logger: silent,
  });
  try {
    await server.listen(0, LOOPBACK);
    const start = performance.now();
    const answer = await ask(server.addresses[0]?.port as number);
    if (answer !== ANSWER) throw new Error(`it answered ${JSON.stringify(answer.slice(0, 100))}`);
    return performance.now() - start;
  } finally {
    await server.stop(STOP_GRACE_MS);
  }
}

async function ask(port: number): Promise<string> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const [answer] = (await once(get({ host: LOOPBACK, port, agent: false, signal }), "response")) as [IncomingMessage];
  let text = "";
  for await (const part of answer.setEncoding("utf8")) text += part;
  return text;
}
