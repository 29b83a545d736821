// Response: its constructor, its static members, its clones (fetch.spec.whatwg.org, 5.5).

test(() => {
  const { type, url, redirected, status, ok, statusText, body, bodyUsed, headers } = new Response();
  const expected = ["default", "", false, 200, true, "", null, false, 0];
  assert_array_equals([type, url, redirected, status, ok, statusText, body, bodyUsed, [...headers].length], expected);
}, "a Response of nothing");

for (const status of [0, 100, 199, 600, 1000, -1, Number.NaN]) {
  test(() => {
    assert_throws_js(RangeError, () => new Response("", { status }));
  }, `a status that is none: ${status}`);
}
for (const [given, status, ok] of [
  [200, 200, true],
  [299, 299, true],
  [300, 300, false],
  [599, 599, false],
  ["404", 404, false],
  [200.9, 200, true],
  [65736, 200, true],
  [undefined, 200, true],
]) {
  test(
    () => {
      const response = new Response(null, { status: given });
      assert_array_equals([response.status, response.ok], [status, ok]);
    },
    `the status ${given} of a ${typeof given}`,
  );
}
for (const status of [204, 205, 304]) {
  test(() => {
    assert_throws_js(TypeError, () => new Response("", { status }));
    assert_throws_js(TypeError, () => new Response(new Uint8Array(), { status }));
    assert_equals(new Response(null, { status }).body, null);
    assert_equals(new Response(undefined, { status }).status, status);
  }, `${status} has no body`);
}
for (const statusText of ["a\nb", "a\rb", "\0", "\x01", "\u0100"]) {
  test(
    () => {
      assert_throws_js(TypeError, () => new Response("", { statusText }));
    },
    `a phrase that is none: ${JSON.stringify(statusText)}`,
  );
}
for (const statusText of ["", " Fine ", "a\tb", "\x80\xff"]) {
  test(
    () => {
      assert_equals(new Response("", { statusText }).statusText, statusText);
    },
    `the phrase ${JSON.stringify(statusText)}`,
  );
}

for (const [name, make, type] of [
  ["nothing", () => undefined, null],
  ["null", () => null, null],
  ["text", () => "", "text/plain;charset=UTF-8"],
  ["a number", () => 1, "text/plain;charset=UTF-8"],
  ["bytes", () => new Uint8Array(1), null],
  ["a DataView", () => new DataView(new ArrayBuffer(1)), null],
  ["a Blob", () => new Blob(["x"]), null],
  ["a Blob with a type", () => new Blob(["x"], { type: "A/B" }), "a/b"],
  ["parameters", () => new URLSearchParams("a=b"), "application/x-www-form-urlencoded;charset=UTF-8"],
  ["a stream", () => new ReadableStream(), null],
]) {
  test(() => {
    assert_equals(new Response(make()).headers.get("content-type"), type);
  }, `the type of ${name}`);
  test(() => {
    for (const headers of [
      { "CONTENT-type": "x/y" },
      [["content-type", "x/y"]],
      new Headers({ "Content-Type": "x/y" }),
    ])
      assert_equals(new Response(make(), { headers }).headers.get("content-type"), "x/y");
  }, `a type in the place of that of ${name}`);
}
test(() => {
  assert_true(new Response(new FormData()).headers.get("content-type").startsWith("multipart/form-data; boundary="));
}, "the type of a form");

test(() => {
  const headers = { a: "1" };
  const response = new Response("", { headers });
  headers.a = "2";
  response.headers.append("b", "3");
  const again = new Response("", { headers: { a: "1" } });
  assert_array_equals([response.headers.get("a"), response.headers.get("b"), again.headers.get("b")], ["1", "3", null]);
  assert_equals(response.headers, response.headers);
}, "header fields are a Response's own");
for (const headers of [1, "text", null, [["a"]], [["a", "b", "c"]], { "a b": "1" }, { a: "1\n2" }, { a: "\u0100" }]) {
  test(
    () => {
      assert_throws_js(TypeError, () => new Response("", { headers }));
    },
    `header fields that are none: ${JSON.stringify(headers)}`,
  );
}

