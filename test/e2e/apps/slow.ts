// An HTTP server for tests with slow clients: limits of about two seconds, and a count of those that did not read their
// answer.
import { HTTPServer } from "waterspout";

const BLOCK = Buffer.alloc(64 * 1024, "x");
const BLOCKS = 128;
let cut = 0;

export default new HTTPServer(
  async (request) => {
    if (request.path === "/cut") return request.respond(200, {}, String(cut));
    if (request.path !== "/big") return request.respond(200, {}, await request.readBody());
    const { connection } = request;
    connection.writeHeaders(200, {});
    try {
      for (let i = 0; i < BLOCKS; i++) await connection.write(BLOCK);
      connection.finish();
    } catch {
      cut++;
    }
  },
  {
    headerTimeoutMs: 2000,
    idleTimeoutMs: 2000,
    bodyTimeoutMs: 2000,
    bodyRateBytesMin: 500,
    writeTimeoutMs: 2000,
    writeRateBytesMin: 500_000,
  },
);
