// examples/crud.ts on every runtime: over the embedded database, and over PostgreSQL with what only a server can do:
// crash, hang, hold a lock, be used by several processes. The page is driven in a real browser.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Answer, ask, clear, crudSuite, names, pathOf } from "./suites/crud.js";
import { hasBrowser, launchBrowser, screenshot } from "./support/browser.js";
import { hasPostgres, Postgres } from "./support/postgres.js";
import { eventually, NODE, run, type Server, start, WASMTIME, type Way } from "./support/ways.js";

const APP = "examples/crud.ts";
/** The embedded database takes some seconds of computing before it serves, and this machine may have others to do. */
const SERVE_MS = 60_000;
const DAY = "2026-01-31";

const startApp = (way: Way, env: Record<string, string>, args: string[] = []): Promise<Server> =>
  start(way, APP, args, { env: { DATABASE_URL: "", DATABASE_FOLDER: "", ...env }, serveMs: SERVE_MS });
const create = (server: Server, name: string): Promise<Answer> =>
  ask(server, "POST", "/users", { name, signup_date: DAY });
const complaintsOf = (server: Server): string[] =>
  server.output.stderr.split("\n").filter((line) => line.startsWith("waterspout: "));

describe.each([NODE, WASMTIME])("embedded, $name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await startApp(way, {});
  }, SERVE_MS);
  afterAll(() => server.stop());

  crudSuite(() => server);

  describe.skipIf(!hasBrowser)("the page", () => {
    let browser: Browser;
    let page: Page;
    const complaints: string[] = [];
    beforeAll(async () => {
      browser = await launchBrowser();
      page = await browser.newPage({ viewport: { width: 760, height: 560 } });
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
    });
    afterAll(() => browser.close());

    const rows = (): Promise<string[]> => page.locator("#users tr").allInnerTexts();
    const rowOf = (name: string) => page.locator("#users tr", { hasText: name });
    async function add(name: string, date = DAY): Promise<void> {
      await page.getByLabel("Name").fill(name);
      await page.locator("#add").getByLabel("Signed up").fill(date);
      await page.getByRole("button", { name: "Add" }).click();
    }

    test("adds, changes and deletes users, and shows names as text", async () => {
      await page.goto(server.url);
      await add("Ada Lovelace");
      await page.getByText("Ada Lovelace is added.").waitFor();
      await add("<b>Bob</b> 🌊", "2024-02-29");
      await page.getByText("<b>Bob</b> 🌊 is added.").waitFor();
      await add("Grace Hopper", "2025-12-09");
      await page.getByText("Grace Hopper is added.").waitFor();
      expect(await names(server)).toEqual(expect.arrayContaining(["Ada Lovelace", "<b>Bob</b> 🌊", "Grace Hopper"]));
      expect(await page.locator("#users b").count()).toBe(0);

      await rowOf("Grace").getByRole("button", { name: "Edit" }).click();
      await page.getByLabel("New name").fill("Grace B. Hopper");
      await page.getByLabel("New date").fill("2025-12-10");
      await screenshot(page, `crud-edit-${way.name}`);
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Grace B. Hopper is saved.").waitFor();
      expect((await ask(server, "GET", pathOf("Grace B. Hopper"))).json.signup_date).toBe("2025-12-10");
      await screenshot(page, `crud-${way.name}`);

      page.once("dialog", (dialog) => dialog.dismiss());
      await rowOf("Bob").getByRole("button", { name: "Delete" }).click();
      expect(await names(server)).toHaveLength(3);
      page.once("dialog", (dialog) => dialog.accept());
      await rowOf("Bob").getByRole("button", { name: "Delete" }).click();
      await page.getByText("<b>Bob</b> 🌊 is gone.").waitFor();
      expect((await rows()).map((row) => row.split("\t").slice(0, 2))).toEqual([
        ["Ada Lovelace", DAY],
        ["Grace B. Hopper", "2025-12-10"],
      ]);
      expect(complaints).toEqual([]);
    });

    test("says what is wrong, and leaves what was typed", async () => {
      await page.goto(server.url);
      await create(server, "Ada");
      await add("Ada");
      await page.getByText("That did not work: there is a user with this name already.").waitFor();
      await add("x".repeat(21));
      await page.getByText("at most 20 characters").waitFor();
      expect(await page.getByLabel("Name").inputValue()).toBe("x".repeat(21));
      complaints.length = 0; // the browser's own about the status
    });

    test("turns pages", async () => {
      for (let i = 0; i < 11; i++) await create(server, `user ${String(i).padStart(2, "0")}`);
      await page.goto(server.url);
      await page.getByText("user 09").waitFor();
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByText("user 10").waitFor();
      expect(await rows()).toHaveLength(1);
      page.once("dialog", (dialog) => dialog.accept());
      await rowOf("user 10").getByRole("button", { name: "Delete" }).click();
      await page.getByText("user 00").waitFor();
      expect(await page.locator("nav").isVisible()).toBe(false);
      expect(complaints).toEqual([]);
    });
  });
});

