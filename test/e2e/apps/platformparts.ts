// Questions to the parts of the platform that only some applications have, after web-platform-tests: the same answers in
// Node and in a component.
import type { webcrypto } from "node:crypto";

type Answer = unknown;

/** The error's kind, or what came. */
const outcome = async (run: () => unknown): Promise<Answer> => {
  try {
    return ["no error", await run()];
  } catch (error) {
    return error instanceof DOMException ? error.name : (error as Error).constructor.name;
  }
};
const numbers = (bytes: ArrayBuffer | Uint8Array): number[] => [...new Uint8Array(bytes)];

// wpt: WebCryptoAPI/digest
const digests = async (): Promise<Answer> => {
  const sizes = [0, 1, 55, 56, 63, 64, 111, 112, 128, 1000];
  const all: Answer[] = [];
  for (const name of ["SHA-1", "sha-256", "SHA-384", "Sha-512"]) {
    for (const size of sizes) {
      const bytes = Uint8Array.from({ length: size }, (_, index) => index * 7);
      all.push([name, size, numbers(await crypto.subtle.digest(name, bytes))]);
    }
  }
  const part = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
  return [
    all,
    numbers(await crypto.subtle.digest({ name: "SHA-256" }, part)),
    numbers(await crypto.subtle.digest("SHA-256", part.slice().buffer)),
    numbers(await crypto.subtle.digest("SHA-256", new DataView(part.buffer, 1, 3))),
    await outcome(() => crypto.subtle.digest("MD5", part)),
    await outcome(() => crypto.subtle.digest("SHA-256", "text" as unknown as Uint8Array<ArrayBuffer>)),
  ];
};

const bytesOfText = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

// wpt: WebCryptoAPI/sign_verify/hmac, and RFC 4231
const macs = async (): Promise<Answer> => {
  const keys = [bytesOfText("Jefe"), new Uint8Array(20).fill(0x0b), new Uint8Array(131).fill(0xaa)];
  const message = bytesOfText("what do ya want for nothing?");
  const all: Answer[] = [];
  const keyOf = (
    bytes: Uint8Array<ArrayBuffer>,
    hash: string,
    usages: string[],
    isOpen = false,
  ): Promise<webcrypto.CryptoKey> =>
    crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash }, isOpen, usages as never);
  for (const hash of ["SHA-1", "SHA-256", "sha-384", "SHA-512"]) {
    for (const bytes of keys) {
      const key = await keyOf(bytes, hash, ["sign", "verify"]);
      const mac = await crypto.subtle.sign("HMAC", key, message);
      const [right, wrong] = [new Uint8Array(mac), new Uint8Array(mac.slice(0)).fill(0, 3)];
      const isRight = (signature: Uint8Array<ArrayBuffer>): Promise<boolean> =>
        crypto.subtle.verify("HMAC", key, signature, message);
      all.push([hash, numbers(mac), await isRight(right), await isRight(wrong), await isRight(right.slice(1))]);
    }
  }
  const { type, extractable, usages, algorithm } = await keyOf(bytesOfText("abc"), "SHA-256", ["sign"], true);
  const signing = await keyOf(bytesOfText("abc"), "SHA-256", ["sign"], true);
  const made = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-512" }, true, ["sign"]);
  return [
    all,
    [type, extractable, usages, algorithm, String(signing)],
    numbers(await crypto.subtle.exportKey("raw", signing)),
    (await crypto.subtle.exportKey("raw", made)).byteLength,
    await outcome(() => crypto.subtle.verify("HMAC", signing, message, message)),
    await outcome(() => keyOf(message, "SHA-1", [])),
    await outcome(() => keyOf(message, "SHA-1", ["encrypt"])),
    await outcome(() => keyOf(message, "MD5", ["sign"])),
    await outcome(() => keyOf(new Uint8Array(0), "SHA-1", ["sign"])),
  ];
};

const FORMATS = ["gzip", "deflate", "deflate-raw"] as const;

/** Node's errors of zlib have no kind of their own. */
const fails = async (run: () => unknown): Promise<boolean> => typeof (await outcome(run)) === "string";

