// The Headers of a Request and a Response (fetch.spec.whatwg.org, 5.1).

const GIVEN = [
  ["b", "1"],
  ["A", "2"],
  ["set-cookie", "x=1"],
  ["b", "3"],
  ["Set-Cookie", "y=2"],
];
for (const [name, make] of [
  ["Headers", (headers) => new Headers(headers)],
  ["those of a Request", (headers) => new Request("http://a.example/", { headers }).headers],
  ["those of a Response", (headers) => new Response("", { headers }).headers],
  ["those of a Response without a body", (headers) => new Response(null, { headers }).headers],
  ["those of Response.json", (headers) => Response.json({}, { headers }).headers],
  ["those of a clone", (headers) => new Response("", { headers }).clone().headers],
]) {
  test(() => {
    const headers = make(GIVEN);
    headers.delete("content-type");
    assert_array_equals([...headers].flat(), ["a", "2", "b", "1, 3", "set-cookie", "x=1", "set-cookie", "y=2"]);
    assert_array_equals([...headers.keys()], ["a", "b", "set-cookie", "set-cookie"]);
    assert_array_equals([...headers.values()], ["2", "1, 3", "x=1", "y=2"]);
    assert_array_equals(headers.getSetCookie(), ["x=1", "y=2"]);
    const seen = [];
    headers.forEach(
      function (value, key, own) {
        seen.push(key, value, own === headers, this.own);
      },
      { own: 1 },
    );
    assert_array_equals(seen.slice(0, 4), ["a", "2", true, 1]);
  }, `${name}: in order`);
  test(() => {
    const headers = make({ "X-A": "1" });
    headers.append("x-a", "2");
    assert_equals(headers.get("X-a"), "1, 2");
    headers.set("X-A", " 3\t");
    assert_equals(headers.get("x-a"), "3");
    headers.delete("X-A");
    assert_array_equals([headers.has("x-a"), headers.get("x-a")], [false, null]);
  }, `${name}: changed`);
  for (const [key, value] of [
    ["a b", "1"],
    ["", "1"],
    ["ä", "1"],
    ["a", "1\n2"],
    ["a", "\0"],
    ["a", "\u0100"],
  ]) {
    test(
      () => {
        assert_throws_js(TypeError, () => make([[key, value]]));
        assert_throws_js(TypeError, () => make({ [key]: value }));
        assert_throws_js(TypeError, () => make({}).append(key, value));
        assert_throws_js(TypeError, () => make({}).set(key, value));
      },
      `${name}: refused ${JSON.stringify([key, value])}`,
    );
  }
  for (const [given, value] of [
    [" 1\t", "1"],
    ["\n1\r\n", "1"],
    ["a \t b", "a \t b"],
    ["", ""],
    ["\xe4", "\xe4"],
    [1, "1"],
    [null, "null"],
    [["1", "2"], "1,2"],
  ]) {
    test(
      () => {
        assert_equals(make({ a: given }).get("a"), value);
        assert_equals(make([["a", given]]).get("a"), value);
      },
      `${name}: the value ${JSON.stringify(given)}`,
    );
  }
  test(() => {
    const own = Object.create({ inherited: "1" });
    own.a = "3";
    assert_array_equals([make(own).get("a"), make(own).has("inherited")], ["3", false]);
    assert_throws_js(TypeError, () => make({ [Symbol("a")]: "1" }));
    assert_throws_js(TypeError, () => make({ a: Symbol("b") }));
  }, `${name}: what counts of an object`);
  test(() => {
    for (const key of ["__proto__", "constructor", "toString"]) {
      assert_false(make({}).has(key));
      assert_equals(make([[key, "1"]]).get(key), "1");
    }
  }, `${name}: names of members`);
  test(() => {
    const thrown = new Error("own");
    const throwing = () => {
      throw thrown;
    };
    const init = Object.defineProperty({}, "a", { enumerable: true, get: throwing });
    assert_throws_exactly(thrown, () => make(init));
    assert_throws_exactly(thrown, () => make({ [Symbol.iterator]: throwing }));
  }, `${name}: what an object throws`);
  test(() => {
    const headers = make([["a", "1"], ["b", "2"]]); // biome-ignore format: one line
    const seen = [];
    for (const [key] of headers) {
      seen.push(key);
      headers.delete("b");
    }
    assert_true(seen.includes("a") && !seen.includes("b"));
  }, `${name}: changed while they are read`);
}
