// Answers of fetch handlers that are unusual, wrong, or another server's; by path.
import type { UnderlyingSource } from "node:stream/web";
import { setTimeout as sleep } from "node:timers/promises";

type Answer = (request: Request) => Response | Promise<Response>;

const TEXT = "good day";
const upstream = process.env.UPSTREAM ?? "";
const from = ({ url, method }: Request) => fetch(upstream + new URL(url).pathname.split("/").at(-1), { method });

const stream = (source: UnderlyingSource) => new ReadableStream(source);
const pieces = (...list: unknown[]) =>
  stream({
    start(controller) {
      for (const piece of list) controller.enqueue(piece);
      controller.close();
    },
  });
const bytes = (text: string) => new TextEncoder().encode(text);

const answers: Record<string, Answer> = {
  "/get": () => Response.json({ message: TEXT }),
  /** As frameworks answer HEAD: the answer to GET without its body. */
  "/head": ({ method }) => {
    const answer = Response.json({ message: TEXT });
    return method === "HEAD" ? new Response(null, answer) : answer;
  },
  "/declared": ({ method }) =>
    new Response(method === "HEAD" ? null : TEXT, { headers: { "Content-Length": String(TEXT.length) } }),
  "/endless": () => new Response(stream({ cancel: () => console.error("the stream of HEAD is cancelled") })),
  "/uncancellable": () => new Response(stream({ cancel: () => Promise.reject(new Error("not cancelled")) })),
  "/hanging": () => new Response(stream({ cancel: () => new Promise(() => {}) })),

  "/proxied": from,
  "/wrapped": async (request) => {
    const answer = await from(request);
    return new Response(answer.body, answer);
  },
  "/merged": async (request) => {
    const { status, headers, body } = await from(request);
    return new Response(body, { status, headers: { ...Object.fromEntries(headers), "x-more": "1" } });
  },
  "/cloned": async (request) => (await from(request)).clone(),

  "/204": () => new Response(null, { status: 204, headers: { "Content-Length": "8", "X-A": "1" } }),
  "/205": () => new Response(null, { status: 205 }),
  "/304": () => new Response(null, { status: 304, headers: { "Content-Length": "8", ETag: '"1"' } }),
  "/204-body": () => new Response(TEXT, { status: 204 }),
  "/error": () => Response.error(),
  "/used": async () => {
    const answer = new Response(TEXT);
    await answer.text();
    return answer;
  },
  "/used-stream": async () => {
    const answer = new Response(pieces(bytes(TEXT)));
    await answer.text();
    return answer;
  },
  "/locked": () => {
    const answer = new Response(pieces(bytes(TEXT)));
    answer.body?.getReader();
    return answer;
  },
  "/pieces": () => new Response(pieces(bytes("good"), bytes(""), bytes(" day"))),
  "/strings": () => new Response(pieces("good", " ", "day")),
  "/objects": () => new Response(pieces({ not: "bytes" })),
  "/objects-later": () => new Response(pieces(bytes("good"), { not: "bytes" })),
  "/breaks": () => new Response(stream({ start: (controller) => controller.error(new Error("broken at once")) })),
  // An answer of one piece that breaks may still be a 500; of this one the head leaves with the second piece.
  "/breaks-later": () => {
    let pulls = 0;
    return new Response(
      stream({
        async pull(controller) {
          if (pulls++ < 2) return controller.enqueue(bytes(TEXT));
          await sleep(1);
          controller.error(new Error("broken later"));
        },
      }),
    );
  },
  "/shorter": () => new Response(pieces(bytes("good")), { headers: { "Content-Length": "8" } }),
  "/longer": () => new Response(pieces(bytes(`${TEXT} ${TEXT}`)), { headers: { "Content-Length": "8" } }),
  "/no-length": () => new Response(TEXT, { headers: { "Content-Length": "eight" } }),
  "/control": () => new Response(TEXT, { headers: { "X-A": "a\u0001b" } }),
  "/control-stream": () => new Response(pieces(bytes(TEXT)), { headers: { "X-A": "a\u0001b" } }),
  "/hop": () => new Response(TEXT, { headers: { Connection: "X-Hop, close", "X-Hop": "1", "X-End": "1" } }),
};

export default {
  fetch(request: Request): Response | Promise<Response> {
    const name = `/${new URL(request.url).pathname.split("/")[1]}`;
    return (answers[name] ?? (() => new Response("nowhere", { status: 404 })))(request);
  },
};
