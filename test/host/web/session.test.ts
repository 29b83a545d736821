// Who is asking: cookies, signed values, tokens against forged requests, origins, users.
import { describe, expect, test } from "vitest";

import {
  Application,
  createSignedValue,
  decodeSignedValue,
  getSignatureKeyVersion,
  type InjectedAnswer,
  type Logger,
  RequestHandler,
} from "../../../host/index.js";

const quiet = (): void => {};
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

type Settings = ConstructorParameters<typeof Application>[1];

function application(get: (handler: RequestHandler) => void, settings: Settings = {}): Application {
  class Handler extends RequestHandler {
    override get(): void {
      get(this);
    }
    override post(): void {
      get(this);
    }
  }
  return new Application([["/.*", Handler]], { logger, ...settings });
}

/** The cookies that an answer sets, by name, as a browser would send them back. */
function cookiesOf(answer: InjectedAnswer): Record<string, string> {
  const pairs = answer.headers.getList("set-cookie").map((field) => /^([^=]+)=([^;]*)/.exec(field) as RegExpExecArray);
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value]));
}

describe("cookies", () => {
  test("are read, set, and set once", async () => {
    const answer = await application((handler) => {
      handler.setCookie("a", "1");
      handler.setCookie("a", "2", { httpOnly: true, path: "/x" });
      handler.setCookie("bytes", Buffer.from("zxcv"));
      handler.setCookie("days", "x", { expiresDays: 1.5, sameSite: "Lax" });
      handler.addHeader("Set-Cookie", "by=hand");
      handler.write({
        known: handler.getCookie("known"),
        none: handler.getCookie("none"),
        preset: handler.getCookie("none", 1),
      });
    }).inject({ headers: { cookie: 'known="a b"; other=1' } });
    expect(answer.json()).toEqual({ known: "a b", none: null, preset: 1 });
    expect(answer.headers.getList("set-cookie")).toEqual([
      "a=2; HttpOnly; Path=/x",
      "bytes=zxcv; Path=/",
      expect.stringMatching(/^days=x; Expires=[^;]+ GMT; Path=\/; SameSite=Lax$/),
      "by=hand",
    ]);
  });

  test("are cleared, one or all", async () => {
    const answer = await application((handler) => handler.clearAllCookies()).inject({
      headers: { cookie: "a=1; b=2" },
    });
    expect(answer.headers.getList("set-cookie")).toEqual([
      "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
      "b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
    ]);
  });

  test("that a client makes up are passed over when all are cleared, and so are those that no answer has room for", async () => {
    const clear = application((handler) => handler.clearAllCookies());
    const cleared = async (cookie: string): Promise<[number, string[]]> => {
      const answer = await clear.inject({ headers: { cookie } });
      const names = answer.headers.getList("set-cookie").map((field) => field.slice(0, field.indexOf("=")));
      return [answer.status, names];
    };
    expect(await cleared("stray; a=1; b c=2; =3; \u00e4=4; @=5; d=6")).toEqual([200, ["a", "d"]]);
    const many = Array.from({ length: 5000 }, (_, index) => `c${index}`);
    const [status, names] = await cleared(many.map((name) => `${name}=`).join(";"));
    expect(status).toBe(200);
    expect(names.length).toBeGreaterThan(200);
    expect(names).toEqual(many.slice(0, names.length));
    expect(await cleared(`${"n".repeat(40_000)}=1`)).toEqual([200, []]);
  });

  test("outlive an error page", async () => {
    const answer = await application((handler) => {
      handler.setCookie("a", "1");
      throw new Error("x");
    }).inject();
    expect([answer.status, cookiesOf(answer)]).toEqual([500, { a: "1" }]);
  });

  test("that would break a field are refused", async () => {
    for (const [name, value] of [
      ["a", "b\r\n"],
      ["a;b", "c"],
    ] as const) {
      expect((await application((handler) => handler.setCookie(name, value)).inject()).status).toBe(500);
    }
  });
});

