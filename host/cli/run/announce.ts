/**
 * What `waterspout run` does once it serves: it says where, and opens the page that `--open` asks for.
 *
 * Invariant: whatever is not a terminal gets one line, always in the same form, for scripts read it.
 */
import { spawn } from "node:child_process";
import { networkInterfaces } from "node:os";
import type { Serving } from "./plan.js";
import type { RunSettings } from "./settings.js";

/** The programs that open a URL in the user's browser. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};
const OPENER_ELSEWHERE = ["xdg-open"] as const;

/** Says where it serves. On a terminal, with `--open`, it opens the page, but never in CI. */
export function announce(serving: Serving, { json, open, debug }: Pick<RunSettings, "json" | "open" | "debug">): void {
  const isTerminal = process.stdout.isTTY === true;
  if (json) process.stdout.write(`${JSON.stringify({ ...serving, pid: process.pid })}\n`);
  else process.stdout.write(isTerminal ? terminalText(serving, performance.now()) : `${servingText(serving)}\n`);
  if (debug && !/^(127\.|::1$)/.test(serving.address)) {
    process.stderr.write(
      "waterspout: warning: debug mode shows parts of the source to every client, and other machines can connect\n",
    );
  }
  if (open && isTerminal && !process.env.CI) openPage(localUrl(serving));
}

function servingText({ url, runtime }: Pick<Serving, "url" | "runtime">): string {
  return `Waterspout serves ${url} (${runtime})`;
}

/** The text for a terminal. `readyMs`: how long the command has run. */
export function terminalText(serving: Serving, readyMs: number, interfaces = networkInterfaces()): string {
  const first = servingText({ ...serving, url: localUrl(serving) });
  const lan = isUnspecified(serving)
    ? networkAddress(serving.address.includes(":") ? "IPv6" : "IPv4", interfaces)
    : null;
  const second = lan === null ? "" : `In the local network: ${withHost(serving.url, lan)}\n`;
  return `${first}, ready in ${Math.round(readyMs)} ms\n${second}`;
}

/** The URL for a browser on this machine: 0.0.0.0 and :: are addresses to listen on, not to connect to. */
function localUrl(serving: Serving): string {
  return isUnspecified(serving) ? withHost(serving.url, "localhost") : serving.url;
}

function isUnspecified({ address }: Serving): boolean {
  return address === "0.0.0.0" || address === "::";
}

function withHost(url: string, host: string): string {
  const [scheme, port] = [url.slice(0, url.indexOf("//")), url.slice(url.lastIndexOf(":"))];
  return `${scheme}//${host.includes(":") ? `[${host}]` : host}${port}`;
}

/** The first address that others in the local network can reach; null without any. Link-local ones need a zone. */
function networkAddress(family: "IPv4" | "IPv6", interfaces: ReturnType<typeof networkInterfaces>): string | null {
  const all = Object.values(interfaces).flatMap((each) => each ?? []);
  const found = all.find(
    (each) => !each.internal && each.family === family && !/^(169\.254\.|fe80:)/.test(each.address),
  );
  return found?.address ?? null;
}

/** A failure is a line on stderr; the server goes on. */
function openPage(url: string): void {
  const fail = (why: string): boolean => process.stderr.write(`waterspout: cannot open ${url}: ${why}\n`);
  if (!/^https?:/.test(url)) return void fail("it is no web page");
  const [program, ...args] = OPENERS[process.platform] ?? OPENER_ELSEWHERE;
  // In a group of its own: ^C ends the server, not the browser.
  const opener = spawn(program, [...args, url], { stdio: "ignore", detached: true });
  opener.once("error", ({ message }) => fail(message));
  opener.once("exit", (code) => code !== 0 && fail(`${program} has failed`));
  opener.unref();
}
