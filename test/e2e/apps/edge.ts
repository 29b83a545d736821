// An application that needs nothing of Node: it answers the same under the command and as a component.
import { Hono } from "hono";

const app = new Hono()
  .get("/users/:id", (context) => context.json({ id: context.req.param("id"), agent: context.req.header("x-agent") }))
  .post("/users", async (context) => {
    const { name } = await context.req.json<{ name: string }>();
    return context.json({ name }, 201);
  });

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
let visits = 0;
const kept: Request[] = [];
let isTicking = false;

const routes: Record<string, (request: Request, url: URL) => Response | Promise<Response>> = {
  "/": () => new Response("Hello, world"),
  "/visits": () => new Response(String(++visits)),
  "/json": ({ method }, { searchParams }) => Response.json({ method, q: searchParams.getAll("q") }),
  "/address": ({ url }) => new Response(url),
  "/text": async (request) => new Response(`${(await request.text()).length} characters`),
  "/echo": ({ body }) => new Response(body),
  "/fields": ({ headers }) => {
    const answer = new Headers({ "x-seen": headers.get("x-sent") ?? "" });
    answer.append("keep-alive", "timeout=7");
    answer.append("set-cookie", "a=1");
    answer.append("set-cookie", "b=ü");
    return new Response(null, { status: 204, headers: answer });
  },
  "/wait": async (_, { searchParams }) => {
    await sleep(Number(searchParams.get("ms")));
    return new Response("waited");
  },
  "/cleared": () => {
    if (!isTicking) setInterval(() => {}, 1000); // comes before those that are cleared
    isTicking = true;
    for (let i = 0; i < 10; i++) clearTimeout(setTimeout(() => {}, 60_000));
    return new Response("cleared");
  },
  "/kept": (request) => {
    kept.push(request);
    return new Response(request.headers.get("host"));
  },
  "/throw": () => {
    throw new Error("on purpose");
  },
  "/reject": () => Promise.reject(new Error("later, on purpose")),
  "/wrong": () => "no response" as unknown as Response,
  "/pieces": () => {
    let piece = 0;
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
      await sleep(1);
      controller.enqueue(new TextEncoder().encode(`piece ${piece}\n`));
      if (++piece === 5) controller.close();
    };
    return new Response(new ReadableStream({ pull }));
  },
  "/broken": () => {
    const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
      controller.enqueue(new Uint8Array(10));
      sleep(20).then(() => controller.error(new Error("in the middle")));
    };
    return new Response(new ReadableStream({ start }));
  },
  "/gone": ({ signal }) =>
    new Promise<Response>((resolve) => {
      console.error("here");
      signal.addEventListener("abort", () => {
        console.error(`gone: ${(signal.reason as Error).name}`);
        resolve(new Response());
      });
    }),
};

export default {
  fetch(request: Request): Response | Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/users")) return app.fetch(request);
    return routes[url.pathname]?.(request, url) ?? new Response("nothing here", { status: 404 });
  },
};
