import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { hostOffset, hostSize, methodCode, pathOffset, pathSize } from "../../../../assembly/protocol/http/head";
import { Method } from "../../../../assembly/protocol/http/method";
import { Refusal } from "../../../../assembly/protocol/http/refusal";
import { HEAD, SOURCE, outcome, take } from "./support/support";

function host(): string {
  return take(SOURCE + hostOffset(HEAD), hostSize(HEAD));
}

function path(): string {
  return take(SOURCE + pathOffset(HEAD), pathSize(HEAD));
}

function method(name: string, code: i32): void {
  expect(outcome(name + (name == "OPTIONS" ? " * " : " / ") + "HTTP/1.0\r\n\r\n")).toBeGreaterThan(0);
  expect(methodCode(HEAD)).toBe(code);
}

function target(target: string, expectedPath: string, expectedHost: string): void {
  expect(outcome("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")).toBeGreaterThan(0);
  expect(path()).toBe(expectedPath);
  expect(host()).toBe(expectedHost);
}

function refusedTarget(target: string, refusal: i32): void {
  expect(outcome("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")).toBe(refusal);
}

function acceptedHost(value: string): void {
  expect(outcome("GET / HTTP/1.1\r\nA: b\r\nHost: " + value + "\r\n\r\n")).toBeGreaterThan(0);
  expect(host()).toBe(value);
}

function refusedHost(value: string): void {
  expect(outcome("GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n")).toBe(Refusal.BAD_HOST);
  expect(outcome("GET / HTTP/1.0\r\nHost: " + value + "\r\n\r\n")).toBe(Refusal.BAD_HOST);
}

describe("methods", () => {
  test("codes", () => {
    method("GET", Method.GET);
    method("HEAD", Method.HEAD);
    method("POST", Method.POST);
    method("PUT", Method.PUT);
    method("DELETE", Method.DELETE);
    method("PATCH", Method.PATCH);
    method("OPTIONS", Method.OPTIONS);
  });
  test("others, and those that only look like one", () => {
    const names: StaticArray<string> = [
      "get",
      "GEt",
      "PUt",
      "HEAt",
      "POSt",
      "PATCh",
      "DELETe",
      "OPTIONs",
      "CONNECt",
      "TRACE",
      "A",
      "PROPFIND",
    ];
    for (let i = 0; i < names.length; i++) method(names[i], Method.OTHER);
  });
  test("CONNECT", () => {
    expect(outcome("CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n")).toBe(Refusal.CONNECT);
    expect(outcome("CONNECT / HTTP/1.1\r\n\r\n")).toBe(Refusal.CONNECT);
  });
});