describe("a signed value", () => {
  const SECRET = "It's a secret to everybody";
  const now = 1_300_000_000_000;
  // From Tornado's own tests.
  const KNOWN = "2|1:0|10:1300000000|3:key|8:dmFsdWU=|3d4e60b996ff9c5d5788e333a0cba6f238a22c6c0f94788870e1a9ecd482e152";

  test("is Tornado's", () => {
    expect(createSignedValue(SECRET, "key", "value", { now })).toBe(KNOWN);
    expect(decodeSignedValue(SECRET, "key", KNOWN, { now })?.toString()).toBe("value");
  });

  test("ends with its age", () => {
    const day = 86_400_000;
    expect(decodeSignedValue(SECRET, "key", KNOWN, { now: now + 31 * day })).not.toBeNull();
    expect(decodeSignedValue(SECRET, "key", KNOWN, { now: now + 31 * day + 1000 })).toBeNull();
    expect(decodeSignedValue(SECRET, "key", KNOWN, { now: now + 2 * day, maxAgeDays: 1 })).toBeNull();
  });

  test("is for one name and one secret", () => {
    expect(decodeSignedValue(SECRET, "other", KNOWN, { now })).toBeNull();
    expect(decodeSignedValue("other", "key", KNOWN, { now })).toBeNull();
  });

  test("is nothing any more when one character has changed, or is missing", () => {
    for (let at = 0; at < KNOWN.length; at++) {
      for (const character of ["", "x", "0", "|"]) {
        const other = KNOWN.slice(0, at) + character + KNOWN.slice(at + 1);
        if (other !== KNOWN) expect(decodeSignedValue(SECRET, "key", other, { now }), other).toBeNull();
      }
    }
  });

  test.each([
    "",
    "2",
    "2|",
    "2|1:0|",
    "2|01:0|10:1300000000|3:key|8:dmFsdWU=|",
    "2|-1:0|10:1300000000|3:key|8:dmFsdWU=|x",
    "2|999999:0|",
    "3|1:0|10:1300000000|3:key|8:dmFsdWU=|x",
    "dmFsdWU=|1300000000|31c934969f53e48164c50768b40cbd7e2daaaa4f", // version 1
  ])("is not %j", (text) => {
    expect(decodeSignedValue(SECRET, "key", text, { now })).toBeNull();
  });

  test("of version 1 is Tornado's, too, for who asks for it", () => {
    const first = createSignedValue(SECRET, "key", "value", { version: 1, now });
    expect(first).toBe("dmFsdWU=|1300000000|31c934969f53e48164c50768b40cbd7e2daaaa4f");
    const options = { minVersion: 1, now } as const;
    expect(decodeSignedValue(SECRET, "key", first, options)?.toString()).toBe("value");
    expect(decodeSignedValue(SECRET, "key", KNOWN, options)?.toString()).toBe("value");
    expect(decodeSignedValue(SECRET, "other", first, options)).toBeNull();
    expect(decodeSignedValue(SECRET, "key", first.replace("d", "e"), options)).toBeNull();
    expect(decodeSignedValue(SECRET, "key", `${first}|`, options)).toBeNull();
    expect(decodeSignedValue(SECRET, "key", first, { ...options, now: now + 32 * 86_400_000 })).toBeNull();
    expect(() => createSignedValue({ 0: SECRET }, "key", "value", { version: 1 })).toThrow("one secret");
    expect(decodeSignedValue({ 0: SECRET }, "key", first, options)).toBeNull();
  });

  test("of version 1 whose digits were shifted into its time is none", () => {
    const first = createSignedValue(SECRET, "key", Buffer.from("d76df8e7aefc", "hex"), { version: 1, now });
    const shifted = first.replace("12345678|", "1234|5678"); // under the same signature
    expect(decodeSignedValue(SECRET, "key", shifted, { minVersion: 1, now })).toBeNull();
  });

  test("tells the version of its key", () => {
    expect(getSignatureKeyVersion(createSignedValue({ 3: "a" }, "key", "a", { keyVersion: 3 }))).toBe(3);
    expect(getSignatureKeyVersion("")).toBeNull();
  });

  test("may be of any key that is known, and of no other", () => {
    const secrets = { 0: "old", 1: "new" };
    const old = createSignedValue(secrets, "key", "a", { keyVersion: 0 });
    const current = createSignedValue(secrets, "key", "b", { keyVersion: 1 });
    expect(decodeSignedValue(secrets, "key", old)?.toString()).toBe("a");
    expect(decodeSignedValue(secrets, "key", current)?.toString()).toBe("b");
    expect(decodeSignedValue({ 1: "new" }, "key", old)).toBeNull();
    expect(decodeSignedValue(secrets, "key", old.replace("|1:0|", "|1:1|"))).toBeNull();
    expect(() => createSignedValue(secrets, "key", "a")).toThrow("no secret");
    expect(() => createSignedValue(secrets, "key", "a", { keyVersion: 2 })).toThrow("no secret");
  });
});

