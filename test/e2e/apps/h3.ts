// An h3 application of some size, for whatever server: given to Node's own and to ours by test/e2e/h3.test.ts.
import { setTimeout as sleep } from "node:timers/promises";
import {
  createEventStream,
  defineHandler,
  deleteCookie,
  getCookie,
  getQuery,
  H3,
  HTTPError,
  onError,
  onResponse,
  readBody,
  readValidatedBody,
  redirect,
  setCookie,
} from "h3";

interface User {
  name: string;
  age: number;
}

function validUser(body: unknown): User {
  const { name, age } = (body ?? {}) as Partial<User>;
  if (typeof name !== "string" || typeof age !== "number") throw new HTTPError({ status: 422, message: "no user" });
  return { name, age };
}

function usersApp(): H3 {
  const users = new Map<string, User>([["1", { name: "Ada", age: 36 }]]);
  return new H3()
    .get("/", () => Object.fromEntries(users))
    .get("/:id", ({ context }) => {
      const user = users.get(context.params?.id ?? "");
      if (user === undefined) throw new HTTPError({ status: 404, message: "nobody", data: { id: context.params?.id } });
      return user;
    })
    .post("/", async (event) => {
      const user = await readValidatedBody(event, validUser);
      event.res.status = 201;
      event.res.headers.set("location", "/users/2");
      return user;
    })
    .delete("/:id", (event) => {
      event.res.status = 204;
      return null;
    });
}

function bodies(app: H3): void {
  app.post("/text", async (event) => `${(await event.req.text()).length} characters`);
  app.post("/bytes", async (event) => new Uint8Array(await event.req.arrayBuffer()).toReversed());
  app.post("/echo", (event) => new Response(event.req.body, { headers: { "x-echo": "yes" } }));
  app.post("/twice", async (event) => {
    const copy = event.req.clone();
    return { first: await event.req.json(), second: await copy.json(), used: event.req.bodyUsed };
  });
  app.post("/form", async (event) => {
    const form = await event.req.formData();
    const file = form.get("file") as File;
    return { text: form.get("text"), name: file.name, size: file.size };
  });
  app.post("/urlencoded", (event) => readBody(event));
}

function streams(app: H3): void {
  app.get("/events", (event) => {
    const events = createEventStream(event);
    void (async () => {
      for (let id = 0; id < 3; id++) await events.push({ id: String(id), data: `event ${id}` });
      await events.close();
    })();
    return events.send();
  });
  app.get("/stream", () => {
    return new ReadableStream({
      async start(controller) {
        for (let i = 0; i < 3; i++) {
          controller.enqueue(new TextEncoder().encode(`piece ${i}\n`));
          await sleep(1);
        }
        controller.close();
      },
    });
  });
  app.get("/big", () => new Response("x".repeat(1_000_000)));
  app.get("/blob", () => new Response(new Blob(["a blob"], { type: "text/x-blob" })));
}

function plain(app: H3): void {
  app.get("/", (event) => `hello ${getQuery(event).name ?? "world"}`);
  app.all("/about/**:rest", (event) => {
    const { method, url, headers } = event.req;
    const { pathname, search } = event.url;
    const agent = headers.get("user-agent");
    const twice = headers.get("x-twice");
    return { method, path: new URL(url).pathname, pathname, search, agent, twice, rest: event.context.params?.rest };
  });
  app.get("/cookies", (event) => {
    setCookie(event, "a", "1");
    setCookie(event, "b", "2", { httpOnly: true });
    deleteCookie(event, "c");
    return getCookie(event, "seen") ?? "none";
  });
  app.get("/redirect", () => redirect("/", 301));
  app.get("/json", () => Response.json({ at: "once" }, { status: 202, headers: { "x-one": "1" } }));
  app.get("/nothing", () => new Response(null, { status: 204, statusText: "Quite Empty" }));
  app.get("/cached", (event) => {
    event.res.headers.set("etag", '"1"');
    if (event.req.headers.get("if-none-match") === '"1"') event.res.status = 304;
    return event.res.status === 304 ? null : "fresh";
  });
  app.get("/copied", async (event) => {
    const request = new Request(event.req, { headers: { "x-more": "1" } });
    const response = new Response(request.url.split("/").at(-1), { headers: request.headers });
    return [response.clone() instanceof Response, await response.text(), request.headers.get("x-more")];
  });
}

function errors(app: H3): void {
  app.get("/throw", () => {
    throw new HTTPError({ status: 418, statusText: "Teapot", message: "a teapot", headers: { "x-tea": "green" } });
  });
  app.get("/crash", () => {
    throw new Error("not to be shown");
  });
  app.get("/rejects", () => Promise.reject(new HTTPError("later", { status: 503 })));
}

/** The application. `log` gets its errors. */
export function h3App(log: string[] = []): H3 {
  const app = new H3({ silent: true });
  app.use(onError((error) => void log.push(error.message)));
  app.use(onResponse((response) => response.headers.set("x-seen", "response")));
  app.use(async (event, next) => {
    event.res.headers.set("x-order", "1");
    const answer = await next();
    event.res.headers.append("x-order", "2");
    return answer;
  });
  app.use("/private/**", (event) => {
    if (event.req.headers.get("authorization") !== "Bearer yes") throw new HTTPError({ status: 401 });
  });
  app.get("/private/page", () => "shown");
  app.mount("/users", usersApp());
  app.get(
    "/defined",
    defineHandler({
      middleware: [(event) => void event.res.headers.set("x-defined", "1")],
      handler: () => ({ defined: true }),
    }),
  );
  plain(app);
  bodies(app);
  streams(app);
  errors(app);
  return app;
}
