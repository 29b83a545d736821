// Addresses with and without a slash at their end: the decorators, applied by hand since this suite is not compiled by
// one who knows them (test/e2e/apps/web.ts is), and the methods that they call.
import { describe, expect, test } from "vitest";

import { Application, addslash, RequestHandler, removeslash } from "../../../host/index.js";
import { answerOf } from "../support/websupport.js";

const NO_CONTEXT = null as never;

class Folder extends RequestHandler {
  override get(name: string): void {
    this.write(`folder ${name}`);
  }

  override async post(name: string): Promise<void> {
    this.write(`made ${name}`);
  }

  static {
    Folder.prototype.get = addslash(Folder.prototype.get, NO_CONTEXT);
    Folder.prototype.post = addslash(Folder.prototype.post, NO_CONTEXT);
  }
}

class Page extends RequestHandler {
  override get(name: string): void {
    this.write(`page ${name}`);
  }

  static {
    Page.prototype.get = removeslash(Page.prototype.get, NO_CONTEXT);
  }
}

const application = new Application([
  ["/folder/([^/]*)/*", Folder],
  ["/page/([^/]*)/*", Page],
  ["/*", Page],
]);

describe("addslash", () => {
  test.each(["/folder/a/", "/folder/a/?x=1", "http://host/folder/a/"])("%s is served", async (target) => {
    expect(await application.inject(target)).toMatchObject({ status: 200, text: "folder a" });
  });

  test.each([
    ["/folder/a", "/folder/a/"],
    ["/folder/a?", "/folder/a/?"],
    ["/folder/a?x=/&y=%2F", "/folder/a/?x=/&y=%2F"],
    ["/folder/%C3%BC", "/folder/%C3%BC/"],
    ["http://host/folder/a?x=1", "/folder/a/?x=1"],
  ])("%s is sent to %s", async (target, location) => {
    for (const method of ["GET", "HEAD"]) {
      const answer = await application.inject({ method, target });
      expect([answer.status, answer.headers.get("location"), answer.text]).toEqual([301, location, ""]);
    }
  });

  test("another method is not sent anywhere: its body would be lost", async () => {
    expect((await application.inject({ method: "POST", target: "/folder/a" })).status).toBe(404);
    expect((await application.inject({ method: "POST", target: "/folder/a/" })).text).toBe("made a");
  });
});

describe("removeslash", () => {
  test.each(["/page/a", "/page/a?x=/", "/", "//"])("%s is served", async (target) => {
    expect((await application.inject(target)).status).toBe(200);
  });

  test.each([
    ["/page/a/", "/page/a"],
    ["/page/a//", "/page/a"],
    ["/page/a/?x=1", "/page/a?x=1"],
  ])("%s is sent to %s", async (target, location) => {
    const answer = await application.inject(target);
    expect([answer.status, answer.headers.get("location")]).toEqual([301, location]);
  });
});

describe("without a decorator", () => {
  const at = (target: string, method: "requireSlash" | "requireNoSlash") =>
    answerOf(
      {
        get() {
          this[method]();
          this.write("served");
        },
      },
      target,
    );

  test("requireSlash and requireNoSlash end the request, or do nothing", async () => {
    expect((await at("/a/", "requireSlash")).text).toBe("served");
    expect((await at("/a", "requireSlash")).headers.get("location")).toBe("/a/");
    expect((await at("/a", "requireNoSlash")).text).toBe("served");
    expect((await at("/a/", "requireNoSlash")).headers.get("location")).toBe("/a");
  });

  test.each(["//evil.example", "/\\evil.example"])("%s leads to no other site", async (path) => {
    for (const answer of [await at(path, "requireSlash"), await at(`${path}/`, "requireNoSlash")]) {
      expect([answer.status, answer.headers.get("location")]).toEqual([403, null]);
    }
  });
});
