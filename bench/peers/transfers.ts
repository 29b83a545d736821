// Large bodies, as a TypeScript application: what bench/sandboxed/transfers.ts answers.
import { setImmediate as nextTurn } from "node:timers/promises";
import { HTTPServer, type HTTPServerRequest } from "waterspout";

const TEXT = { "Content-Type": "text/plain" };
const PIECE = Buffer.alloc(65_536, "x");
const SIZES = new Map([
  ["/download/1m", 2 ** 20],
  ["/download/1g", 2 ** 30],
]);

async function handle(request: HTTPServerRequest): Promise<void> {
  const { path } = request;
  const size = SIZES.get(path);
  if (size !== undefined) return download(request, size);
  if (path === "/upload") return upload(request);
  if (path === "/pieces") return pieces(request);
  request.respond(path === "/" ? 200 : 404, TEXT, path === "/" ? "Hello, world" : "Not Found");
}

async function download({ connection }: HTTPServerRequest, bytes: number): Promise<void> {
  connection.writeHeaders(200, { ...TEXT, "Content-Length": String(bytes) });
  for (let left = bytes; left > 0; left -= PIECE.length) await connection.write(PIECE);
  connection.finish();
}

async function pieces({ connection }: HTTPServerRequest): Promise<void> {
  connection.writeHeaders(200, TEXT);
  for (let left = 8; left > 0; left--) {
    await connection.write(PIECE.subarray(0, 64));
    await nextTurn();
  }
  connection.finish();
}

async function upload(request: HTTPServerRequest): Promise<void> {
  let bytes = 0;
  for await (const chunk of request.body) bytes += chunk.length;
  request.respond(200, TEXT, String(bytes));
}

export default new HTTPServer(handle, { bodyBytesMax: Number.MAX_SAFE_INTEGER });
