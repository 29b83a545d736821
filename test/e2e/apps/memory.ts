// An HTTP server for tests whose sandbox has so little memory that a hundred clients can use it up.
import { EventEmitter, once } from "node:events";

import { HTTPServer } from "waterspout";

const ends = new EventEmitter().setMaxListeners(0);

export default new HTTPServer(
  async (request) => {
    if (request.path === "/held")
      await once(ends, "end"); // of the body no more than a window is taken
    else if (request.path === "/end") ends.emit("end");
    else if (request.path === "/kept") {
      await request.readBody();
      await once(ends, "end");
    } else if (request.path === "/read") for await (const _block of request.body);
    else return request.respond(200, {}, await request.readBody());
    request.respond(200, {}, "held");
  },
  { memoryBytesMax: 2 << 20, bodiesBytesMax: 600_000 },
);