describe("the embedded database", () => {
  test("keeps its users in a folder when it is given one", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "waterspout-crud-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const status of [201, 409]) {
      const server = await startApp(NODE, { DATABASE_FOLDER: path.join(folder, "data") });
      const answer = await create(server, "Ada").finally(() => server.stop());
      expect(answer.status).toBe(status);
    }
  }, 180_000);

  test("is not for several processes", async () => {
    const env = { DATABASE_URL: "", DATABASE_FOLDER: "" };
    const ended = await run(["run", APP, "--port", "0", "--workers", "2"], { env });
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toContain("the embedded database serves one process: for several set DATABASE_URL");
  });
});

describe.each([NODE, WASMTIME])("no database at all, $name", (way) => {
  test("is 503, said once, and the page is there nevertheless", async () => {
    const server = await startApp(way, { DATABASE_URL: "postgresql://user:secret@127.0.0.1:1/nowhere" });
    onTestFinished(() => server.stop());
    for (let i = 0; i < 5; i++) {
      const answer = await ask(server, "GET", "/users");
      expect(answer).toMatchObject({ status: 503, json: { error: "the database is not available" } });
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    expect((await ask(server, "GET", "/")).status).toBe(200);
    expect(complaintsOf(server)).toEqual([
      "waterspout: warning: the database is not available, requests for users get 503: connect ECONNREFUSED 127.0.0.1:1",
    ]);
  });
});

describe.skipIf(!hasPostgres).each([NODE, WASMTIME])("PostgreSQL, $name", (way) => {
  let database: Postgres;
  let server: Server;
  beforeAll(async () => {
    database = await Postgres.start();
    server = await startApp(way, { DATABASE_URL: database.url("&statement_timeout=1000&query_timeout=2000") });
  }, 120_000);
  afterAll(async () => {
    await server.stop();
    await eventually("no connection left", async () => (await connections()) === 0).finally(() => database.stop());
  });

  const connections = async (): Promise<number> => {
    const rows = await database.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'waterspout-crud'");
    return rows.length;
  };
  const works = (): Promise<void> =>
    eventually("users again", async () => (await ask(server, "GET", "/users")).status === 200);
  /** No other client can use the table until the promised function is called. */
  async function lock(): Promise<() => Promise<void>> {
    const client = await database.connect();
    await client.query("BEGIN; LOCK TABLE user_tbl");
    return () => client.end();
  }

  const isBlocked = async (): Promise<boolean> => {
    const rows = await database.query("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    return rows.length === 1;
  };

  crudSuite(() => server);

  test("the table is the article's", async () => {
    const columns = await database.query(
      "SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'user_tbl'::regclass AND attnum > 0",
    );
    expect(columns).toEqual([
      { attname: "name", type: "character varying(20)" },
      { attname: "signup_date", type: "date" },
    ]);
  });

  test("a hundred requests share ten connections", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(server, "GET", "/users")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await connections()).toBeLessThanOrEqual(10);
  });

  test("who waits for a lock waits for a while, and there is a bound for how many do", async () => {
    const release = await lock();
    const answers = await Promise.all(Array.from({ length: 230 }, () => ask(server, "GET", "/users")));
    await release();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    const busy = answers.filter(({ json }) => json.error === "the database is busy");
    expect(busy.length).toBeGreaterThanOrEqual(40); // 30 beyond the bound, and those that had a connection
    await works();
  });

  test("a crash in the middle loses nothing that was confirmed", async () => {
    const confirmed: string[] = [];
    const statuses = new Set<number>();
    let isOver = false;
    const writer = async (id: number): Promise<void> => {
      for (let i = 0; !isOver; i++) {
        const { status } = await create(server, `w${id} ${i}`);
        statuses.add(status);
        if (status === 201) confirmed.push(`w${id} ${i}`);
        else await sleep(20);
      }
    };
    const writers = Promise.all(Array.from({ length: 8 }, (_, id) => writer(id)));
    const progress = async (more: number): Promise<void> => {
      const before = confirmed.length;
      await eventually(`${more} users more`, () => confirmed.length >= before + more);
    };
    try {
      await progress(50);
      await database.crash();
      await eventually("503", () => statuses.has(503));
      await database.resume();
      await progress(50);
    } finally {
      isOver = true;
      await writers;
    }
    expect(statuses).toEqual(new Set([201, 503]));
    expect(await names(server)).toEqual(expect.arrayContaining(confirmed));
    expect(complaintsOf(server).at(-1)).toBe("waterspout: warning: the database is available again");
    await database.query("TRUNCATE user_tbl");
  }, 120_000);

  test("a table that is gone is made again", async () => {
    await database.query("DROP TABLE user_tbl");
    expect((await ask(server, "GET", "/users")).status).toBe(503);
    expect((await create(server, "Ada")).status).toBe(201);
    await clear(server);
  });

  test("a server that hangs is 503 in time, and is used again when it does not", async () => {
    await works();
    database.signal("SIGSTOP");
    const startedMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(server, "GET", "/users"))).finally(() =>
      database.signal("SIGCONT"),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(performance.now() - startedMs).toBeLessThan(15_000); // 3 s for a connection, 2 for a query, and a slow machine
    await works();
  });

  test("what waits when it is stopped is answered first, and then the connections are closed in order", async () => {
    await works();
    const { length } = database.log;
    const stopping = await startApp(way, { DATABASE_URL: database.url() });
    const release = await lock();
    const waiting = create(stopping, "the last");
    await eventually("one that waits", isBlocked);
    const stopped = stopping.stop();
    await release();
    expect((await waiting).status).toBe(201);
    await stopped;
    expect(await names(server)).toContain("the last");
    expect(database.log.slice(length)).not.toContain("unexpected EOF on client connection");
    await clear(server);
  });

  test("it can be stopped while the database hangs, and gives it up before its own time is over", async () => {
    const stopping = await startApp(way, { DATABASE_URL: database.url("&statement_timeout=60000") });
    const release = await lock();
    const waiting = ask(stopping, "GET", "/users");
    await eventually("one that waits", isBlocked);
    database.signal("SIGSTOP");
    try {
      const stopped = stopping.stop();
      expect((await waiting).status).toBe(503);
      await stopped;
    } finally {
      database.signal("SIGCONT");
      await release();
    }
    expect(stopping.exit).toEqual({ code: 0, signal: null });
  });

  test("several processes share it", async () => {
    const several = await startApp(way, { DATABASE_URL: database.url() }, ["--workers", "3"]);
    const made = await Promise.all(Array.from({ length: 30 }, (_, i) => create(several, `user ${i}`)));
    expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]));
    expect(complaintsOf(several)).toEqual([]);
    await several.stop();
    await clear(server);
  });

  test("two that start at the same time make one table", async () => {
    await database.query("DROP TABLE user_tbl");
    const client = await database.connect();
    await client.query("SELECT pg_advisory_lock(hashtext('user_tbl'))");
    const env = { DATABASE_URL: database.url("&statement_timeout=30000&query_timeout=30000") };
    const starting = Promise.all([startApp(way, env), startApp(way, env)]);
    await eventually("two that wait", async () => {
      const blocked = await database.query("SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory'");
      return blocked.length === 2;
    });
    await client.end();
    for (const one of await starting) {
      expect((await create(one, `user of ${one.port}`)).status).toBe(201);
      await one.stop();
    }
    expect(await names(server)).toHaveLength(2);
    await clear(server);
  });

  test("a role that may only use the table needs no more", async () => {
    await works();
    await database.query("CREATE ROLE clerk LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON user_tbl TO clerk");
    const limited = await startApp(way, { DATABASE_URL: database.url("&user=clerk") });
    expect((await create(limited, "Ada")).status).toBe(201);
    await limited.stop();
    await database.query("DROP OWNED BY clerk; DROP ROLE clerk");
    await clear(server);
  });
});
