// An HTTP server for tests of limited memory, with its bounds as they are by default: uploads are held until a request
// says "end".
import { EventEmitter, once } from "node:events";

import { HTTPServer } from "waterspout";

const ends = new EventEmitter().setMaxListeners(0);

const server: HTTPServer = new HTTPServer(async (request) => {
  if (request.path === "/bound") return request.respond(200, {}, String(server.options.bodiesBytesMax));
  if (request.path === "/held") return request.respond(200, {}, String(ends.listenerCount("end")));
  if (request.path === "/end") ends.emit("end");
  const body = await request.readBody();
  if (request.path === "/hold") await once(ends, "end");
  request.respond(200, {}, String(body.length));
});

export default server;
