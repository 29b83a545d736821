// The admin server: metrics that match what was done, health during a start and a stop, who may look, and how many.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";

import { type Family, readMetrics } from "../../host/support/prometheustext.js";
import type { Client } from "../support/client.js";
import { workersOf } from "../support/processes.js";
import { CLI, eventually, ROOT, type Server, start, type Way, wasmtime } from "../support/ways.js";

const HELLO = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const ECHO = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345";
const NOWHERE = "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";
const NAME = "waterspout_http_request_duration_seconds";

/** A server that shows itself; it is stopped with the test. */
export async function inspected(way: Way, args: string[] = [], app = way.demo): Promise<[Server, Admin]> {
  const server = await start(way, app, ["--inspect=0", "--access-log", "off", ...args]);
  onTestFinished(() => server.stop());
  return [server, await adminOf(server)];
}

/** The admin server of one that shows itself. */
export async function adminOf(server: Pick<Server, "complaint">): Promise<Admin> {
  const line = await server.complaint(/shows itself at/);
  return new Admin(/http:\S+/.exec(line)![0]);
}

function sampleOf(families: Map<string, Family>, key: string): number | undefined {
  const name = key.replace(/\{.*/, "").replace(/_(count|sum|bucket)$/, "");
  return families.get(name)?.samples.get(key);
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export class Admin {
  constructor(readonly url: string) {}

  get(target: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(new URL(target, this.url), { headers, method, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() }),
        );
      });
      asked.on("error", reject).end();
    });
  }

  async metrics(): Promise<Map<string, Family>> {
    const { status, text } = await this.get("/metrics");
    expect(status).toBe(200);
    return readMetrics(text);
  }

  /** One line of the metrics, undefined when it is not there. */
  async metric(key: string): Promise<number | undefined> {
    return sampleOf(await this.metrics(), key);
  }

  /** Looks on; resolves with the status and, for 200, a way to leave. */
  watch(): Promise<{ status: number; text: () => string; leave: () => void }> {
    return new Promise((resolve, reject) => {
      const asked = request(new URL("/events", this.url), { agent: false }, (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("error", () => {});
        resolve({ status: response.statusCode!, text: () => text, leave: () => asked.destroy() });
      });
      asked.on("error", reject).end();
    });
  }
}

async function exchange(client: Client, text: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await client.send(text).readResponse();
}

