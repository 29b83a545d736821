// What the platform says to many questions: the same in Node and in a component.
import { inflatedAhead, partQuestions, partsOf } from "./platformparts.js";

type Answer = unknown;

const utf8 = (...bytes: number[]): string => new TextDecoder().decode(new Uint8Array(bytes));
const thrown = (run: () => unknown): string => {
  try {
    return `no error: ${run()}`;
  } catch (error) {
    return (error as Error).constructor.name;
  }
};
const parts = (url: string, base?: string): Answer => {
  const { href, origin, protocol, host, pathname, search, hash } = new URL(url, base);
  return [href, origin, protocol, host, pathname, search, hash];
};

const urls = (): Answer => [
  parts("http://Example.com:80/a/../b/./c?x=1#y"),
  parts("https://user:pw@example.com:8443/%7Efoo/ä?q=ü b"),
  parts("../x?y", "http://a/b/c/d"),
  parts("//other/p", "http://a/b"),
  parts("http://[::1]:8080/"),
  parts("http://192.168.0.1/"),
  thrown(() => new URL("nothing")),
  thrown(() => new URL("http://a b/")),
  URL.canParse("http://a/"),
];

const searches = (): Answer => {
  const search = new URLSearchParams("a=1&b=2&a=3&c=%C3%BC+x");
  search.append("d", "é&=");
  search.delete("b");
  const url = new URL("http://a/?x=1");
  url.searchParams.set("y", "2 3");
  const odd = new URLSearchParams("?a&=b&&c=%zz&d=%ff%41%&e=1=2&a=%F0%9F%98%80&f=%EF%BB%BFx");
  const made = new URLSearchParams([
    ["b", "!~*'()-._ "],
    ["a", "\ud800"],
  ]);
  made.sort();
  const walked = new URLSearchParams("a=1&b=2&c=3");
  for (const name of walked.keys()) walked.delete(name);
  return [
    [...odd],
    [odd.has("a", ""), odd.has("a", "x"), made.toString(), walked.toString()],
    new URLSearchParams({ x: "1", y: "2" }).toString(),
    thrown(() => new URLSearchParams([["a"]] as unknown as [string, string][])),
    [...search],
    search.getAll("a"),
    search.toString(),
    search.size,
    url.href,
  ];
};

const headers = (): Answer => {
  const fields = new Headers([
    ["B", "1"],
    ["a", " x "],
    ["b", "2"],
    ["Set-Cookie", "m=1"],
    ["set-cookie", "n=2"],
  ]);
  fields.set("C", "grün");
  fields.delete("missing");
  return [
    [...fields],
    fields.get("B"),
    fields.get("none"),
    fields.has("A"),
    fields.getSetCookie(),
    thrown(() => fields.set("a b", "1")),
    thrown(() => fields.set("a", "x\ny")),
    thrown(() => fields.set("a", "€")),
    [...new Headers({ x: "1", Y: "2" }).keys()],
    ((made) => {
      made.append("A", "2");
      made.delete("b");
      made.set("c", "");
      const copy = new Headers(made);
      made.delete("a");
      return [[...made], [...copy], copy.get("a"), [...copy.values()]];
    })(new Headers({ a: "1:\t2", b: "c:d" })),
  ];
};

const texts = (): Answer => [
  [...new TextEncoder().encode("aä€😀\ud800")],
  new TextEncoder().encodeInto("ä€", new Uint8Array(4)),
  utf8(0xef, 0xbb, 0xbf, 0x61),
  utf8(0xff, 0x61, 0xe2, 0x82, 0x62, 0xf0, 0x9f, 0x98, 0xc3),
  utf8(0xed, 0xa0, 0x80, 0xc0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0xe0, 0x80, 0x80),
  thrown(() => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xc3]))),
  ((decoder) => [
    decoder.decode(new Uint8Array([0xe2, 0x82]), { stream: true }),
    decoder.decode(new Uint8Array([0xac, 0xc3]), { stream: true }),
    decoder.decode(),
  ])(new TextDecoder()),
  [btoa("hello\xff"), atob("aGVsbG8="), thrown(() => atob("*")), thrown(() => btoa("€"))],
  encodeURIComponent("ü/"),
  thrown(() => JSON.parse("[1,")),
];

const messages = async (): Promise<Answer> => {
  const request = new Request("http://a/b?c", { method: "post", body: "x=ü", headers: { "X-A": "1" } });
  const copy = request.clone();
  const form = new Response(new URLSearchParams({ a: "1 2" }));
  const stream = new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("one "));
        controller.enqueue(new TextEncoder().encode("two"));
        controller.close();
      },
    }),
  );
  const [left, right] = (stream.body as ReadableStream<Uint8Array>).tee();
  return [
    [request.method, request.url, request.headers.get("content-type"), request.bodyUsed],
    [await request.text(), request.bodyUsed, await request.text().catch((error) => (error as Error).constructor.name)],
    [...new Uint8Array(await copy.arrayBuffer())],
    [form.headers.get("content-type"), await form.text()],
    [await new Response(left).text(), await new Response(right).text()],
    [await new Response('{"a":[1]}').json(), new Response(null).body, await new Response(null).text()],
    [new Response("x", { status: 201 }).ok, new Response("", { status: 404 }).ok, Response.json({ a: 1 }).status],
    Response.redirect("http://a/", 303).headers.get("location"),
    thrown(() => new Response("x", { status: 204 })),
    thrown(() => new Response("x", { status: 99 })),
    thrown(() => new Request("http://a/", { method: "TRACE" })),
    thrown(() => new Request("http://a/", { body: "x" })),
    thrown(() => Response.json(undefined)),
    request.signal.aborted,
  ];
};

