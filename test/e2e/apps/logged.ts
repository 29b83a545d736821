// A server that asks for its access log as text; its handler answers /fail with an error and /wait never.
import { HTTPServer, type HTTPServerRequest } from "waterspout";

function handle(request: HTTPServerRequest): void {
  if (request.path === "/fail") throw new Error("failed on purpose");
  if (request.path === "/wait") return;
  request.respond(200, { "Content-Type": "text/plain" }, "Hello, world");
}

export default new HTTPServer(handle, { accessLog: "text" });
