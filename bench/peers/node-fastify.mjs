// The peer that answers by Fastify on Node's own http.
// Usage: node bench/peers/node-fastify.mjs PORT

import Fastify from "fastify";

const application = Fastify({ logger: false, keepAliveTimeout: 0 });
application.get("/", (_request, reply) => reply.type("text/plain").send("Hello, world"));
await application.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
