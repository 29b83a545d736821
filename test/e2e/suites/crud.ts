// What examples/crud.ts promises, whichever database is behind it. Each test leaves the table empty.
import { afterEach, describe, expect, test } from "vitest";

import type { Server } from "../support/ways.js";

export interface Answer {
  status: number;
  headers: Headers;
  // What the service says is looked at by comparing it.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  json: any;
}

/** One request to the service; an object is sent as JSON. */
export async function ask(
  { url }: Server,
  method: string,
  target: string,
  body?: object | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const type: Record<string, string> = typeof body === "object" ? { "Content-Type": "application/json" } : {};
  const response = await fetch(new URL(target, url), {
    method,
    headers: { ...type, ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJSON = /^application\/json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, json: isJSON && text !== "" ? JSON.parse(text) : text };
}

export const pathOf = (name: string): string => `/users/${encodeURIComponent(name)}`;
const DAY = "2026-01-31";
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

/** All names, over all pages. */
export async function names(server: Server): Promise<string[]> {
  const found: string[] = [];
  for (let offset: number | null = 0; offset !== null; ) {
    const { json } = await ask(server, "GET", `/users?limit=100&offset=${offset}`);
    found.push(...json.users.map((user: { name: string }) => user.name));
    offset = json.next;
  }
  return found;
}

export async function clear(server: Server): Promise<void> {
  for (const name of await names(server)) await ask(server, "DELETE", pathOf(name));
}

export function crudSuite(given: () => Server): void {
  const call = (...args: Parameters<typeof ask> extends [Server, ...infer Rest] ? Rest : never): Promise<Answer> =>
    ask(given(), ...args);
  const create = (name: string, signup_date = DAY): Promise<Answer> => call("POST", "/users", { name, signup_date });

  afterEach(() => clear(given()));

  describe("users", () => {
    test("a user is made, read, changed, renamed and deleted", async () => {
      const ada = { name: "Ada", signup_date: DAY };
      const created = await create("Ada");
      expect(created).toMatchObject({ status: 201, json: ada });
      expect(created.headers.get("location")).toBe("/users/Ada");
      expect(await call("GET", "/users/Ada")).toMatchObject({ status: 200, json: ada });
      expect(await call("GET", "/users")).toMatchObject({ status: 200, json: { users: [ada], next: null } });

      const changed = { name: "Ada", signup_date: "2024-02-29" };
      expect(await call("PUT", "/users/Ada", { signup_date: "2024-02-29" })).toMatchObject({
        status: 200,
        json: changed,
      });
      const renamed = { name: "Ada Lovelace", signup_date: "2024-02-29" };
      expect(await call("PUT", "/users/Ada", renamed)).toMatchObject({ status: 200, json: renamed });
      expect((await call("GET", "/users/Ada")).status).toBe(404);

      expect(await call("DELETE", "/users/Ada%20Lovelace")).toMatchObject({ status: 204, json: "" });
      expect((await call("DELETE", "/users/Ada%20Lovelace")).status).toBe(404);
      expect((await call("PUT", "/users/Ada%20Lovelace", { signup_date: DAY })).status).toBe(404);
      expect((await call("GET", "/users")).json).toEqual({ users: [], next: null });
    });

    test("a form makes a user, too", async () => {
      expect(await call("POST", "/users", "name=Gr%C3%A9ta+K&signup_date=2026-01-31", FORM)).toMatchObject({
        status: 201,
        json: { name: "Gréta K", signup_date: DAY },
      });
      expect((await call("POST", "/users", "name=x", FORM)).status).toBe(400);
    });

    test("a name is taken once", async () => {
      await create("Ada");
      await create("Bob");
      const taken = { status: 409, json: { error: "there is a user with this name already" } };
      expect(await create("Ada")).toMatchObject(taken);
      expect(await call("PUT", "/users/Bob", { name: "Ada", signup_date: DAY })).toMatchObject(taken);
      expect(await names(given())).toEqual(["Ada", "Bob"]);
    });

    test.each([
      ["0001-01-01", 201],
      ["9999-12-31", 201],
      ["2000-02-29", 201],
      ["1900-02-29", 400],
      ["2025-02-29", 400],
      ["2025-04-31", 400],
      ["2025-13-01", 400],
      ["2025-00-10", 400],
      ["2025-01-00", 400],
      ["0000-01-01", 400],
      ["10000-01-01", 400],
      ["2025-1-1", 400],
      ["2025-01-01T00:00:00Z", 400],
      ["2025-01-01 ", 400],
      ["01/02/2025", 400],
      ["today", 400],
      ["infinity", 400],
      ["", 400],
      ["2025-01-01'; DROP TABLE user_tbl; --", 400],
    ])("the date %j → %i", async (date, status) => {
      const answer = await create("Ada", date);
      expect(answer.status).toBe(status);
      if (status === 400) expect(answer.json.error).toContain("date of the calendar");
      else expect((await call("GET", "/users/Ada")).json.signup_date).toBe(date);
    });

    test.each([
      "x",
      "Åsa Öberg",
      "李小龙",
      "a/b?c#d%41&e=f",
      "🌊".repeat(20), // 40 UTF-16 units, 80 bytes
      "e\u0301".repeat(10),
      "O'Neil",
      "x'; DROP TABLE u; --",
      '"; DELETE FROM x; --',
      "' OR '1'='1",
      "$1",
      "\\x41\\",
      "%s%_*",
      "<b>bold</b>",
      "NULL",
      "__proto__",
    ])("the name %j is kept as it is", async (name) => {
      const created = await create(name);
      expect(created).toMatchObject({ status: 201, json: { name, signup_date: DAY } });
      expect(await call("GET", created.headers.get("location")!)).toMatchObject({ status: 200, json: { name } });
      await create("somebody else");
      expect((await names(given())).sort()).toEqual([name, "somebody else"].sort());
      expect((await call("DELETE", pathOf(name))).status).toBe(204);
      expect(await names(given())).toEqual(["somebody else"]);
    });
  });

  describe("what is not valid", () => {
    test.each<[unknown, string]>([
      ["", "empty"],
      ["x".repeat(21), "at most 20"],
      ["🌊".repeat(21), "at most 20"],
      [`${"x".repeat(20)} `, "at most 20"], // which varchar(20) would cut
      ["a\0b", "control"],
      ["a\nb", "control"],
      ["\ud800", "control"],
      [" x", "white space"],
      ["x\u00a0", "white space"],
      ["..", "address"],
      [".", "address"],
      [null, "text"],
      [7, "text"],
      [["x"], "text"],
      [{ x: 1 }, "text"],
      [undefined, "text"],
    ])("the name %j is refused: %s", async (name, reason) => {
      const answer = await call("POST", "/users", { name, signup_date: DAY });
      expect(answer.status).toBe(400);
      expect(answer.json.error).toContain(reason);
    });

    test.each<[string, Record<string, string>, number]>([
      ["{", {}, 400],
      ["", {}, 400],
      ["[]", {}, 400],
      ["null", {}, 400],
      ['"x"', {}, 400],
      [`{"name":"x","signup_date":"${DAY}","admin":true}`, {}, 400],
      [`{"name":"x","signup_date":"${DAY}","__proto__":{}}`, {}, 400],
      [`{"name":"x","signup_date":20250101}`, {}, 400],
      [`{"name":"x"}`, {}, 400],
      [`{"name":"x","signup_date":"${DAY}"}`, { "Content-Type": "text/plain" }, 415],
      [`{"name":"x","signup_date":"${DAY}"}`, { "Sec-Fetch-Site": "cross-site" }, 403],
    ])("the body %j with %j → %i", async (body, headers, status) => {
      const answer = await call("POST", "/users", body, { "Content-Type": "application/json", ...headers });
      expect(answer.status).toBe(status);
      expect(answer.json.error).toMatch(/./);
      expect(await names(given())).toEqual([]);
    });

    test("a body that is far too long is not read", async () => {
      const answer = await call("POST", "/users", { name: "x".repeat(16_384), signup_date: DAY });
      expect(answer.status).toBe(413);
    });

    test.each([
      "limit=0",
      "limit=101",
      "limit=-1",
      "limit=1e1",
      "limit=",
      "limit=1;DROP TABLE user_tbl",
      "offset=-1",
      "offset=1000001",
      "offset=99999999999999999999",
      "offset=0%20OR%201=1",
    ])("a list of ?%s → 400", async (query) => {
      expect(await call("GET", `/users?${query}`)).toMatchObject({
        status: 400,
        json: { error: expect.stringContaining("whole number") },
      });
    });
  });

  describe("lists, and many at once", () => {
    test("a name that no user can have is not found, and does no harm", async () => {
      for (const name of ["%00", "x".repeat(2000), "%E2%98%83", "'%20OR%20true--", "%20"]) {
        expect((await call("GET", `/users/${name}`)).status).toBe(404);
        expect((await call("DELETE", `/users/${name}`)).status).toBe(404);
      }
      expect((await call("GET", "/users/%ff")).status).toBe(400);
    });

    test("lists have pages, in order", async () => {
      const all = Array.from({ length: 7 }, (_, i) => `user ${i}`);
      for (const name of all.toReversed()) await create(name);
      const page = async (query: string): Promise<unknown> => {
        const { users, next } = (await call("GET", `/users?${query}`)).json;
        return [users.map((user: { name: string }) => user.name), next];
      };
      expect(await page("limit=3")).toEqual([all.slice(0, 3), 3]);
      expect(await page("limit=3&offset=3")).toEqual([all.slice(3, 6), 6]);
      expect(await page("limit=3&offset=6")).toEqual([all.slice(6), null]);
      expect(await page("limit=7")).toEqual([all, null]);
      expect(await page("offset=1000")).toEqual([[], null]);
    });

    test("of many that want a name one gets it; of many with their own all do", async () => {
      const same = await Promise.all(Array.from({ length: 20 }, () => create("wanted")));
      expect(same.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
      const own = Array.from({ length: 40 }, (_, i) => `writer ${String(i).padStart(2, "0")}`);
      const made = await Promise.all(own.map((name) => create(name)));
      expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]));
      expect(await names(given())).toEqual(["wanted", ...own]);
      const renamed = await Promise.all(
        own.map((name) => call("PUT", pathOf(name), { name: "the one", signup_date: DAY })),
      );
      expect(renamed.map(({ status }) => status).sort()).toEqual([200, ...Array(39).fill(409)]);
      expect((await names(given())).length).toBe(41);
    });

    test("a list that has not changed is not sent again", async () => {
      const before = await call("GET", "/users");
      const etag = { "If-None-Match": before.headers.get("etag")! };
      expect((await call("GET", "/users", undefined, etag)).status).toBe(304);
      await create("Ada");
      expect((await call("GET", "/users", undefined, etag)).status).toBe(200);
    });

    test("other methods are 405; HEAD is GET without its body", async () => {
      const patch = await call("PATCH", "/users");
      expect([patch.status, patch.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
      const post = await call("POST", "/users/x", {});
      expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD, DELETE, PUT"]);
      expect(await call("HEAD", "/users")).toMatchObject({ status: 200, json: "" });
    });

    test("the page may load what is its own, and nothing else is served", async () => {
      for (const target of ["/", "/page.js", "/page.css"]) {
        const answer = await call("GET", target);
        expect(answer.status).toBe(200);
        expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self';");
      }
      for (const target of ["/nope", "/..%2fusers.ts", "/%2e%2e/users.ts"]) {
        expect((await given().get(target)).status).toBeGreaterThanOrEqual(400);
      }
    });
  });
}
