// An HTTP handler for tests: handlers that fail in each way that there is, and one that answers with what it was given.
import { EventEmitter, once } from "node:events";
import type { HTTPServerRequest } from "waterspout";

/** What `GET /go` does for `POST /later`. */
const starter = new EventEmitter();

export default async function handle(request: HTTPServerRequest): Promise<void> {
  switch (request.path) {
    case "/throw":
      throw new Error("thrown by the handler");
    case "/late":
      request.connection.writeHeaders(200, { "content-type": "text/plain" });
      await request.connection.write("a part of the answer\n");
      throw new Error("thrown in the middle of the answer");
    case "/inject":
      return request.respond(200, { "x-name": "value\r\nset-cookie: stolen=1" }, "injected");
    case "/twice":
      request.respond(200, {}, "first");
      return request.respond(200, {}, "second");
    case "/empty":
      return request.respond(204);
    case "/count": {
      let bytes = 0;
      for await (const chunk of request.body) bytes += chunk.length;
      return request.respond(200, {}, String(bytes));
    }
    case "/wait":
      await once(request.signal, "abort");
      return console.error("the client of /wait is gone");
    case "/later":
      await once(starter, "go");
      await request.readBody().catch((error) => console.error(`the body of /later: ${error.code}`));
      return request.respond(200);
    case "/trailers":
      await request.readBody();
      return request.respond(200, {}, JSON.stringify([...request.trailers]));
    case "/bounded":
      request.connection.setMaxBodySize(10);
      return request.respond(200, {}, await request.readBody());
    case "/hurried":
      request.connection.setBodyTimeout(50);
      return request.respond(200, {}, await request.readBody());
    case "/go":
      starter.emit("go");
      return request.respond(200);
    default:
      return request.respond(200, { "content-type": "application/json" }, await describe(request));
  }
}

async function describe(request: HTTPServerRequest): Promise<string> {
  const { method, target, path, version, remoteAddress } = request;
  const query = [...request.query];
  const headers = [...request.headers.entries()];
  const body = (await request.readBody()).toString("latin1");
  return JSON.stringify({ method, target, path, version, remoteAddress, query, headers, body });
}