// wpt: compression
const codings = async (): Promise<Answer> => {
  const through = async (body: string | Uint8Array<ArrayBuffer>, coding: object): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(
      await new Response((new Response(body).body as ReadableStream).pipeThrough(coding as never)).arrayBuffer(),
    );
  const text = "expected output, ".repeat(5000);
  // zlib's
  const given = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 75, 4, 0, 67, 190, 183, 232, 1, 0, 0, 0];
  const decoded = (bytes: number[]): Promise<Answer> =>
    outcome(async () => numbers(await through(new Uint8Array(bytes), new DecompressionStream("gzip"))));
  return [
    await Promise.all(
      FORMATS.map(async (format) => {
        const small = await through(text, new CompressionStream(format));
        const whole = await through(small.slice(), new DecompressionStream(format));
        const isWhole = new TextDecoder().decode(whole) === text;
        const cut = through(small.slice(0, small.length >> 1), new DecompressionStream(format));
        return [format, small.length < 1000, isWhole, await fails(() => cut)];
      }),
    ),
    await decoded(given),
    await fails(() => through(new Uint8Array(given.with(0, 30)), new DecompressionStream("gzip"))),
    numbers(await through(await through("", new CompressionStream("gzip")), new DecompressionStream("gzip"))),
    await outcome(() => new CompressionStream("br-x" as never)),
    await outcome(() => new DecompressionStream("GZIP" as never)),
  ];
};

/** Whether the first piece of what comes of `small` is a part of it only, and why the rest is given up. */
export const inflatedAhead = async (small: ArrayBuffer): Promise<Answer> => {
  const { readable, writable } = new DecompressionStream("deflate-raw");
  const writing = writable.getWriter().write(small as never);
  const reader = readable.getReader();
  const { value } = await reader.read();
  await reader.cancel(new Error("enough"));
  return [value !== undefined && value.length < 1 << 20, await outcome(() => writing)];
};

// wpt: FileAPI/blob, FileAPI/file
const blobs = async (): Promise<Answer> => {
  const blob = new Blob(["ä", new Uint8Array([1, 2]), new Blob(["x"]), new DataView(new ArrayBuffer(1)), 5 as never], {
    type: "Text/PLAIN; x=Y",
  });
  const file = new File(["abc"], "na/me\ud800.txt", { type: "a/b", lastModified: 7 });
  const slices = [[], [1], [1, 3], [-2], [0, -1], [3, 1], [0, 100], [2, 3, "A/B"]] as [number?, number?, string?][];
  return [
    [blob.size, blob.type, numbers(await blob.arrayBuffer()), await blob.text(), String(blob)],
    await Promise.all(
      slices.map(async (given) => {
        const slice = blob.slice(...given);
        return [slice.size, slice.type, numbers(await slice.arrayBuffer())];
      }),
    ),
    [file.name, file.type, file.size, file.lastModified, file instanceof Blob, String(file)],
    await new Response(blob.stream()).text(),
    [new Blob([]).size, new Blob([]).type, new Blob(["a"], { type: "\u00e9" }).type, await new Blob(["\ud800"]).text()],
    await outcome(() => new Blob("text" as never)),
    await outcome(() => new (File as unknown as new (parts: string[]) => File)(["x"])),
    [new Response(blob).headers.get("content-type"), await new Response(blob).text()],
    [new Response(new Blob(["x"])).headers.get("content-type")],
    await new Response("abc", { headers: { "content-type": "a/b" } }).blob().then(({ size, type }) => [size, type]),
  ];
};

const entriesOf = (form: FormData): Promise<Answer[]> =>
  Promise.all(
    Array.from(form, async ([name, value]) =>
      typeof value === "string" ? [name, value] : [name, value.name, value.type, numbers(await value.arrayBuffer())],
    ),
  );

// wpt: xhr/formdata
const forms = async (): Promise<Answer> => {
  const form = new FormData();
  form.append("a", "1");
  form.append("b", "x\ny");
  form.append("a", "2");
  form.append("c", new Blob(["abc"], { type: "a/b" }));
  form.append("c", new Blob(["abc"]), "named");
  form.append("d", new File(["d"], "d.txt"), "other.txt");
  form.append("e", 5 as never);
  const before = await entriesOf(form);
  form.set("a", "3");
  form.set("new", "\ud800");
  form.delete("b");
  form.delete("missing");
  return [
    before,
    await entriesOf(form),
    [form.get("a"), form.get("none"), form.getAll("c").length, form.has("b"), form.has("d")],
    [[...form.keys()], [...form.values()].length, String(form)],
    await outcome(() => form.append("x", "text" as never, "name")),
    await outcome(() => new (FormData as unknown as new (form: object) => FormData)({})),
  ];
};

