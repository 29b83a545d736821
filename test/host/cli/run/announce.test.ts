// The text that a terminal gets when a server is ready.
import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";

import { terminalText } from "../../../../host/cli/run/announce.js";
import type { Serving } from "../../../../host/cli/run/plan.js";

function one(address: string, internal = false): NetworkInterfaceInfo {
  const rest = { address, internal, netmask: "", mac: "", cidr: null };
  return address.includes(":") ? { ...rest, family: "IPv6", scopeid: 0 } : { ...rest, family: "IPv4" };
}

const INTERFACES = {
  lo: [one("127.0.0.1", true), one("::1", true)],
  en0: [one("169.254.1.2"), one("fe80::1"), one("192.0.2.7"), one("2001:db8::7"), one("192.0.2.8")],
};

test.each([
  ["http", "127.0.0.1", "http://127.0.0.1:80/", null],
  ["https", "::1", "https://[::1]:80/", null],
  ["http", "192.0.2.8", "http://192.0.2.8:80/", null],
  ["http", "0.0.0.0", "http://localhost:80/", "http://192.0.2.7:80/"],
  ["https", "::", "https://localhost:80/", "https://[2001:db8::7]:80/"],
  ["tcp", "0.0.0.0", "tcp://localhost:80", "tcp://192.0.2.7:80"],
])("%s on %s is %s here, %s for others", (scheme, address, here, others) => {
  const host = address.includes(":") ? `[${address}]` : address;
  const url = `${scheme}://${host}:80${scheme === "tcp" ? "" : "/"}`;
  const serving: Serving = { url, runtime: "node", workers: 1, address, port: 80 };
  const first = `Waterspout serves ${here} (node), ready in 12 ms\n`;
  const second = others === null ? "" : `In the local network: ${others}\n`;
  expect(terminalText(serving, 12.4, INTERFACES)).toBe(first + second);
  expect(terminalText(serving, 12.4, { lo: INTERFACES.lo })).toBe(first);
});
