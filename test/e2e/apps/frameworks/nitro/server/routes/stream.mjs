import { defineEventHandler } from "h3";
import { stream } from "../../stream.mjs";

export default defineEventHandler((event) => {
  const controller = new AbortController();
  event.node.res.on("close", () => controller.abort());
  return stream(controller);
});
