// An HTTP server for tests with limits so small that each can be reached within a second.
import { HTTPServer } from "waterspout";

const BLOCK = Buffer.alloc(64 * 1024, "x");

export default new HTTPServer(
  async (request) => {
    if (request.path === "/unread") return request.respond(200, {}, "unread");
    if (request.path !== "/big") return request.respond(200, {}, await request.readBody());
    const { connection } = request;
    connection.writeHeaders(200, {});
    try {
      for (let i = 0; i < 1024; i++) await connection.write(BLOCK);
      connection.finish();
    } catch {
      console.error("the client of /big is gone");
    }
  },
  {
    connectionsMax: 20,
    headBytesMax: 2000,
    bodyBytesMax: 1000,
    headerTimeoutMs: 400,
    idleTimeoutMs: 400,
    bodyTimeoutMs: 400,
    bodyRateBytesMin: 5,
    writeTimeoutMs: 400,
    writeRateBytesMin: 100_000,
    requestsMax: 10,
  },
);
