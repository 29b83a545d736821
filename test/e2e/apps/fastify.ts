// A Fastify application of some size, for whatever server: given to Node's own and to ours by
// test/e2e/nodehandlers.test.ts.
import type http from "node:http";
import { Readable } from "node:stream";

import multipart from "@fastify/multipart";
import fastify, { type FastifyInstance, type FastifyPluginCallback } from "fastify";

const users: FastifyPluginCallback = (app, _options, done) => {
  app.get("/", () => ({ 1: "Ada" }));
  app.get<{ Params: { id: string } }>("/:id", async ({ params }, reply) => {
    if (params.id !== "1") return reply.code(404).send({ error: "no such user" });
    return { id: params.id, name: "Ada" };
  });
  app.post("/", { schema: { body: { type: "object", required: ["name"] } } }, (request, reply) => {
    reply.code(201).header("Location", "/users/2").send(request.body);
  });
  app.delete("/:id", (_request, reply) => void reply.code(204).send());
  done();
};

function routes(app: FastifyInstance): void {
  app.get<{ Querystring: { name?: string } }>("/", ({ query }) => `hello ${query.name ?? "world"}`);
  app.get("/about", ({ method, url, protocol, hostname, headers, raw }) => {
    return {
      method,
      url,
      protocol,
      hostname,
      headers,
      rawHeaders: raw.rawHeaders.length,
      httpVersion: raw.httpVersion,
    };
  });
  app.get("/cookies", (_request, reply) => void reply.header("Set-Cookie", ["a=1", "b=2"]).send("two"));
  app.get("/redirect", (_request, reply) => reply.redirect("/"));
  app.get("/throw", () => {
    throw Object.assign(new Error("a teapot"), { statusCode: 418 });
  });
  app.get("/empty", (_request, reply) => void reply.code(204).send());
  app.get("/stream", (_request, reply) => reply.type("text/plain").send(Readable.from(["a", "b", "c"])));
  app.get("/pipe", () => new Response("b".repeat(100_000), { headers: { "X-From": "fetch" } }));
  app.get("/hijack", (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, ["X-One", "1", "X-Two", "2"]);
    reply.raw.write("raw");
    reply.raw.end();
  });
  app.post("/upload", async (request) => {
    const parts: unknown[] = [];
    for await (const part of request.parts()) {
      if (part.type === "file") parts.push([part.filename, part.mimetype, (await part.toBuffer()).length]);
      else parts.push([part.fieldname, part.value]);
    }
    return parts;
  });
}

/** The application on the server that `factory` makes; Node's own without it. */
export async function fastifyApp(factory?: (handler: http.RequestListener) => http.Server): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: 100_000,
    exposeHeadRoutes: true,
    ...(factory === undefined ? {} : { serverFactory: factory }),
  });
  app.addHook("onSend", async (_request, reply, payload) => {
    reply.header("X-Hook", "sent");
    return payload;
  });
  await app.register(multipart, { limits: { fileSize: 200_000 } });
  await app.register(users, { prefix: "/users" });
  routes(app);
  return app;
}
