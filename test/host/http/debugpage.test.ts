// The answer in debug mode: what it shows, what it leaves out, and that no error can break it.
import { describe, expect, test } from "vitest";
import { debugAnswer } from "../../../host/http/debugpage.js";
import { HTTPHeaders } from "../../../host/http/headers.js";

const THIS_FILE = "test/host/http/debugpage.test.ts";

function answer(error: unknown, fields: [string, string][] = [["accept", "text/html"]], target = "/a?b=1") {
  const request = { method: "GET", target, headers: new HTTPHeaders(fields) };
  return debugAnswer("500 Internal Server Error", error, request);
}

/** The text of a page, as a browser shows it. */
function textOf(page: string): string {
  return page
    .replaceAll(/<[^<>]*>/g, "")
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&#x27;", "'");
}

describe("the page for a browser", () => {
  test("has the source around the place, the frames and the request", () => {
    const { headers, body } = answer(new TypeError("no such thing")); // this very line
    expect(headers["Content-Type"]).toBe("text/html; charset=UTF-8");
    expect(headers["Content-Security-Policy"]).toBe("default-src 'none'; style-src 'unsafe-inline'");
    const marked = /<mark>(.*?)<\/mark>/s.exec(body)?.[1] ?? "";
    expect(textOf(marked)).toContain('answer(new TypeError("no such thing")); // this very line');
    expect(textOf(body)).toContain("500 Internal Server Error GET /a?b=1");
    expect(body).toMatch(
      new RegExp(String.raw`<a href="vscode://file/[^"]*/${THIS_FILE}:\d+:\d+">${THIS_FILE}:\d+:\d+</a>`),
    );
    expect(body, "frames of packages are apart").toMatch(/<summary>all \d+ frames, those of packages/);
  });

  test("names every cause, each once", () => {
    const root = new RangeError("the root");
    const both = new AggregateError([root, new Error("the other")], "both");
    root.cause = both;
    const { body } = answer(new Error("the outside", { cause: both }));
    const titles = [...body.matchAll(/<h[12]><span class="name">.*?<\/h[12]>/g)].map(([title]) => textOf(title));
    expect(titles).toEqual(["Error the outside", "AggregateError both", "RangeError the root", "Error the other"]);
  });

  test("holds nothing of a peer or an error that a browser would take for markup", () => {
    const hostile = `<script>alert("1")</script>'`;
    class Hostile extends Error {
      override name = hostile;
    }
    const error = new Hostile(hostile, { cause: hostile });
    error.stack = `Error\n    at ${hostile} (/${hostile}:1:1)\n    at eval (${hostile})`;
    const { body } = answer(
      error,
      [
        ["accept", "text/html"],
        ["x-hostile", hostile],
        [hostile, "x"],
      ],
      `/${hostile}`,
    );
    expect(body).not.toContain("<script");
    expect(body.split("&lt;script&gt;").length).toBeGreaterThan(6);
  });

  test("leaves out what is the client's secret", () => {
    const secret = "a".repeat(9);
    const fields: [string, string][] = [
      ["Authorization", secret],
      ["Cookie", secret],
      ["Proxy-Authorization", secret],
    ];
    const { body } = answer(new Error("x"), [["accept", "text/html"], ["x-seen", "seen"], ...fields]);
    expect(body).not.toContain(secret);
    expect(body).toContain("<td>seen</td>");
  });

  test.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["a text", "only a text"],
    [
      "an object whose parts throw",
      {
        get message(): string {
          throw new Error("no");
        },
      },
    ],
    ["an error without a stack", Object.assign(new Error("x"), { stack: undefined })],
    ["an error whose name and message are no texts", Object.assign(new Error("x"), { name: 1, message: Symbol("m") })],
    [
      "an error of a file that is gone",
      Object.assign(new Error("x"), { stack: "Error\n    at f (/gone/for/good.ts:3:4)" }),
    ],
    [
      "an error beyond its file's end",
      Object.assign(new Error("x"), { stack: `Error\n    at f (${process.cwd()}/package.json:99999:4)` }),
    ],
  ])("can be made of %s", (_, error) => {
    expect(answer(error).body).toContain("</html>");
    expect(answer(error, []).body).toMatch(/^500 Internal Server Error\n\n/);
  });
});

describe("other clients", () => {
  test("get the stacks as text", () => {
    const { headers, body } = answer(new Error("outside", { cause: new Error("inside") }), [
      ["accept", "application/json"],
    ]);
    expect(headers["Content-Type"]).toBe("text/plain; charset=UTF-8");
    expect(body).toMatch(/^500 Internal Server Error\n\nError: outside\n {4}at .*debugpage\.test\.ts/);
    expect(body).toContain("\n\ncaused by: Error: inside\n");
  });
});