describe("a signed cookie", () => {
  test("comes back as it was set", async () => {
    const settings = { cookieSecret: { 7: "secret" }, keyVersion: 7 };
    const set = await application((handler) => handler.setSignedCookie("user", "grün"), settings).inject();
    const days = Date.parse(/; Expires=([^;]+ GMT); Path=\/$/.exec(set.headers.get("set-cookie") ?? "")?.[1] ?? "");
    expect(days).toBeGreaterThan(Date.now() + 29 * 86_400_000);
    const cookie = `user=${cookiesOf(set).user}`;
    const read = application(
      (handler) =>
        handler.write({ user: handler.getSignedCookie("user"), key: handler.getSignedCookieKeyVersion("user") }),
      settings,
    );
    expect((await read.inject({ headers: { cookie } })).json()).toEqual({ user: "grün", key: 7 });
    expect((await read.inject({ headers: { cookie: "user=1" } })).json()).toEqual({ user: null, key: null });
    expect((await read.inject()).json()).toEqual({ user: null, key: null });
    expect((await application((handler) => handler.setSignedCookie("a", "b")).inject()).status).toBe(500);
  });

  test("comes back as bytes, too", async () => {
    const settings = { cookieSecret: "secret" };
    const set = await application((handler) => handler.setSignedCookie("b", Buffer.from([0xe9])), settings).inject();
    const read = application(
      (handler) => handler.write({ b: handler.getSignedCookieBytes("b")?.toString("hex") ?? null }),
      settings,
    );
    expect((await read.inject({ headers: { cookie: `b=${cookiesOf(set).b}` } })).json()).toEqual({ b: "e9" });
    expect((await read.inject({ headers: { cookie: "b=1" } })).json()).toEqual({ b: null });
    expect((await read.inject()).json()).toEqual({ b: null });
  });
});

