import { realpathSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

import {
  Application,
  type FileContent,
  HTTPError,
  type InjectedRequest,
  RequestHandler,
  StaticFileHandler,
  type StaticSettings,
} from "../../../host/index.js";
import { base, LETTERS, logger, MODIFIED, root } from "../support/staticfolder.js";

const answerOf = (
  handler: typeof StaticFileHandler,
  request: InjectedRequest | string = "/letters.txt",
  options = {},
) => new Application([["/(.*)", handler, { path: root, ...options }]], { logger }).inject(request);

describe("a subclass", () => {
  test("says types, times to keep and further fields", async () => {
    const seen: unknown[] = [];
    class Own extends StaticFileHandler {
      override getContentType(path: string): string {
        seen.push(path);
        return "text/own";
      }
      override getCacheTime(path: string, modified: Date | null, mimeType: string): number {
        seen.push(path, modified?.toISOString(), mimeType);
        return 60;
      }
      override setExtraHeaders(path: string): void {
        this.setHeader("X-Name", path);
      }
    }
    const answer = await answerOf(Own);
    const named = ["content-type", "cache-control", "x-name"].map((name) => answer.headers.get(name));
    expect(named).toEqual(["text/own", "max-age=60", "letters.txt"]);
    const absolute = path.join(realpathSync(root), "letters.txt");
    expect(seen).toEqual([absolute, "letters.txt", "2025-02-01T10:20:30.500Z", "text/own"]);
  });

  test("reads addresses in its own way, and leaves the folder by none", async () => {
    class Own extends StaticFileHandler {
      override parseUrlPath(urlPath: string): string {
        return urlPath.replaceAll("~", "/").replace(/^v[0-9]+\//, "");
      }
      static override getAbsolutePath(folder: string, name: string): string {
        return name === "secret" ? path.join(base, "secret.txt") : path.resolve(folder, name);
      }
    }
    expect((await answerOf(Own, "/v12/letters.txt")).text).toBe(LETTERS);
    expect((await answerOf(Own, "/folder~index.html")).text).toBe("index");
    expect((await answerOf(Own, "/..~secret.txt")).status).toBe(403);
    expect((await answerOf(Own, "/secret")).status).toBe(403);
  });

  test("says what may be served, or answers itself", async () => {
    class Own extends StaticFileHandler {
      override async validateAbsolutePath(folder: string, absolutePath: string): Promise<string | null> {
        if (this.path === "hidden.txt") throw new HTTPError(404);
        if (this.path === "moved.txt") {
          this.redirect("/letters.txt");
          return null;
        }
        return super.validateAbsolutePath(folder, absolutePath);
      }
    }
    expect((await answerOf(Own)).text).toBe(LETTERS);
    expect((await answerOf(Own, "/hidden.txt")).status).toBe(404);
    const moved = await answerOf(Own, "/moved.txt");
    expect([moved.status, moved.headers.get("location")]).toEqual([302, "/letters.txt"]);
  });
});

/** Files that are nowhere on a disk. */
class Made extends StaticFileHandler {
  override validateAbsolutePath(_folder: string, absolutePath: string): Promise<string | null> {
    return Promise.resolve(absolutePath);
  }
  override async getContentSize(): Promise<number> {
    return LETTERS.length;
  }
  override async getModifiedTime(): Promise<Date | null> {
    return this.path === "undated" ? null : new Date(MODIFIED);
  }
  override *getContent(_absolutePath: string, start: number, end: number): Generator<string> {
    for (let at = start; at < end; at += 10) yield LETTERS.slice(at, Math.min(at + 10, end));
  }
}

describe("content of a subclass", () => {
  test("has content of its own, with its parts and conditions", async () => {
    const whole = await answerOf(Made, "/made");
    expect([whole.status, whole.text, whole.headers.get("content-length")]).toEqual([200, LETTERS, "26"]);
    expect([whole.headers.get("last-modified"), whole.headers.get("etag")]).toEqual([MODIFIED, null]);
    const part = await answerOf(Made, { target: "/made", headers: { range: "bytes=5-20" } });
    expect([part.status, part.text]).toEqual([206, LETTERS.slice(5, 21)]);
    const ask = (name: string, value: string, target = "/made") =>
      answerOf(Made, { target, headers: { [name]: value } }).then(({ status }) => status);
    expect(await ask("if-modified-since", MODIFIED)).toBe(304);
    expect(await ask("if-unmodified-since", "Sat, 01 Feb 2025 10:20:29 GMT")).toBe(412);
    expect(await ask("if-none-match", "*")).toBe(304);
    expect(await ask("if-modified-since", MODIFIED, "/undated")).toBe(200);
    const undated = await answerOf(Made, "/undated");
    expect(undated.headers.has("last-modified")).toBe(false);
  });

  test.each<[string, FileContent]>([
    ["text", LETTERS],
    ["bytes", Buffer.from(LETTERS)],
    ["a list", ["abcdefghijklm", Buffer.from("nopqrstuvwxyz")]],
  ])("may give its content as %s", async (_name, content) => {
    class Own extends Made {
      override getContent(): never {
        return content as never;
      }
    }
    expect((await answerOf(Own, "/made")).text).toBe(LETTERS);
  });

  test("that gives less or more than it has said is cut or 500, and its iterator is ended", async () => {
    let ended = 0;
    const own = (pieces: string[]): typeof StaticFileHandler =>
      class extends Made {
        override *getContent(): Generator<string> {
          try {
            yield* pieces;
          } finally {
            ended++;
          }
        }
      };
    await expect(answerOf(own(["short", "er"]), "/made")).rejects.toThrow();
    await expect(answerOf(own([LETTERS.slice(1), "much more"]), "/made")).rejects.toThrow();
    expect((await answerOf(own([]), "/made")).status).toBe(500);
    expect((await answerOf(own([LETTERS, "more"]), "/made")).text).toBe(LETTERS);
    expect(ended).toBe(4);
  });

  test("has tags of its own, and says who has the content", async () => {
    class Own extends Made {
      override computeEtag(): string | null {
        return '"own"';
      }
    }
    expect((await answerOf(Own, { target: "/x", headers: { "if-none-match": 'W/"own"' } })).status).toBe(304);
    expect((await answerOf(Own, { target: "/x", headers: { "if-match": '"other"' } })).status).toBe(412);
    class Never extends StaticFileHandler {
      override shouldReturn304(): boolean {
        return false;
      }
    }
    expect((await answerOf(Never, { target: "/letters.txt", headers: { "if-none-match": "*" } })).text).toBe(LETTERS);
    class Always extends StaticFileHandler {
      override shouldReturn304(): boolean {
        return true;
      }
    }
    expect((await answerOf(Always)).status).toBe(304);
  });
});

describe("addresses of a subclass", () => {
  test("makes the addresses of the setting staticPath", async () => {
    class Own extends StaticFileHandler {
      static override async getVersion(_settings: StaticSettings, name: string): Promise<string | null> {
        return name === "none" ? null : `v of ${name}`;
      }
    }
    class Elsewhere extends StaticFileHandler {
      static override async makeStaticUrl(settings: StaticSettings, name: string): Promise<string> {
        return `https://cdn.example${settings.staticUrlPrefix}${name}`;
      }
    }
    class Page extends RequestHandler {
      override async get(name: string): Promise<void> {
        const options = {
          includeHost: this.request.query.has("host"),
          includeVersion: !this.request.query.has("bare"),
        };
        this.write(await this.staticUrl(name, options));
      }
    }
    const url = async (staticHandlerClass: typeof StaticFileHandler | undefined, target: string) => {
      const settings = {
        logger,
        staticPath: root,
        staticUrlPrefix: "/s/",
        ...(staticHandlerClass && { staticHandlerClass }),
      };
      return (
        await new Application([["/page/(.*)", Page]], settings).inject({ target, headers: { host: "a.example" } })
      ).text;
    };
    expect(await url(Own, "/page/a.txt")).toBe("/s/a.txt?v=v%20of%20a.txt");
    expect(await url(Own, "/page/none")).toBe("/s/none");
    expect(await url(Elsewhere, "/page/a.txt")).toBe("https://cdn.example/s/a.txt");
    expect(await url(undefined, "/page/letters.txt?bare")).toBe("/s/letters.txt");
    expect(await url(undefined, "/page/letters.txt?host")).toMatch(
      /^http:\/\/a\.example\/s\/letters\.txt\?v=[0-9a-f]{128}$/,
    );
    expect(await url(StaticFileHandler, "/page/letters.txt")).toBe(await url(undefined, "/page/letters.txt"));
    const settings = { staticPath: root };
    expect(await StaticFileHandler.makeStaticUrl(settings, "letters.txt", false)).toBe("/static/letters.txt");
    await expect(StaticFileHandler.getVersion(settings, "../secret.txt")).rejects.toMatchObject({ status: 403 });
  });
});