export function inspectSuite(way: Way): void {
  describe("metrics", () => {
    test("are exactly what was done", async () => {
      const [server, admin] = await inspected(way);
      const client = await server.connect();
      await exchange(client, HELLO, 100);
      await exchange(client, ECHO, 20);
      await exchange(client, NOWHERE, 5);
      const refused = ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"];
      for (const text of refused) await (await server.connect()).send(text).gone();
      await eventually("the refused are gone", async () => {
        const [hot, cold] = (await admin.metrics()).get("waterspout_connections")!.samples.values();
        return hot + cold === 1;
      });
      const families = await admin.metrics();
      const of = (key: string) => sampleOf(families, key);
      expect(of("waterspout_http_requests_total")).toBe(125);
      expect(of("waterspout_http_requests_in_flight")).toBe(0);
      expect(of("waterspout_connections_accepted_total")).toBe(4);
      const bytes = HELLO.length * 100 + ECHO.length * 20 + NOWHERE.length * 5 + refused.join("").length;
      expect(of("waterspout_received_bytes_total")).toBe(bytes);
      expect(of(`${NAME}_count{method="GET",status="2xx"}`)).toBe(100);
      expect(of(`${NAME}_count{method="POST",status="2xx"}`)).toBe(20);
      expect(of(`${NAME}_count{method="GET",status="4xx"}`)).toBe(5);
      const reasons = [...families.get("waterspout_http_requests_refused_total")!.samples].filter(
        ([, count]) => count > 0,
      );
      expect(reasons.map(([, count]) => count)).toEqual([1, 2]);
      expect(of('waterspout_http_requests_refused_total{status="400",reason="no_host"}')).toBe(2);
      expect(of("waterspout_ready")).toBe(1);
    });

    test("of a request that takes its time, and of one that is cut off", async () => {
      const [server, admin] = await inspected(way);
      const cut = (await server.connect()).send("GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
      expect((await server.get("/slow?ms=300")).status).toBe(200);
      expect(await admin.metric("waterspout_http_requests_in_flight")).toBe(1);
      cut.reset();
      await eventually(
        "counted",
        async () => (await admin.metric(`${NAME}_count{method="GET",status="aborted"}`)) === 1,
      );
      expect(await admin.metric(`${NAME}_sum{method="GET",status="2xx"}`)).toBeGreaterThan(0.29);
      expect(await admin.metric(`${NAME}_bucket{method="GET",status="2xx",le="0.262144"}`)).toBe(0);
    });

    test("by route: its pattern, the innermost, and never a path", async () => {
      const [server, admin] = await inspected(way, [], "test/e2e/apps/routed.ts");
      for (const target of ["/plain/xqa", "/plain/xqb", "/users/xqc", "/nowhere/xqd"]) await server.get(target);
      const { text } = await admin.get("/metrics");
      expect(text).toContain(`${NAME}_count{method="GET",status="2xx",route="/plain/:name"} 2\n`);
      expect(text).toContain(`${NAME}_count{method="GET",status="2xx",route="/users/:name"} 1\n`);
      expect(text).toContain(`${NAME}_count{method="GET",status="4xx"} 1\n`);
      expect(text).not.toContain("xq");
    });

    test("hot connections become cold, but for those that are too few to sort", async () => {
      const [server, admin] = await inspected(way);
      const clients = await Promise.all(Array.from({ length: 100 }, () => server.connect()));
      await Promise.all(clients.map((client) => exchange(client, HELLO, 1)));
      const seen = async () => [...(await admin.metrics()).get("waterspout_connections")!.samples.values()];
      await eventually("36 or more are cold", async () => (await seen())[1] >= 36);
      let busy = true;
      const pinging = (async () => {
        while (busy) await exchange(clients[0], HELLO, 1);
      })();
      await eventually("one is hot", async () => (await seen())[0] > 0);
      busy = false;
      await pinging;
      const [hot, cold] = await seen();
      expect(hot + cold).toBe(100);
      expect(hot).toBeLessThanOrEqual(64);
    });

    test("of several workers are their sum, and do not go back when one is killed", async () => {
      const [server, admin] = await inspected(way, ["--workers", "3"]);
      const clients = await Promise.all(Array.from({ length: 60 }, () => server.connect()));
      await Promise.all(clients.map((client) => exchange(client, HELLO, 3)));
      expect(await admin.metric("waterspout_http_requests_total")).toBe(180);
      expect(await admin.metric(`${NAME}_count{method="GET",status="2xx"}`)).toBe(180);
      expect(await admin.metric("waterspout_workers")).toBe(3);
      process.kill(workersOf(server.pid)[0].pid, "SIGKILL");
      await eventually(
        "one less, or already again",
        async () => (await admin.metric("waterspout_worker_restarts_total")) === 1,
      );
      await eventually("three", async () => (await admin.metric("waterspout_workers")) === 3);
      expect(await admin.metric("waterspout_http_requests_total")).toBe(180);
      expect(await admin.metric(`${NAME}_count{method="GET",status="2xx"}`)).toBe(180);
      expect((await admin.get("/health/ready")).status).toBe(200);
    });
  });

  describe("health", () => {
    test("readiness ends with the beginning of a stop, liveness with its end", async () => {
      const [server, admin] = await inspected(way, way.runtime === "node" ? ["--workers", "2"] : []);
      expect(await admin.get("/health/live")).toMatchObject({ status: 200, text: "live\n" });
      expect(await admin.get("/health/ready", { Host: "any.example" })).toMatchObject({ status: 200, text: "ready\n" });
      const slow = (await server.connect()).send("GET /slow?ms=2500 HTTP/1.1\r\nHost: x\r\n\r\n");
      await eventually("on its way", async () => (await admin.metric("waterspout_http_requests_in_flight")) === 1);
      const looking = await admin.watch();
      server.signal("SIGTERM");
      await eventually("not ready", async () => (await admin.get("/health/ready")).status === 503);
      expect(await admin.get("/health/ready")).toMatchObject({ status: 503, text: "stopping\n" });
      expect(await admin.get("/health/live")).toMatchObject({ status: 200 });
      expect(await admin.metric("waterspout_ready")).toBe(0);
      expect((await slow.readResponse()).status).toBe(200);
      expect(await server.exited).toEqual({ code: 0, signal: null });
      expect(looking.text()).toContain("event: end");
    });
  });

  describe("who may look", () => {
    test("names an address or localhost, and is no page of another site", async () => {
      const [, admin] = await inspected(way);
      const port = new URL(admin.url).port;
      for (const target of ["/", "/metrics", "/events", "/page.js"]) {
        for (const headers of [
          { Host: "evil.example" },
          { Host: `evil.example:${port}` },
          { "Sec-Fetch-Site": "cross-site" },
        ]) {
          expect((await admin.get(target, headers)).status, target).toBe(403);
        }
      }
      const page = await admin.get("/", { Host: `localhost:${port}`, Origin: "http://evil.example" });
      expect(page.status).toBe(200);
      expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
      expect(Object.keys(page.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
      expect((await admin.get("/", { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" })).status).toBe(200);
      expect((await admin.get("/metrics", {}, "POST")).status).toBe(405);
      expect((await admin.get("/events", {}, "HEAD")).status).toBe(200);
      for (const target of ["/nowhere", "/../package.json", "/%2e%2e/package.json", "/constructor"]) {
        expect((await admin.get(target)).status, target).toBe(404);
      }
    });

    test("is one of sixteen, and each gets an event every second", async () => {
      const [, admin] = await inspected(way);
      const watchers = await Promise.all(Array.from({ length: 16 }, () => admin.watch()));
      expect(watchers.map(({ status }) => status)).toEqual(new Array(16).fill(200));
      expect((await admin.get("/events")).status).toBe(503);
      expect((await admin.get("/metrics")).status).toBe(200);
      await eventually("two events each", () => watchers.every(({ text }) => text().split("\ndata: ").length > 2));
      watchers[0].leave();
      let next = { status: 0, leave: () => {} };
      await eventually("room again", async () => {
        next = await admin.watch();
        return next.status === 200;
      });
      next.leave();
      for (const { leave } of watchers) leave();
    });
  });
}

export function startingSuite(way: Way): void {
  test("readiness is 503 until the server listens", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "waterspout-starting-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [file, gate] = [path.join(folder, "wasmtime"), path.join(folder, "gate")];
    const waits = `case "$1" in --version) ;; *) while [ ! -e ${gate} ]; do sleep 0.05; done ;; esac`;
    writeFileSync(file, `#!/bin/sh\n${waits}\nexec ${path.resolve(ROOT, wasmtime())} "$@"\n`);
    chmodSync(file, 0o755);
    const { spawn } = await import("node:child_process");
    const args = [CLI, "run", way.demo, "--port", "0", "--runtime", "wasmtime", "--inspect=0"];
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, WATERSPOUT_WASMTIME: file } });
    onTestFinished(async () => {
      child.kill();
      await new Promise((resolve) => child.once("close", resolve));
    });
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    await eventually("it shows itself", () => /http:\S+\n/.test(said));
    const admin = new Admin(/http:\S+/.exec(said)![0]);
    expect(await admin.get("/health/ready")).toMatchObject({ status: 503, text: "starting\n" });
    expect((await admin.get("/health/live")).status).toBe(200);
    expect(await admin.metric("waterspout_ready")).toBe(0);
    writeFileSync(gate, "");
    await eventually("ready", async () => (await admin.get("/health/ready")).status === 200);
  });
}
