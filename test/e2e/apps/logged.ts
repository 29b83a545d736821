// A server that asks for its access log as text; its handler answers /fail with an error and /wait never.
import { HTTPServer, type HTTPServerRequest } from "waterspout";

/** Requests that are never answered; one that is not referenced would be. */
const waiting: HTTPServerRequest[] = [];

function handle(request: HTTPServerRequest): void {
  if (request.path === "/fail") throw new Error("failed on purpose");
  if (request.path === "/wait") return void waiting.push(request);
  request.respond(200, { "Content-Type": "text/plain" }, "Hello, world");
}

export default new HTTPServer(handle, { accessLog: "text" });
