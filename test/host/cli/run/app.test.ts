// Loading the module that `waterspout run` names: which exports are an application, and what is said about others.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";

import { loadApplication } from "../../../../dist/host/cli/run/app.js";
import { HTTPServer } from "../../../../dist/host/server/httpserver.js";

describe("an application", () => {
  const outer = { over: {}, under: {} };
  const load = async (file: string) =>
    (await loadApplication({ file: new URL(`../../../e2e/apps/${file}`, import.meta.url).pathname, outer }))
      .application;

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
    expect((await loadApplication({ file, outer })).application).toBeInstanceOf(HTTPServer);
    const broken = join(folder, "broken.wasm");
    writeFileSync(broken, "no module");
    await expect(loadApplication({ file: broken, outer })).rejects.toMatchObject({ code: "USAGE" });
  });

  test("that fails while it loads says why", async () => {
    await expect(load("broken.ts")).rejects.toThrow(/broken\.ts: Error: broken on purpose/);
  });
});
