// The reason phrases of the registered status codes: in the status line and on the page of an error, in both languages.
// Reference: the IANA registry of HTTP status codes; 418 is RFC 2324's, which the registry keeps from other use.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ROOT, type Server, start, WAYS } from "./support/ways.js";

const PHRASES: readonly (readonly [number, string])[] = `
200 OK
201 Created
202 Accepted
203 Non-Authoritative Information
204 No Content
205 Reset Content
206 Partial Content
207 Multi-Status
208 Already Reported
226 IM Used
300 Multiple Choices
301 Moved Permanently
302 Found
303 See Other
304 Not Modified
305 Use Proxy
307 Temporary Redirect
308 Permanent Redirect
400 Bad Request
401 Unauthorized
402 Payment Required
403 Forbidden
404 Not Found
405 Method Not Allowed
406 Not Acceptable
407 Proxy Authentication Required
408 Request Timeout
409 Conflict
410 Gone
411 Length Required
412 Precondition Failed
413 Content Too Large
414 URI Too Long
415 Unsupported Media Type
416 Range Not Satisfiable
417 Expectation Failed
418 I'm a Teapot
421 Misdirected Request
422 Unprocessable Content
423 Locked
424 Failed Dependency
425 Too Early
426 Upgrade Required
428 Precondition Required
429 Too Many Requests
431 Request Header Fields Too Large
451 Unavailable For Legal Reasons
500 Internal Server Error
501 Not Implemented
502 Bad Gateway
503 Service Unavailable
504 Gateway Timeout
505 HTTP Version Not Supported
506 Variant Also Negotiates
507 Insufficient Storage
508 Loop Detected
510 Not Extended
511 Network Authentication Required
299 Unknown
306 Unknown
420 Unknown
509 Unknown
599 Unknown
999 Unknown`
  .trim()
  .split("\n")
  .map((line) => [Number(line.slice(0, 3)), line.slice(4)] as const);

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-"));
const module = path.join(folder, "statuses.wasm");
beforeAll(() => {
  const compiler = path.join(ROOT, "node_modules/.bin/asc");
  execFileSync(compiler, ["test/assembly/apps/statuses.ts", "--outFile", module], { cwd: ROOT });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(WAYS)("$name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way, way.demo.endsWith(".wasm") ? module : "test/e2e/apps/statuses.ts");
  });
  afterAll(() => server.stop());

  test("each status has its phrase", async () => {
    const client = await server.connect();
    for (const [status, phrase] of PHRASES) {
      const { reason, body } = await client.send(`GET /${status} HTTP/1.1\r\nHost: x\r\n\r\n`).readResponse();
      expect([status, reason]).toEqual([status, phrase]);
      if (![204, 205, 304].includes(status)) expect(body.toString().replace("&#x27;", "'")).toContain(phrase);
    }
  });
});
