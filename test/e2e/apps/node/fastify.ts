// A Fastify application as an export, with a plugin that takes its time.
import { setTimeout as sleep } from "node:timers/promises";
import fastify from "fastify";

const app = fastify();
app.register(async (plugin) => {
  await sleep(10);
  plugin.get("/:name", ({ method, url }) => `fastify ${method} ${url}`);
});
export default app;