const FORM = "multipart/form-data; boundary=edge";
const read = (body: string | URLSearchParams, type: string): Promise<Answer> =>
  outcome(async () => entriesOf(await new Response(body, { headers: { "content-type": type } }).formData()));
const part = (head: string, content: string): string => `--edge\r\n${head}\r\n\r\n${content}\r\n`;
const field = (name: string, content: string): string =>
  part(`Content-Disposition: form-data; name="${name}"`, content);

// wpt: fetch/api/body/formdata, and what other readers of forms get wrong
const multipart = async (): Promise<Answer> => {
  const form = new FormData();
  form.append('quo"te\r\n', "line\nline\rline\r\n");
  form.append("empty", "");
  form.append("ä", new File([new Uint8Array([0, 13, 10, 45, 45, 255])], 'fi"le\n.bin', { type: "" }));
  form.append("text", new File(["ü"], "ü.txt", { type: "text/x" }));
  const sent = new Response(form);
  const type = sent.headers.get("content-type") ?? "";
  const boundary = type.slice(type.indexOf("=") + 1);
  const text = await sent.clone().text();
  const request = new Request("http://a/", { method: "POST", body: form });
  return [
    type.replace(boundary, "BOUNDARY"),
    text.replaceAll(boundary, "BOUNDARY").trimEnd(),
    await entriesOf(await sent.formData()),
    await entriesOf(await request.formData()),
    await read(`${field("a", "1")}${field("a", "2")}--edge--\r\n`, FORM),
    await read(`${field("a", "--edge")}--edge--`, 'Multipart/Form-Data; charset=utf-8; boundary="edge"'),
    await read(
      `${part('content-disposition: form-data; name="f"; filename="x"\r\nContent-Type: a/b', "")}--edge--`,
      FORM,
    ),
    await read(`${part('Content-Disposition: form-data; name="f"; filename="x"', "\r\n")}--edge--`, FORM),
    await read("--edge--", FORM),
    await read(field("a", "1"), FORM),
    await read("", FORM),
    await read(`${part("Content-Type: text/plain", "1")}--edge--`, FORM),
    await read(`${part("Content-Disposition: form-data", "1")}--edge--`, FORM),
    await read(`${field("a", "1")}--edge--`, "multipart/form-data"),
    await read(`${field("a", "1")}--edge--`, "text/plain"),
    await read("a=1&b=%C3%BC+x&a=2", "application/x-www-form-urlencoded;charset=UTF-8"),
    await read(new URLSearchParams({ x: "y z" }), "application/x-www-form-urlencoded"),
    await outcome(() => new Response("x").formData()),
  ];
};

interface Pattern {
  exec(url: string): { pathname: { groups: Record<string, string | undefined> } } | null;
}
declare const URLPattern: new (pattern: object | string, base?: string) => Pattern;

const PATTERNS: [pattern: object | string, url: string, groups: Record<string, string> | null][] = [
  [{ pathname: "/users/:id" }, "http://a/users/7", { id: "7" }],
  [{ pathname: "/users/:id" }, "http://a/users/7/x", null],
  [{ pathname: "/files/*" }, "http://a/files/a/b", { 0: "a/b" }],
  [{ pathname: "/:year(\\d+)/:name?" }, "https://b/2026", { year: "2026" }],
  [{ pathname: "/:year(\\d+)/:name?" }, "https://b/x/y", null],
  [{ hostname: ":sub.example.org", pathname: "/" }, "https://www.example.org/", {}],
  ["https://a/:x", "https://a/1", { x: "1" }],
  ["https://a/:x", "http://a/1", null],
];

// wpt: urlpattern. Node has it from 24 on.
const patterns = (): Answer =>
  "URLPattern" in globalThis
    ? PATTERNS.map(([pattern, url]) => {
        const groups = new URLPattern(pattern).exec(url)?.pathname.groups;
        return groups === undefined ? null : JSON.parse(JSON.stringify(groups));
      })
    : PATTERNS.map(([, , groups]) => groups);

/** How many parts are read of a form of so many. */
export const partsOf = (count: number): Promise<Answer> =>
  outcome(async () => {
    const body = `${field("a", "1").repeat(count)}--edge--`;
    return [...(await new Response(body, { headers: { "content-type": FORM } }).formData())].length;
  });

export const partQuestions = { digests, macs, codings, blobs, forms, multipart, patterns };
