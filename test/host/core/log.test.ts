// Log lines: one line each, whatever the text holds, and the lines of a worker's stderr, cut out of its chunks.
import { describe, expect, test, vi } from "vitest";

import { defaultLogger, errorLine, LineReader } from "../../../host/core/log.js";

describe("log lines", () => {
  test("are one line, whatever they hold", () => {
    expect(errorLine(new Error("a\nb\u0007"))).toMatch(/^Error: a b \(at .*log\.test/);
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

  test("name what caused an error, unless its message does", () => {
    const root = new RangeError("the\nroot");
    expect(errorLine(new Error("outside", { cause: root }))).toMatch(
      /^Error: outside \(at [^;]*\); caused by RangeError: the root \(at [^;]*\)$/,
    );
    expect(errorLine(new Error("outside: the root", { cause: root }))).not.toContain("caused by");
    expect(errorLine(new Error("outside", { cause: "a text" }))).toMatch(/; caused by a text$/);
    expect(errorLine(Object.assign(new Error("x"), { name: Symbol("n"), stack: undefined }))).toBe("Symbol(n): x");
    expect(errorLine(Object.create(null))).toBe("[Object: null prototype] {}");
    root.cause = root;
    expect(errorLine(root).split("RangeError").length, "a circle ends").toBe(2);
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