describe("targets", () => {
  test("origin-form", () => {
    target("/", "/", "x");
    target("/a/b;c=d,e:f@g!$&'()*+~-._%20", "/a/b;c=d,e:f@g!$&'()*+~-._%20", "x");
    target("/a?b=c?d/e", "/a", "x");
    target("/?", "/", "x");
    target("//a//b", "//a//b", "x");
    target("/100%", "/100%", "x");
  });
  test("absolute-form takes the place of Host", () => {
    target("http://a.example/b?c", "/b", "a.example");
    target("HTTPS://a.example:8443/b", "/b", "a.example:8443");
    target("http://[::1]:80/", "/", "[::1]:80");
    target("http://a", "", "a");
    target("http://a?b", "", "a");
    target("http://a:/", "/", "a:");
  });
  test("asterisk-form", () => {
    expect(outcome("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")).toBeGreaterThan(0);
    expect(path()).toBe("*");
    expect(outcome("OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n")).toBeGreaterThan(0);
    refusedTarget("*", Refusal.BAD_TARGET_FORM);
    expect(outcome("OPTIONS ** HTTP/1.1\r\nHost: x\r\n\r\n")).toBe(Refusal.BAD_TARGET_FORM);
  });
  test("BAD_TARGET_FORM", () => {
    const targets: StaticArray<string> = [
      "a",
      "a/b",
      "x:80",
      "?a",
      "\\a",
      "http:/a",
      "http:a",
      "http://",
      "http:///a",
      "https://",
      "https:/",
      "http://?a",
      "http://a@b/",
      "http://a:b@c/",
      "http://a:b/",
      "http://a:65536/",
      "http://a,b/",
      "http://[::1/",
      "http://[]/",
      "http://[::1]a/",
      "http://a#b",
      "http://a%20b/",
      "ftp://a/",
      "ws://a/",
      "httpx://a/",
      "http.//a/",
    ];
    for (let i = 0; i < targets.length; i++) refusedTarget(targets[i], Refusal.BAD_TARGET_FORM);
  });
  test("bytes that browsers send raw", () => {
    target("/a|b^c[d]", "/a|b^c[d]", "x");
    target("/?a|b^c[d]{e}\\f`g", "/", "x");
  });
  test("BAD_TARGET", () => {
    const both = '#"<>\x80\xff';
    for (let i = 0; i < both.length; i++) {
      refusedTarget("/a" + both.charAt(i), Refusal.BAD_TARGET);
      refusedTarget("/a?b" + both.charAt(i) + "c", Refusal.BAD_TARGET);
      refusedTarget("/" + "a".repeat(40) + "?" + "b".repeat(40) + both.charAt(i), Refusal.BAD_TARGET);
      refusedTarget("http://a/" + both.charAt(i), Refusal.BAD_TARGET);
    }
    const pathOnly = "\\`{}";
    for (let i = 0; i < pathOnly.length; i++) refusedTarget("/a" + pathOnly.charAt(i) + "b?c", Refusal.BAD_TARGET);
  });
});

describe("Host", () => {
  test("names and addresses", () => {
    const hosts: StaticArray<string> = [
      "",
      "x",
      "a.example",
      "A-b_c.example.",
      "a.example:80",
      "a:0",
      "a:",
      "a:65535",
      "127.0.0.1:8888",
      "[::1]",
      "[::1]:443",
      "[2001:db8::ffff:1.2.3.4]:1",
      "!$&'()*+;=~",
      "abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz.example:12345",
    ];
    for (let i = 0; i < hosts.length; i++) acceptedHost(hosts[i]);
  });
  test("BAD_HOST", () => {
    const hosts: StaticArray<string> = [
      "x y",
      "a,b",
      "a/b",
      "a@b",
      "a?b",
      "a#b",
      "a\\b",
      "a%20b",
      "a:b",
      "a:80:81",
      "a:65536",
      "a:100000",
      "a:-1",
      ":80",
      ":",
      "[",
      "[]",
      "[::1",
      "[::1]a",
      "[::1]:a",
      "[g::1]",
      "[v1.a]",
      "[fe80::1%25eth0]",
      "a]",
      "\xe9",
      "a\tb",
      '"a"',
      "<a>",
      "a^b",
      "a|b",
      "a`b",
      "{a}",
      "abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz,example",
    ];
    for (let i = 0; i < hosts.length; i++) refusedHost(hosts[i]);
  });
  test("NO_HOST", () => {
    expect(outcome("GET / HTTP/1.1\r\n\r\n")).toBe(Refusal.NO_HOST);
    expect(outcome("GET http://a/ HTTP/1.1\r\n\r\n")).toBe(Refusal.NO_HOST);
    expect(outcome("GET / HTTP/1.0\r\n\r\n")).toBeGreaterThan(0);
    expect(host()).toBe("");
    expect(outcome("GET http://a/ HTTP/1.0\r\n\r\n")).toBeGreaterThan(0);
    expect(host()).toBe("a");
  });
  test("SEVERAL_HOSTS", () => {
    expect(outcome("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n")).toBe(Refusal.SEVERAL_HOSTS);
    expect(outcome("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nhost:\r\n\r\n")).toBe(Refusal.SEVERAL_HOSTS);
    expect(outcome("GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n")).toBe(Refusal.SEVERAL_HOSTS);
  });
});
