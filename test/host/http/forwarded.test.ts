// What proxies say about a request, and when it is believed.
import { describe, expect, test } from "vitest";

import { HTTPServer, type ServerOptions, type TLSInfo } from "../../../host/index.js";
import { ID, seen, serve } from "../support/exchange.js";
import { requestFrame } from "../support/fakeworker.js";

/** Descriptors of test/host/support/exchange.ts: another machine, this machine, and one without an address. */
const STRANGER = 9;
const LOOPBACK = 10;
const UNKNOWN = 11;

function addressOf(headers: [string, string][], options: ServerOptions = {}, descriptor = LOOPBACK): string | null {
  const { remoteAddress } = seen({ headers, descriptor }, { xheaders: true, ...options });
  if (remoteAddress === null) return null;
  const { address, port } = remoteAddress;
  return descriptor === LOOPBACK && address === "127.0.0.1" && port === 6 ? "the peer" : `${address} ${port}`;
}

const forwarded = (value: string): [string, string][] => [["x-forwarded-for", value]];

describe("the address", () => {
  test.each<[string, [string, string][], string]>([
    ["X-Real-Ip", [["x-real-ip", "4.4.4.4"]], "4.4.4.4 0"],
    ["X-Real-Ip, IPv6", [["x-real-ip", "2620:0:1cfe:face:b00c::3"]], "2620:0:1cfe:face:b00c::3 0"],
    ["X-Forwarded-For", forwarded("127.0.0.1, 4.4.4.4"), "4.4.4.4 0"],
    ["X-Forwarded-For, IPv6", forwarded("::1, 2620:0:1cfe:face:b00c::3"), "2620:0:1cfe:face:b00c::3 0"],
    ["with a port", forwarded("4.4.4.4:1234"), "4.4.4.4 1234"],
    ["in brackets", forwarded("[2001:db8::1]"), "2001:db8::1 0"],
    ["in brackets with a port", forwarded("[2001:db8::1]:80"), "2001:db8::1 80"],
    ["over several fields", [...forwarded("1.1.1.1"), ...forwarded("2.2.2.2")], "2.2.2.2 0"],
    ["X-Real-Ip before X-Forwarded-For", [...forwarded("1.1.1.1"), ["x-real-ip", "2.2.2.2"]], "2.2.2.2 0"],
    ["characters that are none", [["x-real-ip", "4.4.4.4<script>"]], "the peer"],
    ["characters that are none, in a list", forwarded("4.4.4.4, 5.5.5.5<script>"), "the peer"],
    ["a name", [["x-real-ip", "www.example.org"]], "the peer"],
    ["brackets around IPv4", forwarded("[4.4.4.4]"), "the peer"],
    ["half a bracket", forwarded("[2001:db8::1"), "the peer"],
    ["a zone", forwarded("fe80::1%eth0"), "the peer"],
    ["a port that is none", forwarded("4.4.4.4:65536"), "the peer"],
    ["an empty entry at the end", forwarded("4.4.4.4,"), "the peer"],
    ["nothing", forwarded(""), "the peer"],
    ["no field", [], "the peer"],
  ])("%s", (_name, headers, expected) => {
    expect(addressOf(headers)).toBe(expected);
  });

  test.each([
    ["127.0.0.1, 4.4.4.4, 5.5.5.5", ["5.5.5.5"], "4.4.4.4 0"],
    ["4.4.4.4, 10.1.2.3, 10.9.9.9", ["10.0.0.0/8"], "4.4.4.4 0"],
    ["10.1.2.3, 10.9.9.9", ["10.0.0.0/8"], "10.1.2.3 0"],
    ["4.4.4.4, [2001:db8::1]:9", ["2001:db8::/32"], "4.4.4.4 0"],
    ["4.4.4.4, ::ffff:5.5.5.5", ["5.5.5.5"], "4.4.4.4 0"],
    ["4.4.4.4, junk, 5.5.5.5", ["5.5.5.5"], "the peer"],
  ])("%s behind %j", (list, trustedDownstream, expected) => {
    expect(addressOf(forwarded(list), { trustedDownstream })).toBe(expected);
  });

  test("a peer that is not trusted is not believed", () => {
    expect(addressOf(forwarded("4.4.4.4"), {}, STRANGER)).toBe("192.0.2.1 5");
    expect(addressOf(forwarded("4.4.4.4"), { trustedDownstream: ["192.0.2.0/24"] }, STRANGER)).toBe("4.4.4.4 0");
  });

  test("an unknown one is believed where the server can know no peer, and nowhere else", () => {
    const told = (options: ServerOptions) => addressOf(forwarded("4.4.4.4"), options, UNKNOWN);
    expect(told({ runtime: "node" })).toBeNull();
    expect(told({ runtime: "wasmtime", proxyProtocol: true })).toBeNull();
    expect(told({ runtime: "wasmtime" })).toBe("4.4.4.4 0");
    expect(addressOf([], { runtime: "wasmtime" }, UNKNOWN)).toBeNull();
  });

  test("without xheaders fields say nothing", () => {
    expect(addressOf(forwarded("4.4.4.4"), { xheaders: false })).toBe("the peer");
  });
});