describe("the token against forged requests", () => {
  const forms = application((handler) => handler.write(handler.xsrfFormHTML()), { xsrfCookies: true });

  async function page(): Promise<{ token: string; cookie: string }> {
    const answer = await forms.inject();
    const token = /value="([^"]+)"/.exec(answer.text)?.[1] ?? "";
    return { token, cookie: `_xsrf=${cookiesOf(answer)._xsrf}` };
  }

  test("is set once, and shown under another mask each time", async () => {
    const first = await page();
    expect(first.token).toMatch(/^2\|[0-9a-f]{8}\|[0-9a-f]{32}\|\d{10}$/);
    const second = await forms.inject({ headers: { cookie: first.cookie } });
    expect(second.headers.has("set-cookie")).toBe(false);
    expect(second.text).not.toContain(first.token);
  });

  test("lets in who sends it with its cookie, in whatever way", async () => {
    const { token, cookie } = await page();
    const shown = /value="([^"]+)"/.exec((await forms.inject({ headers: { cookie } })).text)?.[1] as string;
    const ways = [
      { target: `/?_xsrf=${encodeURIComponent(token)}`, headers: { cookie } },
      {
        headers: { cookie, "Content-Type": "application/x-www-form-urlencoded" },
        body: `_xsrf=${encodeURIComponent(shown)}`,
      },
      { headers: { cookie, "X-XSRFToken": token } },
      { headers: { cookie, "X-CSRFToken": shown } },
    ];
    for (const way of ways) expect((await forms.inject({ method: "POST", ...way })).status).toBe(200);
  });

  test("keeps out all other clients", async () => {
    const [mine, other] = [await page(), await page()];
    const attempts: Record<string, string>[] = [
      {},
      { cookie: mine.cookie },
      { "X-XSRFToken": mine.token },
      { cookie: mine.cookie, "X-XSRFToken": other.token },
      { cookie: mine.cookie, "X-XSRFToken": "x" },
      { cookie: "_xsrf=", "X-XSRFToken": "2|00000000||0" },
      { cookie: "_xsrf=3|", "X-XSRFToken": "3|" },
      { cookie: `_xsrf=${"x".repeat(129)}`, "X-XSRFToken": "x".repeat(129) },
    ];
    for (const headers of attempts) expect((await forms.inject({ method: "POST", headers })).status).toBe(403);
    for (const method of ["GET", "HEAD"]) expect((await forms.inject({ method })).status).toBe(200);
  });

  test("may be of version 1, the token itself, or what a page has made up; each is known in the other's form", async () => {
    const settings = { xsrfCookies: true, xsrfCookieVersion: 1 } as const;
    const plain = application((handler) => handler.write(handler.xsrfToken), settings);
    const first = (await plain.inject()).text;
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    const cookie = `_xsrf=${first}`;
    expect((await plain.inject({ headers: { cookie } })).text).toBe(first);
    const masked = /value="([^"]+)"/.exec((await forms.inject({ headers: { cookie } })).text)?.[1] as string;
    expect(masked).toMatch(/^2\|/);
    for (const [sent, shown] of [
      [first, masked],
      [masked, first],
      ["deadbeef", "deadbeef"],
      ["xoxo", "xoxo"],
    ]) {
      const headers = { cookie: `_xsrf=${sent}`, "X-XSRFToken": shown as string };
      expect((await forms.inject({ method: "POST", headers })).status, `${sent} and ${shown}`).toBe(200);
    }
  });

  test("does not hide that an address is wrong, and can be waived", async () => {
    expect((await new Application([], { xsrfCookies: true }).inject({ method: "POST" })).status).toBe(404);
    class Hook extends RequestHandler {
      override checkXSRFCookie(): void {}
      override post(): void {}
    }
    expect((await new Application([["/", Hook]], { xsrfCookies: true }).inject({ method: "POST" })).status).toBe(200);
  });

  test("has the name and the attributes that are wanted", async () => {
    const settings = { xsrfCookieName: "__Host-x", xsrfCookieAttributes: { secure: true, httpOnly: true } };
    const answer = await application((handler) => handler.write(handler.xsrfToken), settings).inject();
    expect(answer.headers.get("set-cookie")).toBe(`__Host-x=${answer.text}; HttpOnly; Path=/; Secure`);
  });
});

describe("cross-origin protection", () => {
  const host = "example.com:8888";
  const settings = { crossOriginProtection: true, trustedOrigins: ["https://trusted.example"] };
  const guarded = application((handler) => handler.write("in"), settings);

  test.each([
    [200, {}],
    [200, { "Sec-Fetch-Site": "same-origin", origin: "https://evil.example" }],
    [200, { "Sec-Fetch-Site": "none" }],
    [200, { "Sec-Fetch-Site": "cross-site", origin: "https://trusted.example" }],
    [403, { "Sec-Fetch-Site": "cross-site", origin: "https://evil.example" }],
    [403, { "Sec-Fetch-Site": "same-site", origin: `http://${host}` }],
    [403, { "Sec-Fetch-Site": "cross-site" }],
    [200, { origin: `http://${host}` }],
    [200, { origin: "HTTPS://EXAMPLE.COM:8888" }],
    [200, { origin: "https://trusted.example" }],
    [403, { origin: "http://example.com" }],
    [403, { origin: "null" }],
    [403, { origin: "" }],
    [403, { origin: `http://evil.example/http://${host}` }],
  ])("%i for %j", async (status, headers) => {
    expect((await guarded.inject({ method: "POST", headers: { host, ...headers } })).status).toBe(status);
    expect((await guarded.inject({ method: "GET", headers: { host, ...headers } })).status).toBe(200);
  });
});

