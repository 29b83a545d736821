// The addresses of edge/url.ts say what Node's say, those that are taken for plain as well as those that are parsed.
import { expect, test } from "vitest";

import { addressOf, URL as EdgeURL } from "../../edge/url.js";

type Made = [href: string, ...parts: string[]] | "refused";

function made(Class: typeof URL | typeof EdgeURL, url: string, base?: string): Made {
  try {
    const { href, origin, protocol, host, hostname, port, pathname, search, hash, username, password, searchParams } =
      new Class(url, base);
    return [
      href,
      origin,
      protocol,
      host,
      hostname,
      port,
      pathname,
      search,
      hash,
      username,
      password,
      ...searchParams.keys(),
    ];
  } catch {
    return "refused";
  }
}

/** Each a piece that a parser takes in its own way. */
const HOSTS = [
  ..."a A a.b a-b.c_d a. .a a..b localhost 1 127.1 1.2.3.4 1.2.3.04 1.2.3.256 0x7f.1 a.0x1 1.2.3.4. a.1b".split(" "),
  ..."[::1] [::1 [1:0:0::] xn--bcher-kva.de %61 a%2eb u@a u:p@a a:80 a:443 a:0 a:8080 a:08 a: a:65535".split(" "),
  ..."a:65536 a:99999 a:x 1.2.3.4:60001 [::1]:80 [::1]:81".split(" "),
];
const PATHS = [
  "",
  ..."/ // /a /a/../b /a/./b /. /.. /a/.b /a/%2e/b /%2E%2e/b /%2fa /a%20b /ü /a\\b /a|b /a'b /a\"b /a<b /a[b]".split(
    " ",
  ),
  ..."/a`b /a{b} /a%zz /A~!$&()*+,;=:@ /a?x=1&y=%C3%BC+z&x /?' /?a[b]=c /?? /?# /#x /a?b#c? /?ü=ä".split(" "),
  "/a b",
  "/a\tb",
  "/?a b",
  "/a ",
];

test("whole addresses", () => {
  for (const scheme of ["http", "https", "HTTP", "ws"]) {
    for (const host of HOSTS) {
      for (const path of PATHS) {
        const url = `${scheme}://${host}${path}`;
        expect(made(EdgeURL, url), url).toEqual(made(URL, url));
      }
    }
  }
});

test("below another address, and of a path alone", () => {
  const bases = ["http://a/b/c?d", "https://[::1]:81/x/", "http://A:80", "http://a:443/", "http://1/", ""];
  for (const base of bases) {
    for (const path of [...PATHS, "//b/c", "../x", "x", "?y", "#z", "http:x", "https://b/"]) {
      expect(made(EdgeURL, path, base), `${path} below ${base}`).toEqual(made(URL, path, base));
    }
  }
  expect(made(EdgeURL, "/a")).toBe("refused");
});

test("what a request asks for is an address, and that of a URL", () => {
  for (const host of HOSTS) {
    for (const path of PATHS.filter((path) => path.startsWith("/"))) {
      const { origin, href } = URL.parse(`http://${host}/`) ?? {};
      const expected = href !== undefined && href === `${origin}/` ? new URL(origin + path).href : null;
      if (expected === null) expect(() => addressOf(path, host), host).toThrow(TypeError);
      else {
        expect(addressOf(path, host)).toBe(expected);
        expect(made(EdgeURL, expected), expected).toEqual(made(URL, expected));
      }
    }
  }
  expect(addressOf("/x", "")).toBe("http://localhost/x");
  expect(addressOf("http://b/c", "a")).toBe("http://b/c");
  expect(addressOf("*", "a")).toBe("http://a/*");
});

test("a part that is changed, and parameters and query that follow each other", () => {
  for (const Class of [URL, EdgeURL]) {
    const url = new Class("http://a:8080/b?x=1&y=2");
    const { searchParams } = url;
    searchParams.append("z", "a b");
    expect(url.search).toBe("?x=1&y=2&z=a+b");
    url.search = "?q=%C3%BC";
    expect([...searchParams]).toEqual([["q", "ü"]]);
    searchParams.delete("q");
    Object.assign(url, { pathname: "c d", hash: "e", port: "81", protocol: "https", hostname: "B" });
    expect(url.href).toBe("https://b:81/c%20d#e");
    url.href = "http://u:p@c/?r=1";
    expect([...searchParams, url.username, url.password]).toEqual([["r", "1"], "u", "p"]);
    expect([JSON.stringify(url), `${url}`]).toEqual(['"http://u:p@c/?r=1"', "http://u:p@c/?r=1"]);
  }
});
