// What a handler sees of a request, over a scripted sandbox.
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import type { HTTPServerRequest } from "../../../host/index.js";
import { seen, serve } from "../support/exchange.js";
import { idOf, requestFrame } from "../support/fakeworker.js";

describe("a request", () => {
  test("has its parts", () => {
    const request = seen({
      method: 3,
      minor: 0,
      flags: f.REQUEST_END | f.REQUEST_KEEP_ALIVE,
      target: "/a%20b?x=1&x=%32&y",
      headers: [
        ["host", "example"],
        ["x-two", "one"],
        ["x-two", "tw\xf6"],
        ["cookie", "a=1"],
        ["cookie", "b=2"],
      ],
      descriptor: 9,
      body: "hello",
    });
    expect(request.method).toBe("POST");
    expect(request.version).toBe("HTTP/1.0");
    expect(request.keepAlive).toBe(true);
    expect(request.target).toBe("/a%20b?x=1&x=%32&y");
    expect(request.path).toBe("/a%20b");
    expect([...request.query]).toEqual([
      ["x", "1"],
      ["x", "2"],
      ["y", ""],
    ]);
    expect(request.headers.get("HOST")).toBe("example");
    expect(request.headers.get("X-Two")).toBe("one, tw\xf6");
    expect(request.headers.get("cookie")).toBe("a=1; b=2");
    expect(request.headers.getList("x-two")).toEqual(["one", "tw\xf6"]);
    expect(request.headers.get("x-three")).toBeNull();
    expect([request.headers.has("Cookie"), request.headers.has("Set-Cookie")]).toEqual([true, false]);
    expect(request.headers.size).toBe(5);
    expect([...request.headers][0]).toEqual(["host", "example"]);
    expect(request.contentLength).toBe(5);
    expect(request.remoteAddress).toEqual({ address: "192.0.2.1", port: 5, family: "IPv4" });
  });

  test.each([
    ["/a%20b?x=1&y", "http://example:8443/a%20b?x=1&y"],
    ["http://other/x?y", "http://other/x?y"],
    ["http://other", "http://other/"],
  ])("for %s has the whole address, and the time since it came", (target, url) => {
    const request = seen({ target, headers: [["host", "example:8443"]] });
    expect(request.fullUrl()).toBe(url);
    const before = request.requestTime();
    expect(before).toBeGreaterThanOrEqual(0);
    expect(request.requestTime()).toBeGreaterThanOrEqual(before);
  });

  test("has fields and trailers of its own, which may be changed", () => {
    const [one, other] = [1, 2].map(() => seen({ headers: [["x-a", "1"]] }));
    one.headers.add("X-A", "2");
    one.trailers.add("x-sum", "3");
    expect([one.headers.get("x-a"), other.headers.get("x-a"), other.trailers.size]).toEqual(["1, 2", "1", 0]);
  });

  test("has any method", () => {
    expect(seen({ method: 0, methodText: "BREW" }).method).toBe("BREW");
    expect(
      ["", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"].map((name, method) => {
        return method === 0 || seen({ method }).method === name;
      }),
    ).not.toContain(false);
  });

  test.each([
    ["/", "/", ""],
    ["/a/b?", "/a/b", ""],
    ["*", "*", ""],
    ["http://h/x?y", "/x", "y="],
    ["http://h", "/", ""],
    ["http://h?q=/", "/", "q=%2F"],
    ["/?u=http://h/x", "/", "u=http%3A%2F%2Fh%2Fx"],
  ])("with the target %s has the path %s", (target, path, query) => {
    const request = seen({ target });
    expect([request.path, String(request.query)]).toEqual([path, query]);
  });

  test("keeps its own bytes, not the chunk that it came in, when it is answered later", async () => {
    const requests: HTTPServerRequest[] = [];
    const worker = serve((request) => void requests.push(request));
    const many = Array.from({ length: 100 }, (_, i) => requestFrame(idOf(i), { target: `/${i}`, body: `body ${i}` }));
    worker.emit(...many);
    for (const [i, request] of requests.entries()) {
      expect(request.target).toBe(`/${i}`);
      expect((await request.readBody()).toString()).toBe(`body ${i}`);
    }
  });

  test("without a known peer has no address", () => {
    expect(seen({ descriptor: 8 }).remoteAddress).toBeNull();
  });
});
