import { Elysia } from "elysia";
import { stream } from "./stream.mjs";

const page = (name) => new Response(`<h1>Hello ${name}</h1>`);

export default new Elysia()
  .get("/", () => page("you"))
  .post("/", ({ body }) => page(body.name))
  .get("/stream", ({ request }) => stream(request));