test(() => {
  const { type, status, statusText, ok, body, headers } = Response.error();
  assert_array_equals([type, status, statusText, ok, body], ["error", 0, "", false, null]);
  assert_throws_js(TypeError, () => headers.append("a", "1"));
}, "Response.error");
for (const status of [301, 302, 303, 307, 308]) {
  test(() => {
    const { status: own, headers, type, body } = Response.redirect("http://a.example/b", status);
    assert_array_equals([own, headers.get("location"), type, body], [status, "http://a.example/b", "default", null]);
  }, `Response.redirect with ${status}`);
}
test(() => {
  assert_throws_js(RangeError, () => Response.redirect("http://a.example/", 200));
  assert_throws_js(TypeError, () => Response.redirect("http://:x", 302));
  assert_throws_js(TypeError, () => Response.redirect("http://a.example/").headers.set("a", "b"));
}, "Response.redirect refuses");

for (const value of [{ a: ["ä", null] }, null, "text", [], 1, { toJSON: () => "own" }]) {
  promise_test(
    async () => {
      const response = Response.json(value, { status: 201, headers: { a: "1" } });
      const { status, headers } = response;
      assert_array_equals([status, headers.get("a"), headers.get("content-type")], [201, "1", "application/json"]);
      assert_equals(await response.text(), JSON.stringify(value));
    },
    `Response.json of ${JSON.stringify(value)}`,
  );
}
test(() => {
  assert_throws_js(TypeError, () => Response.json(undefined));
  assert_throws_js(TypeError, () => Response.json(Symbol("none")));
  assert_throws_js(TypeError, () => Response.json({}, { status: 204 }));
  assert_throws_js(SyntaxError, () =>
    Response.json({
      get a() {
        throw new SyntaxError();
      },
    }),
  );
  assert_equals(Response.json({}, { headers: { "content-type": "x/y" } }).headers.get("content-type"), "x/y");
}, "Response.json refuses, and takes a type");

promise_test(async () => {
  const response = new Response("body", { status: 201, statusText: "Quite", headers: { a: "1" } });
  const copy = response.clone();
  response.headers.set("a", "2");
  assert_array_equals([copy.status, copy.statusText, copy.headers.get("a")], [201, "Quite", "1"]);
  assert_not_equals(copy.headers, response.headers);
  assert_equals(await copy.text(), "body");
  assert_false(response.bodyUsed);
  assert_equals(await response.text(), "body");
  assert_throws_js(TypeError, () => response.clone());
}, "a clone");
test(() => {
  const response = new Response("body");
  const reader = response.body.getReader();
  assert_throws_js(TypeError, () => response.clone());
  reader.releaseLock();
  assert_true(response.clone() instanceof Response);
}, "no clone while the body has a reader");

test(() => {
  class Own extends Response {
    own = 1;
    get status() {
      return super.status + 1;
    }
  }
  const own = new Own("x", { status: 201 });
  assert_array_equals([own.own, own.status, own instanceof Response, own instanceof Own], [1, 202, true, true]);
  assert_equals(own.clone().constructor, Response);
}, "a subclass");
test(() => {
  assert_throws_js(TypeError, () => Response());
  assert_equals(Object.prototype.toString.call(new Response()), "[object Response]");
  for (const name of ["type", "url", "status", "ok", "headers", "body", "bodyUsed"]) {
    const { get, enumerable } = Object.getOwnPropertyDescriptor(Response.prototype, name);
    assert_true(enumerable);
    assert_throws_js(TypeError, () => get.call({}));
    assert_throws_js(TypeError, () => Response.prototype[name]);
    assert_false(Object.hasOwn(new Response(), name));
  }
}, "the class, and its members of what is no Response");
test(() => {
  assert_throws_dom("DataCloneError", () => structuredClone(new Response("x")));
}, "no structured clone");