const order = async (): Promise<Answer> => {
  const seen: string[] = [];
  const all: Promise<void>[] = [];
  const timer = (name: string, ms: number): void => {
    all.push(new Promise((resolve) => setTimeout(() => resolve(void seen.push(name)), ms)));
  };
  timer("late", 60);
  timer("soon", 1);
  timer("next", 1);
  clearTimeout(setTimeout(() => seen.push("never"), 5));
  queueMicrotask(() => seen.push("microtask"));
  seen.push("now");
  let ticks = 0;
  all.push(
    new Promise((resolve) => {
      const interval = setInterval(() => {
        if (++ticks < 3) return;
        clearInterval(interval);
        resolve();
      }, 5);
    }),
  );
  await Promise.all(all);
  return [seen, ticks];
};

const aborts = async (): Promise<Answer> => {
  const controller = new AbortController();
  const { signal } = controller;
  const seen: string[] = [];
  signal.addEventListener("abort", ({ type }) => seen.push(type), { once: true });
  signal.onabort = () => seen.push("property");
  controller.abort();
  controller.abort("again");
  const timeout = AbortSignal.timeout(1);
  await new Promise((resolve) => timeout.addEventListener("abort", resolve));
  return [
    seen,
    (signal.reason as Error).name,
    thrown(() => signal.throwIfAborted()),
    (timeout.reason as Error).name,
    AbortSignal.abort("why").reason,
    AbortSignal.any([new AbortController().signal, signal]).aborted,
  ];
};

const others = (): Answer => {
  const copied = structuredClone({ date: new Date(0), map: new Map([[1, { a: [2] }]]), set: new Set([3]) });
  const random = crypto.getRandomValues(new Uint32Array(4));
  const date = new Date();
  return [
    [copied.date.toISOString(), [...copied.map], [...copied.set]],
    [random.length, new Set(random).size > 1, /^[0-9a-f-]{36}$/.test(crypto.randomUUID())],
    Math.random() < 1,
    [date instanceof Date, Math.abs(date.getTime() - Date.now()) < 60_000, new Date(0).toISOString(), typeof Date()],
    [new Date(2020, 1, 29, 12).getDate(), Date.UTC(2000, 0)],
    performance.now() > 0,
    [3, 1, 2].toSorted(),
    "x".at(-1),
  ];
};

// wpt: encoding/streams
const textStreams = async (): Promise<Answer> => {
  const through = async (pieces: unknown[], coding: object): Promise<unknown[]> => {
    const source = new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    const reader = source.pipeThrough(coding as never).getReader() as ReadableStreamDefaultReader<unknown>;
    const all: unknown[] = [];
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      all.push(next.value instanceof Uint8Array ? [...next.value] : next.value);
    }
    return all;
  };
  const bytes = (...given: number[]): Uint8Array => new Uint8Array(given);
  return [
    await through(["a", "", "ä", 5, "\ud83d", "\ude00!", "\ud800", "x", "\udbff"], new TextEncoderStream()),
    await through([bytes(0xe2, 0x82), bytes(0xac, 97), bytes(), bytes(0xf0, 0x9f)], new TextDecoderStream()),
    [new TextDecoderStream("utf8", { fatal: true }).fatal, new TextEncoderStream().encoding],
    await through([bytes(0xff)], new TextDecoderStream("utf-8", { fatal: true })).catch((error) => error.name),
  ];
};

interface Port {
  onmessage: (event: { type: string; data: unknown }) => void;
  postMessage(value: unknown): void;
  close(): void;
}

// wpt: webmessaging/message-channels, dom/events/CustomEvent
const channels = async (): Promise<Answer> => {
  const { port1, port2 } = new MessageChannel() as unknown as Record<"port1" | "port2", Port>;
  const seen: Answer[] = [];
  const sent = { list: [1, new Date(0)], nested: { a: "b" } };
  port1.postMessage(sent);
  sent.nested.a = "changed";
  port1.postMessage("two");
  const echoed = new Promise<void>((resolve) => {
    port1.onmessage = ({ data }) => {
      seen.push(data);
      resolve();
    };
  });
  port2.onmessage = ({ data, type }) => {
    seen.push([type, JSON.stringify(data)]);
    if (data === "two") port2.postMessage("back");
  };
  seen.push("not yet");
  await echoed;
  port1.close();
  const target = new EventTarget();
  target.addEventListener("own", (event) => seen.push((event as CustomEvent).detail));
  target.dispatchEvent(new CustomEvent("own", { detail: { x: 1 } }));
  return [seen, new CustomEvent("none").detail, thrown(() => structuredClone(() => {}))];
};

/** Whether the platform has what a dotted name says. */
const has = (name: string): boolean => {
  try {
    const value = name.split(".").reduce<unknown>((of, key) => (of as Record<string, unknown>)[key], globalThis);
    return value !== undefined;
  } catch {
    return false;
  }
};

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/fetch") return new Response(typeof fetch); // it is there when it is named
    if (pathname === "/has") return Response.json(searchParams.getAll("name").map((name) => [name, has(name)]));
    if (pathname === "/parts") return Response.json(await partsOf(Number(searchParams.get("count"))));
    if (pathname === "/inflated") return Response.json(await inflatedAhead(await request.arrayBuffer()));
    const questions = {
      channels,
      textStreams,
      urls,
      searches,
      headers,
      texts,
      messages,
      order,
      aborts,
      others,
      ...partQuestions,
    };
    const question = (questions as Record<string, () => Answer>)[pathname.slice(1)];
    return question === undefined ? Response.json(Object.keys(questions)) : Response.json(await question());
  },
};
