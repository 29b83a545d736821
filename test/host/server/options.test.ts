// The options of a server: defaults, the environment, and the error that names an option with a wrong value.
import { describe, expect, onTestFinished, test, vi } from "vitest";

import { HTTPServer, TCPServer } from "../../../host/index.js";
import { resolveOptions, type ServerOptions } from "../../../host/server/options.js";

describe("options", () => {
  test("have defaults", () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("WATERSPOUT_RUNTIME", undefined);
    expect(resolveOptions({})).toMatchObject({ runtime: "node", workers: 1, idleTimeoutMs: 0, bodyBytesMax: 16 << 20 });
    vi.stubEnv("WATERSPOUT_RUNTIME", "wasmtime");
    expect(resolveOptions({}).runtime).toBe("wasmtime");
    expect(resolveOptions({ runtime: "node" }).runtime).toBe("node");
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

  test("configure adds to what the server was made with", () => {
    const server = new TCPServer({ idleTimeoutMs: 5 });
    server.configure({ runtime: "wasmtime", workers: 3 });
    expect(server.options).toMatchObject({ idleTimeoutMs: 5, runtime: "wasmtime", workers: 3 });
  });
});