describe("a user", () => {
  interface User {
    name: string;
  }
  abstract class Base extends RequestHandler<User> {
    static asked = 0;
    override getCurrentUser(): User | null {
      Base.asked++;
      const name = this.getCookie("user");
      return name === null ? null : { name };
    }
  }
  class Page extends Base {
    override get(): void {
      this.write(`${this.requireUser().name} ${this.currentUser?.name}`);
    }
    override post(): void {
      this.write(this.requireUser().name);
    }
  }
  const site = (loginUrl?: string) =>
    new Application([["/page", Page]], loginUrl === undefined ? { logger } : { logger, loginUrl });

  test("is asked for once", async () => {
    Base.asked = 0;
    expect((await site("/login").inject({ target: "/page", headers: { cookie: "user=me" } })).text).toBe("me me");
    expect(Base.asked).toBe(1);
  });

  test.each([
    ["/login", "/login?next=%2Fpage%3Fa%3D1"],
    ["/login?x=1", "/login?x=1"],
    ["https://login.example/", "https://login.example/?next=http%3A%2F%2F127.0.0.1%2Fpage%3Fa%3D1"],
  ])("who is not known is sent to %s", async (loginUrl, location) => {
    const answer = await site(loginUrl).inject("/page?a=1");
    expect([answer.status, answer.headers.get("location"), answer.text]).toEqual([302, location, ""]);
    expect((await site(loginUrl).inject({ method: "POST", target: "/page" })).status).toBe(403);
  });

  test.each(["//evil.example/page", "/\\evil.example/page", "//evil.example%2fpage"])(
    "is not sent to log in for %s, which a browser would come back to elsewhere",
    async (target) => {
      const everywhere = new Application([["/.*", Page]], { logger, loginUrl: "/login" });
      const answer = await everywhere.inject(target);
      expect([answer.status, answer.headers.get("location")]).toEqual([403, null]);
    },
  );

  test("comes back to this site when the request names it in full", async () => {
    const answer = await site("/login").inject("http://evil.example/page?a=1");
    expect(answer.headers.get("location")).toBe("/login?next=%2Fpage%3Fa%3D1");
  });

  test.each([
    ["/page?a=1", "/page?a=1"],
    ["/", "/"],
    ["/a//b", "/a//b"],
    ["//evil.example", "/home"],
    ["///evil.example", "/home"],
    ["/\\evil.example", "/home"],
    ["\\\\evil.example", "/home"],
    ["/\t/evil.example", "/home"],
    ["/\n/evil.example", "/home"],
    ["/a\r\nSet-Cookie: a=b", "/home"],
    ["https://evil.example/", "/home"],
    ["javascript:alert(1)", "/home"],
    ["page", "/home"],
    ["", "/home"],
  ])("after the login goes from next=%j to %s", async (next, location) => {
    class Login extends RequestHandler {
      override get(): void {
        this.redirect(this.getNextUrl("/home"));
      }
    }
    const login = new Application([["/login", Login]], { logger });
    const answer = await login.inject(`/login?next=${encodeURIComponent(next)}`);
    expect([answer.status, answer.headers.get("location")]).toEqual([302, location]);
    expect((await login.inject("/login")).headers.get("location")).toBe("/home");
  });

  test("cannot be sent nowhere", async () => {
    expect((await site().inject("/page")).status).toBe(500);
  });
});
