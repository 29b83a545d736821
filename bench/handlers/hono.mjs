// The hello as a Hono application, for any server that takes fetch handlers.
import { Hono } from "hono";

export default new Hono().get("/", (context) => context.text("Hello, world"));
