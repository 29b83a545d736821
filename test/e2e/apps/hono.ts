// An application of another framework, as its users write it.
import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { HTTPException } from "hono/http-exception";
import { logger } from "hono/logger";
import { streamSSE } from "hono/streaming";

const users = new Map([["1", { id: "1", name: "Ada" }]]);

const api = new Hono()
  .get("/users/:id", (context) => {
    const user = users.get(context.req.param("id"));
    if (user === undefined) throw new HTTPException(404, { message: "nobody" });
    return context.json(user);
  })
  .post("/users", async (context) => {
    const { name } = await context.req.json<{ name: string }>();
    return context.json({ name }, 201);
  });

const app = new Hono()
  .use(logger((line) => console.error(line)))
  .get("/", (context) => context.text(`hello ${context.req.query("name") ?? "world"}`))
  .get("/cookies", (context) => {
    setCookie(context, "a", "1");
    setCookie(context, "b", "2");
    return context.text(getCookie(context, "seen") ?? "");
  })
  .post("/upload", async (context) => {
    let bytes = 0;
    for await (const block of context.req.raw.body ?? []) bytes += block.length;
    return context.text(String(bytes));
  })
  .post("/form", async (context) => {
    const { file, text } = await context.req.parseBody();
    return context.json({ text, name: (file as File).name, size: (file as File).size });
  })
  .get("/events", (context) =>
    streamSSE(context, async (stream) => {
      for (let id = 0; id < 3; id++) await stream.writeSSE({ data: `event ${id}` });
    }),
  )
  .get("/big", () => new Response(new Uint8Array(3_000_000)))
  .get("/wait", async (context) => {
    const { signal } = context.req.raw;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    console.error("the client of /wait is gone");
    return context.text("late");
  })
  .get(
    "/silent",
    () => new Response(new ReadableStream({ cancel: () => console.error("the silent stream is cancelled") })),
  )
  .get("/broken", () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(10));
      },
      async pull(controller) {
        await sleep(20); // the first piece has left by then
        controller.error(new Error("broken in the middle"));
      },
    });
    return new Response(body, { headers: { "content-length": "20" } });
  })
  .get("/empty", (context) => context.body(null, 204))
  .get(
    "/hop",
    () => new Response("x", { statusText: "Quite Fine", headers: { connection: "upgrade", "keep-alive": "1" } }),
  )
  .route("/api", api);

export default app;
