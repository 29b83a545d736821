// For tests of what the host holds for readers that do not read: answers of 10 MB in pieces of 64 KiB, and how much
// memory all pieces take that can still be reached. The environment's ANSWERS chooses the kind of handler.
import { once } from "node:events";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Application, HTTPServer, type HTTPServerRequest, RequestHandler, StaticFileHandler } from "waterspout";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const PIECE_BYTES = 64 << 10;
const PIECES = 160;
const folder = mkdtempSync(join(tmpdir(), "waterspout-unread-"));
process.once("exit", () => rmSync(folder, { recursive: true }));
const file = join(folder, "file");
// No two blocks are the same.
writeFileSync(file, Buffer.from(Uint32Array.from({ length: (PIECES * PIECE_BYTES) / 4 }, (_, index) => index).buffer));

/** A body whose stream reads ahead, by one piece unless it is one of `bytes`. */
function body(type?: "bytes"): ReadableStream<Uint8Array> {
  let left = PIECES;
  const pull = (controller: { enqueue(piece: Uint8Array): void; close(): void }) => {
    controller.enqueue(new Uint8Array(PIECE_BYTES));
    if (--left === 0) controller.close();
  };
  return type === undefined ? new ReadableStream({ pull }) : new ReadableStream({ type, pull });
}

/** Bytes of memory for pieces that can still be reached, here and in the sandbox. */
async function memory(): Promise<string> {
  collect();
  const bytes = process.memoryUsage().arrayBuffers;
  const stats = await server?.stats();
  return String(bytes + (stats?.bufferBytes ?? 0));
}

async function answer(request: HTTPServerRequest): Promise<Response> {
  if (request.path === "/memory") return new Response(await memory());
  return new Response(body(request.path === "/bytes" ? "bytes" : undefined));
}

async function answerAsNode(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === "/memory") return void response.end(await memory());
  if (request.url === "/pipe") return void createReadStream(file).pipe(response);
  const write = (): boolean => response.write(new Uint8Array(PIECE_BYTES)); // no variable has it while it waits
  for (let i = 0; i < PIECES; i++) if (!write()) await once(response, "drain");
  response.end();
}

class Memory extends RequestHandler {
  override async get(): Promise<void> {
    this.write(await memory());
  }
}

const application = new Application([
  ["/memory", Memory],
  ["/(.*)", StaticFileHandler, { path: folder }],
]);

const kind = process.env.ANSWERS;
const server = kind === "node" ? null : new HTTPServer(kind === "files" ? application : answer);

export default server ?? answerAsNode;
