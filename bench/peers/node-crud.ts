// The peer of examples/crud.ts: its GET /users on Node's own server, over the same checks, statements and pool of
// connections. Usage: DATABASE_URL=… node --import tsx bench/peers/node-crud.ts PORT
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { checkNumber } from "../../examples/crud/checks.ts";
import { openDatabase } from "../../examples/crud/database.ts";
import { Problem } from "../../examples/crud/problems.ts";
import { Users } from "../../examples/crud/users.ts";

const LIMIT_MAX = 100;
const OFFSET_MAX = 1_000_000;
const FIELDS = { "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff" };

const users = new Users(await openDatabase(process.env, (error) => users.lost(error)), console.error);
await users.prepare();

async function list(query: URLSearchParams): Promise<object> {
  const limit = checkNumber("limit", query.get("limit") ?? "50", 1, LIMIT_MAX);
  const offset = checkNumber("offset", query.get("offset") ?? "0", 0, OFFSET_MAX);
  const found = await users.list(limit + 1, offset);
  const next = offset + limit;
  return { users: found.slice(0, limit), next: found.length > limit && next <= OFFSET_MAX ? next : null };
}

function answer(response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  const fields = { ...FIELDS, "Content-Type": "application/json; charset=UTF-8" };
  response.writeHead(status, { ...fields, "Content-Length": Buffer.byteLength(body) }).end(body);
}

async function handle({ method, url = "/" }: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(url, "http://127.0.0.1");
  try {
    if (pathname !== "/users") answer(response, 404, { error: "Not Found" });
    else if (method !== "GET") answer(response, 405, { error: "Method Not Allowed" });
    else answer(response, 200, await list(searchParams));
  } catch (error) {
    if (error instanceof Problem) answer(response, error.status, { error: error.sentence });
    else answer(response, 500, { error: "Internal Server Error" });
  }
}

createServer((request, response) => void handle(request, response)).listen(Number(process.argv[2]), "127.0.0.1");
