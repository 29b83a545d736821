// Request: its constructor, its members, its clones (fetch.spec.whatwg.org, 5.4).

const ADDRESS = "http://a.example/b?c";

test(() => {
  const { method, url, mode, credentials, cache, redirect, referrer, integrity, keepalive, body } = new Request(
    ADDRESS,
  );
  const own = [method, url, mode, credentials, cache, redirect, referrer, integrity, keepalive, body];
  assert_array_equals(own, [
    "GET",
    ADDRESS,
    "cors",
    "same-origin",
    "default",
    "follow",
    "about:client",
    "",
    false,
    null,
  ]);
}, "a Request of an address");
for (const [given, url] of [
  ["http://A.example", "http://a.example/"],
  ["http://a.example:80/../b/./c", "http://a.example/b/c"],
  [new URL("http://a.example/b"), "http://a.example/b"],
  ["http://a.example/ä?ö", "http://a.example/%C3%A4?%C3%B6"],
  ["http://a.example/#b", "http://a.example/#b"],
]) {
  test(() => {
    assert_equals(new Request(given).url, url);
  }, `the address ${given}`);
}
for (const address of ["http://:", "http://a:b@c.example/", "//[", "http://a.example:99999/"]) {
  test(() => {
    assert_throws_js(TypeError, () => new Request(address));
  }, `an address that is none: ${address}`);
}

for (const [given, method] of [
  ["get", "GET"],
  ["Head", "HEAD"],
  ["post", "POST"],
  ["put", "PUT"],
  ["delete", "DELETE"],
  ["options", "OPTIONS"],
  ["PATCH", "PATCH"],
  ["chicken", "chicken"],
]) {
  test(() => {
    assert_equals(new Request(ADDRESS, { method: given }).method, method);
  }, `the method ${given}`);
}
for (const method of ["CONNECT", "trace", "Track", "a b", "", "ä"]) {
  test(() => {
    assert_throws_js(TypeError, () => new Request(ADDRESS, { method }));
  }, `a method that is none: ${method}`);
}
for (const method of ["GET", "HEAD"]) {
  test(() => {
    assert_throws_js(TypeError, () => new Request(ADDRESS, { method, body: "" }));
  }, `${method} has no body`);
}

const POST = { method: "POST", headers: { "X-A": "1", "content-type": "text/x" }, body: "body" };
test(() => {
  const request = new Request(ADDRESS, POST);
  const { method, headers } = request;
  assert_array_equals([method, headers.get("x-a"), headers.get("Content-Type")], ["POST", "1", "text/x"]);
  assert_equals(request.headers, headers);
  headers.set("x-a", "2");
  assert_equals(new Request(request, { body: "other" }).headers.get("x-a"), "2");
}, "header fields can be changed");
test(() => {
  const { headers } = new Request(ADDRESS, { headers: { b: "1", A: "2" } });
  headers.append("B", "3");
  assert_array_equals([...headers].flat(), ["a", "2", "b", "1, 3"]);
}, "header fields in order");

promise_test(async (t) => {
  const request = new Request(ADDRESS, POST);
  const copy = new Request(request);
  assert_true(request.bodyUsed);
  assert_false(copy.bodyUsed);
  assert_equals(await copy.text(), "body");
  assert_throws_js(TypeError, () => new Request(request));
  await promise_rejects_js(t, TypeError, request.text());
}, "a Request of a Request takes its body");
promise_test(async () => {
  const request = new Request(ADDRESS, POST);
  const copy = new Request(request, { body: "other", method: "PUT" });
  assert_array_equals([copy.method, await copy.text(), copy.headers.get("x-a")], ["PUT", "other", "1"]);
}, "a Request of a Request with a body of its own");
promise_test(async () => {
  const request = new Request(ADDRESS, POST);
  const copy = request.clone();
  copy.headers.set("x-a", "2");
  assert_array_equals([request.headers.get("x-a"), copy.url, copy.method], ["1", ADDRESS, "POST"]);
  assert_array_equals([await copy.text(), request.bodyUsed, await request.text()], ["body", false, "body"]);
  assert_throws_js(TypeError, () => request.clone());
}, "a clone");
test(() => {
  const request = new Request(ADDRESS, POST);
  const reader = request.body.getReader();
  assert_throws_js(TypeError, () => request.clone());
  assert_throws_js(TypeError, () => new Request(request));
  reader.releaseLock();
  assert_true(request.clone() instanceof Request);
}, "no clone while the body has a reader");

test(() => {
  const { signal } = new Request(ADDRESS);
  assert_true(signal instanceof AbortSignal);
  assert_false(signal.aborted);
  const controller = new AbortController();
  const request = new Request(ADDRESS, { signal: controller.signal });
  const copy = request.clone();
  controller.abort("why");
  assert_array_equals([request.signal.aborted, request.signal.reason, copy.signal.reason], [true, "why", "why"]);
  assert_throws_js(TypeError, () => new Request(ADDRESS, { signal: {} }));
}, "the signal");

for (const init of [
  { mode: "navigate" },
  { redirect: "x" },
  { cache: "only-if-cached" },
  { window: 1 },
  { headers: 1 },
]) {
  test(
    () => {
      assert_throws_js(TypeError, () => new Request(ADDRESS, init));
    },
    `what it refuses: ${JSON.stringify(init)}`,
  );
}
for (const init of [
  { redirect: "manual" },
  { credentials: "include" },
  { cache: "no-store" },
  { integrity: "sha256-x" },
  { keepalive: true },
  { mode: "no-cors" },
  { referrerPolicy: "origin" },
]) {
  test(
    () => {
      const [[name, value]] = Object.entries(init);
      assert_equals(new Request(ADDRESS, init)[name], value);
      assert_equals(new Request(new Request(ADDRESS, init))[name], value);
    },
    `what it keeps: ${JSON.stringify(init)}`,
  );
}

test(() => {
  class Own extends Request {
    get url() {
      return `own ${super.url}`;
    }
  }
  const own = new Own(ADDRESS);
  assert_array_equals([own.url, own instanceof Request, own.clone() instanceof Own], [`own ${ADDRESS}`, true, false]);
}, "a subclass");
test(() => {
  assert_throws_js(TypeError, () => Request(ADDRESS));
  assert_throws_js(TypeError, () => new Request());
  assert_equals(Object.prototype.toString.call(new Request(ADDRESS)), "[object Request]");
  for (const name of ["method", "url", "headers", "signal", "mode", "body", "bodyUsed"]) {
    const { get, enumerable } = Object.getOwnPropertyDescriptor(Request.prototype, name);
    assert_true(enumerable);
    assert_throws_js(TypeError, () => get.call({}));
    assert_throws_js(TypeError, () => Request.prototype[name]);
    assert_false(Object.hasOwn(new Request(ADDRESS), name));
  }
}, "the class, and its members of what is no Request");
test(() => {
  assert_throws_dom("DataCloneError", () => structuredClone(new Request(ADDRESS)));
}, "no structured clone");
