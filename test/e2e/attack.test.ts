// `waterspout attack` as a user calls it: on this server, where nothing fails, and on hosts that it leaves alone.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { NODE, run, type Server, start, WASMTIME, type Way } from "./support/ways.js";

/** Some ten seconds, and more on a machine that has much to do. */
const ATTACK_MS_MAX = 50_000;

interface Report {
  ok: boolean;
  url: string;
  findings: { kind: string; name: string; sent: string; came: string; wants: string; verdict: string }[];
}

async function attack(url: string, ...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await run(["attack", url, "--json", ...args], { endMs: ATTACK_MS_MAX });
  const report = JSON.parse(stdout) as Report;
  expect({ code, stderr, failed: report.findings.filter(({ verdict }) => verdict === "fail") }).toEqual({
    code: 0,
    stderr: "",
    failed: [],
  });
  return report;
}

describe.each([NODE, WASMTIME])("$name", (way: Way) => {
  let demo: Server;
  let hasty: Server;
  beforeAll(async () => {
    [demo, hasty] = await Promise.all([start(way), start(way, "test/e2e/apps/slow.ts")]);
  });
  afterAll(() => Promise.all([demo.stop(), hasty.stop()]));

  test("nothing fails, of any kind", { timeout: 60_000 }, async () => {
    const kinds = ["requests", "smuggling", "limits", "websocket"];
    const only = (names: string[]): string[] => names.flatMap((kind) => ["--only", kind]);
    const [first, second] = await Promise.all([
      attack(`${demo.url}echo`, "--websocket", "/ws", ...only(kinds)),
      attack(hasty.url, "--patience", "12", "--connections", "36", ...only(["slow", "readers"])),
    ]);
    expect([...new Set(first.findings.map(({ kind }) => kind))]).toEqual(kinds);
    expect([...new Set(second.findings.map(({ kind }) => kind))]).toEqual(["slow", "readers"]);
    expect(first).toMatchObject({ ok: true, url: `${demo.url}echo` });
    // It refuses all that may be refused, and is noted for nothing but that it reads pings on without room for pongs.
    const noted = first.findings.filter(({ verdict }) => verdict !== "pass").map(({ name }) => name);
    expect(noted.filter((name) => name !== "pings without end, no pong read")).toEqual([]);
    const pair = first.findings.find(({ name }) => name === "coding: with a length");
    expect(pair?.came).toBe("chunks: 400, then closed; no body: 400, then closed");
  });
});

describe("hosts that are not this machine's loopback", () => {
  test.each([
    ["http://192.0.2.7/", "192.0.2.7"],
    ["ws://[2001:db8::7]:8888/ws", "2001:db8::7"],
    ["http://0.0.0.0:8888/", "0.0.0.0"],
    ["http://[::ffff:192.0.2.7]/", "::ffff:c000:207"],
  ])("%s is left alone", async (url, host) => {
    const { code, stdout, stderr } = await run(["attack", url]);
    const sentence = `${host} is not this machine's loopback: attack it with --i-own-this-host alone`;
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: `waterspout: ${sentence}\n` });
  });

  test("with --i-own-this-host it is attacked", async () => {
    const server = await start(NODE);
    try {
      const url = `http://0.0.0.0:${server.port}/`; // the same machine by an address of another kind
      expect((await attack(url, "--only", "limits", "--i-own-this-host")).ok).toBe(true);
    } finally {
      await server.stop();
    }
  });
});

test.each([
  [[], "attack needs one URL; try waterspout attack --help"],
  [["ftp://127.0.0.1/"], 'attack needs a URL that begins with http, https, ws or wss, not "ftp://127.0.0.1/"'],
  [["http://127.0.0.1/", "--only", "all"], /^--only must be one of requests, smuggling, .*, not all$/],
  [["http://127.0.0.1/", "--patience", "0"], "--patience must be a number from 1 to 3600, not 0"],
  [["http://127.0.0.1/", "--websocket", "ws"], '--websocket must be a path, such as /ws, not "ws"'],
])("%j is used wrongly", async (args, sentence) => {
  const { code, stdout, stderr } = await run(["attack", ...args]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr.slice("waterspout: ".length, -1)).toEqual(
    typeof sentence === "string" ? sentence : expect.stringMatching(sentence),
  );
});

test("a port that takes no connection: one line, and exit code 1", async () => {
  const { code, stderr } = await run(["attack", "http://127.0.0.1:1/"]);
  expect([code, stderr]).toEqual([1, "waterspout: connect ECONNREFUSED 127.0.0.1:1\n"]);
});
