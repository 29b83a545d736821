// Bodies of a Request and a Response, read in every way (fetch.spec.whatwg.org, 5.3).

const MAKERS = [
  ["Request", (body, headers = {}) => new Request("http://a.example/", { method: "POST", body, headers })],
  ["Response", (body, headers = {}) => new Response(body, { headers })],
];
const FORM = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nä\r\n--x--\r\n';
const bytesOf = (text) => new TextEncoder().encode(text);

for (const [kind, make] of MAKERS) {
  for (const [name, body, text] of [
    ["text", () => '{"a":"ä"}', '{"a":"ä"}'],
    ["no text", () => "", ""],
    ["bytes", () => bytesOf("bytes"), "bytes"],
    ["some of a buffer", () => bytesOf("bytes").subarray(1, 3), "yt"],
    ["an ArrayBuffer", () => bytesOf("buffer").buffer, "buffer"],
    ["a Blob", () => new Blob(["a", "b"]), "ab"],
    ["parameters", () => new URLSearchParams({ a: "ä b" }), "a=%C3%A4+b"],
    ["a mark and bytes that are no text", () => new Uint8Array([0xef, 0xbb, 0xbf, 97, 0xff]), "a\ufffd"],
    ["a lone surrogate", () => "\ud800", "\ufffd"],
  ]) {
    promise_test(async () => {
      assert_equals(await make(body()).text(), text);
    }, `${kind} of ${name} as text`);
    promise_test(async () => {
      const buffer = await make(body()).arrayBuffer();
      assert_true(buffer instanceof ArrayBuffer);
      assert_equals(new TextDecoder().decode(buffer), text);
    }, `${kind} of ${name} as a buffer`);
    promise_test(async () => {
      const blob = await make(body(), { "content-type": "A/B" }).blob();
      assert_array_equals(
        [blob.type, await blob.text()],
        ["a/b", new TextDecoder("utf-8").decode(await blob.arrayBuffer())],
      );
    }, `${kind} of ${name} as a Blob`);
    promise_test(async () => {
      if (make("").bytes === undefined) return;
      const bytes = await make(body()).bytes();
      assert_true(bytes instanceof Uint8Array);
      assert_equals(new TextDecoder().decode(bytes), text);
    }, `${kind} of ${name} as bytes`);
    promise_test(async () => {
      const chunks = [];
      for await (const chunk of make(body()).body) chunks.push(chunk);
      assert_equals(new TextDecoder().decode(await new Blob(chunks).arrayBuffer()), text);
    }, `${kind} of ${name} as a stream`);
    promise_test(async (t) => {
      for (const read of ["text", "json", "arrayBuffer", "blob", "formData"]) {
        const read1 = make(body(), { "content-type": "application/x-www-form-urlencoded" });
        assert_false(read1.bodyUsed);
        await read1[read]().catch(() => {});
        assert_true(read1.bodyUsed);
        assert_true(read1.body.locked || read1.bodyUsed);
        await promise_rejects_js(t, TypeError, read1[read]());
        await promise_rejects_js(t, TypeError, read1.text());
      }
    }, `${kind} of ${name} is read once`);
  }
  promise_test(async () => {
    assert_equals((await make('\ufeff{"a":"ä"}').json()).a, "ä");
  }, `${kind} as JSON`);
  promise_test(async (t) => {
    for (const text of ["", "{", "undefined"]) await promise_rejects_js(t, SyntaxError, make(text).json());
  }, `${kind} that is no JSON`);
  promise_test(async () => {
    const form = await make(FORM, { "content-type": "multipart/form-data; boundary=x" }).formData();
    assert_equals(form.get("a"), "ä");
    const parameters = await make("a=%C3%A4&a=2", { "content-type": "application/x-www-form-urlencoded" }).formData();
    assert_array_equals(parameters.getAll("a"), ["ä", "2"]);
  }, `${kind} as a form`);
  promise_test(async (t) => {
    await promise_rejects_js(t, TypeError, make("a=1").formData());
    await promise_rejects_js(t, TypeError, make("a", { "content-type": "multipart/form-data" }).formData());
  }, `${kind} that is no form`);
  promise_test(async (t) => {
    const empty = make(undefined);
    assert_array_equals([empty.body, empty.bodyUsed, await empty.text(), await empty.text()], [null, false, "", ""]);
    assert_array_equals([empty.bodyUsed, (await empty.arrayBuffer()).byteLength], [false, 0]);
    await promise_rejects_js(t, SyntaxError, empty.json());
    await promise_rejects_js(t, TypeError, empty.formData());
  }, `${kind} without a body`);
  promise_test(async (t) => {
    const locked = make("text");
    const reader = locked.body.getReader();
    assert_false(locked.bodyUsed);
    await promise_rejects_js(t, TypeError, locked.text());
    reader.releaseLock();
    assert_equals(await locked.text(), "text");
  }, `${kind} whose body has a reader`);
  promise_test(async (t) => {
    const cancelled = make("text");
    await cancelled.body.cancel();
    assert_true(cancelled.bodyUsed);
    await promise_rejects_js(t, TypeError, cancelled.text());
  }, `${kind} whose body is cancelled`);
  promise_test(async () => {
    const bytes = bytesOf("before");
    const made = make(bytes);
    bytes.fill(97);
    assert_equals(await made.text(), "before");
  }, `${kind} of bytes that change later`);
  promise_test(async () => {
    const made = make("text");
    assert_equals(made.body, made.body);
    const [one, two] = made.body.tee();
    assert_true(made.body.locked);
    assert_array_equals([await new Response(one).text(), await new Response(two).text()], ["text", "text"]);
  }, `${kind} whose body is read twice as a tee`);
}
promise_test(async (t) => {
  const thrown = new Error("own");
  const failing = () => new Response(new ReadableStream({ start: (controller) => controller.error(thrown) }));
  await promise_rejects_exactly(t, thrown, failing().text());
  await promise_rejects_js(
    t,
    TypeError,
    new Response(new ReadableStream({ start: (own) => own.enqueue("text") })).text(),
  );
  const used = new ReadableStream();
  used.getReader();
  assert_throws_js(TypeError, () => new Response(used));
}, "a Response of a stream that fails");