describe("Forwarded", () => {
  test.each<[string, string, string]>([
    ["for=4.4.4.4;proto=https", "4.4.4.4 0", "https"],
    ['For="[2001:db8::1]:4711" ; PROTO=HTTPS', "2001:db8::1 4711", "https"],
    ['for=4.4.4.4;proto=https, for="5.5.5.5:80";by=1.1.1.1', "4.4.4.4 0", "http"],
    ['for=4.4.4.4, for="5.5.5.5";proto=https', "4.4.4.4 0", "https"],
    ["for=1.1.1.1, for=4.4.4.4", "4.4.4.4 0", "http"],
    ['for="4.4.4\\.4"', "4.4.4.4 0", "http"],
    ["for=4.4.4.4, for=_hidden", "the peer", "http"],
    ["for=4.4.4.4, for=unknown", "the peer", "http"],
    ["for=4.4.4.4, proto=https", "the peer", "https"],
    ["for=4.4.4.4 proto=https", "the peer", "http"],
    ['for="4.4.4.4;proto=https', "the peer", "http"],
    ["for=[2001:db8::1]", "the peer", "http"],
    [",", "the peer", "http"],
    ["", "the peer", "http"],
  ])("%s", (value, address, protocol) => {
    const options: ServerOptions = { xheaders: "forwarded", trustedDownstream: ["5.5.5.5"] };
    const headers: [string, string][] = [["forwarded", value]];
    expect(addressOf(headers, options)).toBe(address);
    expect(seen({ headers, descriptor: LOOPBACK }, options).protocol).toBe(protocol);
    expect(addressOf(headers, options, STRANGER)).toBe("192.0.2.1 5");
  });

  test("and the X- fields are never both read", () => {
    const both: [string, string][] = [
      ["forwarded", "for=1.1.1.1"],
      ["x-forwarded-for", "2.2.2.2"],
    ];
    expect(addressOf(both)).toBe("2.2.2.2 0");
    expect(addressOf(both, { xheaders: "forwarded" })).toBe("1.1.1.1 0");
    expect(addressOf([["x-real-ip", "2.2.2.2"]], { xheaders: "forwarded" })).toBe("the peer");
  });
});

describe("the protocol", () => {
  test.each<[[string, string][], string]>([
    [[], "http"],
    [[["x-scheme", "https"]], "https"],
    [[["x-forwarded-proto", "https"]], "https"],
    [[["x-forwarded-proto", "https , http"]], "http"],
    [[["x-forwarded-proto", "http,https"]], "https"],
    [[["x-scheme", "http"], ["x-forwarded-proto", "https"]], "http"], // biome-ignore format: pairs
    [[["x-forwarded-proto", "unknown"]], "http"],
    [[["x-forwarded-proto", "HTTPS"]], "http"],
  ])("%j", (headers, expected) => {
    expect(seen({ headers, descriptor: LOOPBACK }, { xheaders: true }).protocol).toBe(expected);
    expect(seen({ headers, descriptor: LOOPBACK }).protocol).toBe("http");
    expect(seen({ headers, descriptor: STRANGER }, { xheaders: true }).protocol).toBe("http");
  });
});

test("over TLS the protocol is https, until a proxy says otherwise", () => {
  const tls = { authorized: false } as unknown as TLSInfo;
  for (const [headers, expected] of [
    [[], "https"],
    [[["x-scheme", "http"]], "http"],
  ] as [[string, string][], string][]) {
    let protocol = "";
    const worker = serve((request) => void (protocol = request.protocol), { xheaders: true });
    worker.peers.set(12, { address: { address: "127.0.0.1", port: 1, family: "IPv4" }, tls });
    worker.emit(requestFrame(ID, { descriptor: 12, headers }));
    expect(protocol).toBe(expected);
  }
});

describe("the host", () => {
  test.each([
    ["/", "example.org:80", "example.org:80"],
    ["http://other.example/x", "example.org", "other.example"],
    ["http://other.example:81?x=/", "example.org", "other.example:81"],
    ["*", "example.org", "example.org"],
    ["/?u=http://h/x", "example.org", "example.org"],
  ])("of %s with the field %s", (target, host, expected) => {
    expect(seen({ target, headers: [["host", host]] }).host).toBe(expected);
  });

  test("without a field", () => {
    expect(seen({ minor: 0 }).host).toBe("127.0.0.1");
  });
});

test.each<[ServerOptions, RegExp]>([
  [{ trustedDownstream: ["127.0.0.1"] }, /trustedDownstream needs xheaders/],
  [{ xheaders: "x" as never }, /xheaders must be/],
  [{ xheaders: true, trustedDownstream: ["nobody"] }, /trustedDownstream has "nobody"/],
  [{ xheaders: true, trustedDownstream: ["10.0.0.0/33"] }, /trustedDownstream/],
])("options %j are refused", (options, message) => {
  expect(() => new HTTPServer(() => {}, options)).toThrow(message);
});

test("the scheme that a server is given holds where no proxy says another", () => {
  const schemeOf = (headers: [string, string][], options: ServerOptions) =>
    seen({ headers, descriptor: LOOPBACK }, options).protocol;
  expect(schemeOf([], { protocol: "https" })).toBe("https");
  expect(schemeOf([["x-scheme", "http"]], { protocol: "https" })).toBe("https");
  expect(schemeOf([], { protocol: "https", xheaders: true })).toBe("https");
  expect(schemeOf([["x-scheme", "http"]], { protocol: "https", xheaders: true })).toBe("http");
  const wrong = { protocol: "ftp" } as unknown as ServerOptions;
  expect(() => new HTTPServer(() => {}, wrong)).toThrow('protocol must be "http" or "https"');
});
