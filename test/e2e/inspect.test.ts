// `--inspect` on both runtimes, and its page in a real browser.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Admin, inspected, inspectSuite, startingSuite } from "./suites/inspect.js";
import { hasBrowser, launchBrowser, screenshot } from "./support/browser.js";
import { workersOf } from "./support/processes.js";
import { eventually, NODE, run, SANDBOXED_NODE, SANDBOXED_WASMTIME, type Server, WASMTIME } from "./support/ways.js";

const HELLO = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

describe.each([NODE, WASMTIME])("$name", (way) => {
  inspectSuite(way);
});
startingSuite(WASMTIME);

test.each([SANDBOXED_NODE, SANDBOXED_WASMTIME])(
  "of a .wasm application is known what is seen from outside: $name",
  async (way) => {
    const [server, admin] = await inspected(way);
    expect((await server.get("/")).status).toBe(200);
    expect(await admin.metric("waterspout_workers")).toBe(1);
    expect(await admin.metric("waterspout_http_requests_total")).toBe(undefined);
    expect((await admin.get("/health/ready")).status).toBe(200);
  },
);

test("a port that is in use, or is none, is reported in one line", async () => {
  const [, admin] = await inspected(NODE);
  const { port } = new URL(admin.url);
  for (const workers of ["1", "2"]) {
    const taken = await run(["run", NODE.demo, "--port", "0", `--inspect=${port}`, "--workers", workers]);
    expect(taken).toMatchObject({ code: 1, stdout: "" });
    expect(taken.stderr).toMatch(new RegExp(`^waterspout: [^\n]*${port}[^\n]*\n$`));
  }
  expect((await run(["run", NODE.demo, "--inspect=x"])).code).toBe(2);
});

test("a flag or the file of settings says which address it is on", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-inspect-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = path.join(folder, "settings.json");
  writeFileSync(config, '{ "inspectAddress": "127.0.0.2" }');
  for (const args of [
    ["--inspect-address", "127.0.0.2"],
    ["--config", config],
    ["--config", config, "--workers", "2"],
  ]) {
    const [, admin] = await inspected(NODE, args);
    expect(new URL(admin.url).hostname).toBe("127.0.0.2");
    expect((await admin.get("/health/ready")).status).toBe(200);
  }
});

