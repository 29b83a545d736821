// What a component answers, and every server that takes fetch handlers: a hello, JSON, an echo, and a handler that waits.
const TEXT = { headers: { "Content-Type": "text/plain" } };
const WAIT_MS = 10;

const answers: Record<string, (request: Request) => Response | Promise<Response>> = {
  "/": () => new Response("Hello, world", TEXT),
  "/json": () => Response.json({ message: "Hello, world", items: [1, 2, 3] }),
  "/echo": async (request) => new Response(await request.text(), TEXT),
  "/wait": async () => {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    return new Response("waited", TEXT);
  },
};

export default {
  fetch: (request: Request): Response | Promise<Response> =>
    answers[new URL(request.url).pathname]?.(request) ?? new Response("Not Found", { status: 404 }),
};
