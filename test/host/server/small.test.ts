// The small things: options, addresses, the loop's names, log lines, loading an application.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { loadApplication } from "../../../host/cli/run/app.js";
import { defaultLogger, errorLine, LineReader, type Logger } from "../../../host/core/log.js";
import { encodeHeaders } from "../../../host/http/headers.js";
import { BindError, bindSockets, HTTPHeaders, HTTPServer, IOLoop, TCPServer } from "../../../host/index.js";
import { resolveOptions, type ServerOptions } from "../../../host/server/options.js";

describe("options", () => {
  test("have defaults", () => {
    vi.stubEnv("WATERSPOUT_RUNTIME", undefined);
    expect(resolveOptions({})).toMatchObject({ runtime: "node", workers: 1, idleTimeoutMs: 0, bodyBytesMax: 16 << 20 });
    vi.stubEnv("WATERSPOUT_RUNTIME", "wasmtime");
    expect(resolveOptions({}).runtime).toBe("wasmtime");
    expect(resolveOptions({ runtime: "node" }).runtime).toBe("node");
    vi.unstubAllEnvs();
  });

  test.each([
    [{ runtime: "deno" }, /runtime/],
    [{ workers: 0 }, /workers/],
    [{ workers: 1.5 }, /workers/],
    [{ idleTimeoutMs: -1 }, /idleTimeoutMs/],
    [{ bodyBytesMax: "1" }, /bodyBytesMax/],
    [{ writeWindow: 100 }, /writeWindow/],
    [{ memoryBytesMax: (1 << 20) - 1 }, /memoryBytesMax/],
    [{ connectionsMax: Number.NaN }, /connectionsMax/],
  ])("%j is refused by its name", (options, message) => {
    const make = () => new HTTPServer(() => {}, options as ServerOptions);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  test("a handler must be a function", () => {
    expect(() => new HTTPServer({} as never)).toThrow(/function/);
  });
});

describe("bindSockets", () => {
  test("binds a free port, and the same again is in use", async () => {
    const [socket] = await bindSockets(0);
    expect(socket.address).toMatchObject({ address: "127.0.0.1", family: "IPv4" });
    expect(socket.address.port).toBeGreaterThan(0);
    const error = await bindSockets(socket.address.port).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BindError);
    expect(error).toMatchObject({ code: "EADDRINUSE", address: "127.0.0.1", port: socket.address.port });
    expect((error as Error).message).toContain(`127.0.0.1:${socket.address.port}: the address is already in use`);
    socket.close();
    socket.close();
    const client = net.connect(socket.address.port, "127.0.0.1");
    expect((await once(client, "error"))[0].code).toBe("ECONNREFUSED");
  });

  test("for all interfaces has one port", async () => {
    const sockets = await bindSockets(0, "");
    expect(new Set(sockets.map((socket) => socket.address.port)).size).toBe(1);
    expect(sockets[0].address.address).toBe("0.0.0.0");
    for (const socket of sockets) socket.close();
  });

  test.each([
    [0, "192.0.2.1", "EADDRNOTAVAIL"],
    [0, "no.such.host.invalid", "ENOTFOUND"],
    [-1, "127.0.0.1", "INVALID_OPTION"],
    [65_536, "127.0.0.1", "INVALID_OPTION"],
  ])("port %i on %s: %s", async (port, address, code) => {
    await expect(bindSockets(port, address)).rejects.toMatchObject({ code });
  });

  test("a socket of another runtime is not served", async () => {
    const sockets = await bindSockets(0);
    const server = new HTTPServer(() => {}, { runtime: "wasmtime" });
    await expect(server.addSockets(sockets)).rejects.toThrow(/runtime/);
    expect(server.addresses).toEqual([]);
  });
});

describe("the loop", () => {
  const loop = IOLoop.current();
  const logged: string[] = [];
  const logger: Logger = { ...defaultLogger, error: (fields) => logged.push(String((fields as { err: unknown }).err)) };
  afterEach(() => {
    loop.logger = defaultLogger;
  });

  test("is one, and its clock goes forward", () => {
    expect(IOLoop.current()).toBe(loop);
    const before = loop.time();
    expect(loop.time()).toBeGreaterThanOrEqual(before);
  });

  test("calls back, now and later, in order, with values", async () => {
    const order: string[] = [];
    const taken = loop.callLater(5, () => order.push("never"));
    loop.removeTimeout(taken);
    loop.removeTimeout(taken);
    await new Promise<void>((resolve) => {
      loop.callLater(20, (text: string) => order.push(text), "later");
      loop.callLater(-5, () => order.push("soon"));
      loop.addCallback((text: string) => order.push(text), "next");
      loop.callLater(40, resolve);
    });
    expect(order.sort()).toEqual(["later", "next", "soon"]);
    expect(() => loop.callLater(Number.NaN, () => {})).toThrow(TypeError);
  });

  test("logs what fails and goes on", async () => {
    loop.logger = logger;
    loop.addCallback(() => {
      throw new Error("thrown");
    });
    loop.addCallback(() => Promise.reject(new Error("rejected")));
    await new Promise<void>((resolve) => loop.callLater(10, resolve));
    expect(logged).toEqual(["Error: thrown", "Error: rejected"]);
  });

  test("start lasts until stop; a stop before it counts", async () => {
    let running = true;
    const done = loop.start().then(() => {
      running = false;
    });
    expect(() => loop.start()).toThrow(/running/);
    await new Promise<void>((resolve) => loop.addCallback(resolve));
    expect(running).toBe(true);
    loop.stop();
    await done;
    loop.stop();
    await loop.start();
  });
});

describe("log lines", () => {
  test("are one line, whatever they hold", () => {
    expect(errorLine(new Error("a\nb\u0007"))).toMatch(/^Error: a b \(at .*small\.test/);
    expect(errorLine("text\r\n")).toBe("text");
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    defaultLogger.warn("one\ntwo");
    defaultLogger.error({ err: new TypeError("wrong") }, "a thing failed");
    defaultLogger.info("quiet");
    const lines = write.mock.calls.map(([text]) => String(text));
    write.mockRestore();
    expect(lines[0]).toBe("waterspout: warning: one two\n");
    expect(lines[1]).toMatch(/^waterspout: error: a thing failed: TypeError: wrong \(at [^\n]*\)\n$/);
    expect(lines.length).toBe(2);
  });

  test("of a worker are cut out of its chunks and bounded", () => {
    const lines: string[] = [];
    const reader = new LineReader((line) => lines.push(line));
    for (const chunk of ["one\ntw", "o\n\n", "x".repeat(10_000), "y\nlast\u001b[31m"]) reader.push(Buffer.from(chunk));
    reader.end();
    expect(lines.slice(0, 2)).toEqual(["one", "two"]);
    expect(lines[2].length).toBe(4096);
    expect(lines[3]).toBe("last [31m");
  });
});

describe("headers", () => {
  test("are made of pairs", () => {
    const headers = new HTTPHeaders([
      ["A", "1"],
      ["a", "2"],
    ]);
    expect(headers.get("A")).toBe("1, 2");
    expect([...headers.entries()]).toEqual([
      ["a", "1"],
      ["a", "2"],
    ]);
  });

  test("are encoded once for the same object, and never mixed up", () => {
    const first = encodeHeaders({ A: "1", B: "2" });
    expect(encodeHeaders({ A: "1", B: "2" })).toBe(first);
    for (let i = 0; i < 20; i++) expect(encodeHeaders({ A: String(i) })).not.toBe(first);
    expect(Buffer.from(encodeHeaders({ A: "1", B: "2" }).bytes)).toEqual(Buffer.from(first.bytes));
  });
});

describe("an application", () => {
  const layers = { over: {}, under: {} };
  const load = async (file: string) =>
    (await loadApplication(new URL(`../../e2e/apps/${file}`, import.meta.url).pathname, layers)).application;

  test("is a server class, a server or a handler", async () => {
    expect((await load("streams.ts")).scheme).toBe("tcp");
    expect((await load("limits.ts")).scheme).toBe("http");
    expect(await load("handlers.ts")).toBeInstanceOf(HTTPServer);
  });

  test.each([
    ["nothing.ts", "USAGE", /default export/],
    ["nowhere.ts", "USAGE", /no file/],
  ])("%s: %s", async (file, code, message) => {
    await expect(load(file)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test("may be TypeScript without a package that says so", async () => {
    const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "app.ts");
    writeFileSync(file, "enum Status { Fine = 200 }\nexport default (request: any) => request.respond(Status.Fine);\n");
    expect((await loadApplication(file, layers)).application).toBeInstanceOf(HTTPServer);
    const broken = join(folder, "broken.wasm");
    writeFileSync(broken, "no module");
    await expect(loadApplication(broken, layers)).rejects.toMatchObject({ code: "USAGE" });
  });

  test("that fails while it loads says why", async () => {
    await expect(load("broken.ts")).rejects.toThrow(/broken\.ts: Error: broken on purpose/);
  });

  test("class is told what the command was told", () => {
    const server = new TCPServer({ idleTimeoutMs: 5 });
    server.configure({ runtime: "wasmtime", workers: 3 });
    expect(server.options).toMatchObject({ idleTimeoutMs: 5, runtime: "wasmtime", workers: 3 });
  });
});
