// The demo: one handler and a table of routes, each showing one thing that a server must do well.
// examples/sandboxed/demo.ts is the same server as an AssemblyScript application; one suite of tests runs against both.
//
//     waterspout run examples/demo.ts
//     curl -i 'http://127.0.0.1:8888/stream?chunks=3'
import { setTimeout as sleep } from "node:timers/promises";
import { type HTTPServerRequest, WebSocketHandler } from "waterspout";

type Handler = (request: HTTPServerRequest) => void | Promise<void>;

const SLEEP_MS_MAX = 60_000;
const CHUNKS_MAX = 1_000;
const BIG_BYTES_MAX = 16 * 1024 * 1024;
const BLOCK = Buffer.alloc(64 * 1024, "x");

const routes = new Map<string, Map<string, Handler>>([
  ["/", get(hello)],
  ["/echo", new Map([["POST", echo]])],
  ["/slow", get(slow)],
  ["/stream", get(stream)],
  ["/big", get(big)],
  ["/ws", new Map([["GET", ws]])],
]);

/** Routes a request. */
export default function demo(request: HTTPServerRequest): void | Promise<void> {
  const route = routes.get(request.path);
  if (!route) return text(request, 404, "Not Found");
  const handler = route.get(request.method);
  if (!handler) return text(request, 405, "Method Not Allowed", { Allow: [...route.keys()].join(", ") });
  return handler(request);
}

/** `GET /` → `Hello, world` */
function hello(request: HTTPServerRequest): void {
  text(request, 200, "Hello, world");
}

/** `POST /echo` → the same body, once all of it is there; the server itself answers 413 when it is too large. */
async function echo(request: HTTPServerRequest): Promise<void> {
  const body = await request.readBody();
  const type = request.headers.get("content-type") ?? "application/octet-stream";
  request.respond(200, { "Content-Type": type }, body);
}

/** `GET /slow?ms=N` → an answer after N milliseconds; other clients do not wait for it. */
async function slow(request: HTTPServerRequest): Promise<void> {
  const ms = amount(request, "ms", SLEEP_MS_MAX);
  if (ms === null) return badRequest(request);
  await sleep(ms);
  text(request, 200, `slept ${ms} ms`);
}

/** `GET /stream?chunks=N` → N chunks, each sent when the client has taken the one before. */
async function stream(request: HTTPServerRequest): Promise<void> {
  const chunks = amount(request, "chunks", CHUNKS_MAX);
  if (chunks === null) return badRequest(request);
  const { connection } = request;
  connection.writeHeaders(200, { "Content-Type": "text/plain" });
  for (let i = 0; i < chunks; i++) await connection.write(`chunk ${i}\n`);
  connection.finish();
}

/** `GET /big?bytes=N` → N bytes, never more than a block of them in memory, however slow the client is. */
async function big(request: HTTPServerRequest): Promise<void> {
  const bytes = amount(request, "bytes", BIG_BYTES_MAX);
  if (bytes === null) return badRequest(request);
  const { connection } = request;
  connection.writeHeaders(200, { "Content-Type": "text/plain", "Content-Length": String(bytes) });
  for (let left = bytes; left > 0; left -= BLOCK.length) await connection.write(BLOCK.subarray(0, left));
  connection.finish();
}

/** `GET /ws` → a websocket that gives back each message, text or binary, when the client has taken the one before. */
function ws(request: HTTPServerRequest): void {
  Echo.serve(request);
}

class Echo extends WebSocketHandler {
  override onMessage(message: string | Buffer): Promise<void> {
    return this.writeMessage(message);
  }
}

/** What is there to be fetched; the server leaves out the body of an answer to HEAD. */
function get(handler: Handler): Map<string, Handler> {
  return new Map([
    ["GET", handler],
    ["HEAD", handler],
  ]);
}

function text(request: HTTPServerRequest, status: number, body: string, headers: Record<string, string> = {}): void {
  request.respond(status, { "Content-Type": "text/plain", ...headers }, body);
}

function badRequest(request: HTTPServerRequest): void {
  text(request, 400, "Bad Request");
}

/** A parameter that must be a decimal number from 0 to `max`; null when it is anything else. */
function amount(request: HTTPServerRequest, name: string, max: number): number | null {
  const value = request.query.get(name) ?? "";
  return /^\d{1,9}$/.test(value) && Number(value) <= max ? Number(value) : null;
}