describe.skipIf(!hasBrowser)("the page", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  interface Looking {
    server: Server;
    admin: Admin;
    page: Page;
    complaints: string[];
    /** The servers that the browser has asked. */
    asked: Set<string>;
  }

  async function look(way: typeof NODE, args: string[] = [], dark = true): Promise<Looking> {
    const [server, admin] = await inspected(way, args);
    const page = await browser.newPage({
      viewport: { width: 1200, height: 900 },
      colorScheme: dark ? "dark" : "light",
    });
    const complaints: string[] = [];
    const asked = new Set<string>();
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => asked.add(new URL(request.url()).origin));
    await page.goto(admin.url);
    return { server, admin, page, complaints, asked };
  }

  /**
   * For each chart: points of its canvas that are not empty, and a number that is another one when it looks different.
   */
  const drawn = (page: Page): Promise<{ points: number; look: number }[]> =>
    page.evaluate(`[...document.querySelectorAll("canvas")].map((canvas) => {
      const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
      const context = copy.getContext("2d", { willReadFrequently: true });
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, copy.width, copy.height);
      let points = 0, look = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] !== 0) { points++; look = (look * 31 + i + data[i]) | 0; }
      return { points, look };
    })`);

  /** Requests, one after the other on some connections, until the test ends it. */
  function load(server: Server): () => Promise<void> {
    let on = true;
    const lanes = Array.from({ length: 8 }, async () => {
      while (on) {
        const client = await server.connect().catch(() => null);
        while (on && client !== null) {
          const answer = await client
            .send(HELLO)
            .readResponse()
            .catch(() => null);
          if (answer === null) break;
        }
        client?.close();
      }
    });
    return async () => {
      on = false;
      await Promise.all(lanes);
    };
  }

  describe("its drawings", () => {
    test.each([NODE, WASMTIME])("draws what happens, with $name, and asks no other host", async (way) => {
      const dark = way === NODE;
      const { server, admin, page, complaints, asked } = await look(way, [], dark);
      const end = load(server);
      await (await server.connect()).send("GET / HTTP/1.1\r\nHost: <script>alert(1)</script>\r\n\r\n").gone();
      await page.getByText("serving", { exact: true }).waitFor();
      await page.locator("#refusals tbody tr").waitFor();
      const rate = () => page.locator("#rate").innerText();
      await eventually("requests", async () => !["–", "0"].includes(await rate()));
      await eventually("lines", async () => (await drawn(page)).length === 7);
      const before = await drawn(page);
      for (const { points } of before) expect(points).toBeGreaterThan(300);
      await eventually("the charts move", async () =>
        (await drawn(page)).every(({ look }, at) => look !== before[at].look),
      );
      expect(await page.locator("#refusals tbody").innerText()).toMatch(/bad host\s+400\s+1/);
      expect(await page.locator("#p99").innerText()).toMatch(/^[\d.]+ (µs|ms|s)$/);
      expect(await page.locator("#connections").innerText()).toMatch(/^[89]$/);
      await screenshot(page, `live-${way.name}`);
      await page.setViewportSize({ width: 360, height: 740 });
      const widths = `[...document.querySelectorAll("canvas")].map((canvas) => canvas.clientWidth)`;
      await eventually("narrow charts", async () =>
        (await page.evaluate<number[]>(widths)).every((width) => width < 360),
      );
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
      await screenshot(page, `live-${way.name}-phone`);
      await end();
      expect(complaints).toEqual([]);
      expect([...asked]).toEqual([new URL(admin.url).origin]);
      await page.close();
    });
  });

  describe("its tables and its ends", () => {
    test("survives a worker's end, and says when the server has ended", async () => {
      const { server, page, complaints } = await look(WASMTIME, ["--workers", "2"]);
      const end = load(server);
      await page.getByText("2 of 2 workers").waitFor();
      process.kill(workersOf(server.pid)[0].pid, "SIGKILL");
      await page.getByText("2 of 2 workers, 1 started again").waitFor();
      expect(complaints).toEqual([]);
      await end();
      server.signal("SIGTERM");
      await page.getByText(/^(ended|connection lost)/).waitFor();
      expect(await server.exited).toEqual({ code: 0, signal: null });
      await page.close();
    });

    test("shows which routes fail and which are slow, the last errors, and that nothing comes from a server that computes", async () => {
      const { server, page, complaints } = await look({ ...NODE, demo: "test/e2e/apps/failing.ts" });
      for (let i = 0; i < 3; i++) await server.get("/fails");
      await server.get("/waits");
      const shown = (id: string) => page.locator(`#${id}`).innerText();
      await page.locator("#errors li").first().waitFor();
      expect(await shown("errors")).toMatch(/\d\d:\d\d:\d\d .*GET \/fails failed: RangeError: not <b>today<\/b>/);
      await eventually("three failed", async () => /GET \/fails\s.*\s3\b/.test(await shown("failing")));
      expect(await shown("failing")).not.toContain("/waits");
      await eventually("the slowest first", async () =>
        /^Slowest routes\s.*\n?GET \/waits/s.test(await shown("slowest")),
      );
      expect(await shown("about")).toMatch(
        /^failing\.ts on 127\.0\.0\.1:\d+ · node · 1 of 1 worker · up \d+ s · version \d/,
      );
      await (await server.connect()).send("GET /freezes HTTP/1.1\r\nHost: x\r\n\r\n");
      await page.getByText(/^no data since \d\d:\d\d:\d\d$/).waitFor();
      await page.getByText("serving", { exact: true }).waitFor();
      expect(complaints).toEqual([]);
      await page.close();
    });

    test("of a .wasm application says what it does not know", async () => {
      const { page } = await look(SANDBOXED_NODE);
      await page.getByText("does not tell what it counts").waitFor();
      expect(await page.locator("#rate").innerText()).toBe("–");
      await page.close();
    });

    test("closing the page ends the measuring", async () => {
      const { server, admin, page } = await look(NODE);
      await page.getByText("serving", { exact: true }).waitFor();
      await page.close();
      const others = await Promise.all(Array.from({ length: 16 }, () => admin.watch()));
      await eventually("its place is free", async () => {
        const missing = others.filter(({ status }) => status !== 200).length;
        for (let i = 0; i < missing; i++) others.push(await admin.watch());
        return others.filter(({ status }) => status === 200).length === 16;
      });
      for (const { leave } of others) leave();
      expect((await server.get("/")).status).toBe(200);
    });
  });
});
