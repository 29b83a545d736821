// The smallest HTTP server: one function that answers every request.
//
//     waterspout run examples/hello.ts
//     curl -i http://127.0.0.1:8888/
import type { HTTPServerRequest } from "waterspout";

export default function hello(request: HTTPServerRequest): void {
  request.respond(200, { "content-type": "text/plain" }, "Hello, world");
}
