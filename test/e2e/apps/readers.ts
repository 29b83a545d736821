// An HTTP server for tests with readers that do not read: answers of 10 MB, in the ways in which handlers write them,
// and the counters of its sandbox.
import { HTTPServer } from "waterspout";

const WHOLE = Buffer.alloc(10 << 20, "x");
const PIECE = WHOLE.subarray(0, 16 << 10);
const PIECES = WHOLE.length / PIECE.length;

const server: HTTPServer = new HTTPServer(async (request) => {
  const { connection, path } = request;
  if (path === "/stats") return request.respond(200, {}, JSON.stringify(await server.stats()));
  if (path === "/whole") return request.respond(200, {}, WHOLE);
  if (path === "/stream") return new Response(ReadableStream.from(new Array(PIECES).fill(PIECE)));
  connection.writeHeaders(200);
  if (path === "/awaited") for (let i = 0; i < PIECES; i++) await connection.write(PIECE);
  else for (let i = 0; i < PIECES; i++) connection.write(PIECE).catch(() => {});
  connection.finish();
});

export default server;
