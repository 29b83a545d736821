// The names of Object.prototype (`constructor`, `__proto__`, …) as names of header fields, cookies, arguments, parts of
// a form, groups of a path and trailers: through each interface, both ways.
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Application,
  createServer,
  fetchCallback,
  type HTTPServer,
  type HTTPServerRequest,
  RequestHandler,
  setCookie,
  WebSocketHandler,
} from "waterspout";
import { WebSocket } from "ws";

import { INHERITED } from "../host/support/inherited.js";
import { Client } from "./support/client.js";
import type { Response } from "./support/response.js";

type Pairs = [string, string][];

/** As they travel: names of fields do not tell capitals. */
const EXPECTED: Pairs = INHERITED.map((name, index) => [name.toLowerCase(), `value ${index}`]);
const AS_GIVEN: Pairs = INHERITED.map((name, index) => [name, `value ${index}`]);
const FIELDS = AS_GIVEN.map(([name, value]) => `${name}: ${value}\r\n`).join("");
const COOKIES = AS_GIVEN.map(([name, value]) => `${name}=${value}`).join("; ");
const ARGUMENTS = String(new URLSearchParams(AS_GIVEN));
const PARTS = AS_GIVEN.map(
  ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
).join("");

const taken = (get: (name: string) => string | null | undefined): Pairs =>
  INHERITED.map((name) => [name, get(name) ?? ""]);

/** One object with all of the names, as its own. */
const object = (): Record<string, string> => Object.fromEntries(AS_GIVEN);

class Everything extends RequestHandler {
  override async post(groups: Record<string, string>): Promise<void> {
    for (const [name, value] of AS_GIVEN) {
      this.setHeader(name, value);
      this.setCookie(name, "x");
    }
    this.write({
      headers: taken((name) => this.request.headers.get(name)),
      cookies: taken((name) => this.getCookie(name)),
      query: taken((name) => this.getQueryArgument(name, null)),
      form: taken((name) => this.getBodyArgument(name, null)),
      groups: taken((name) => groups[name]),
    });
  }
}

class Echo extends WebSocketHandler {
  override open(): void {
    this.writeMessage(JSON.stringify(taken((name) => this.request.headers.get(name))));
  }
  override selectSubprotocol(subprotocols: readonly string[]): string | null {
    return subprotocols[0] ?? null;
  }
}

const fetchers: Record<string, () => globalThis.Response> = {
  "/object": () => new Response("x", { headers: object() }),
  "/pairs": () => new Response("x", { headers: AS_GIVEN }),
  "/headers": () => new Response("x", { headers: new Headers(AS_GIVEN) }),
  "/stream": () => new Response(new Blob(["x"]).stream(), { headers: AS_GIVEN }),
};

async function respond(request: HTTPServerRequest): Promise<void> {
  await request.readBody();
  const headers = { ...object(), "Set-Cookie": AS_GIVEN.map(([name]) => setCookie(name, "x")) };
  request.respond(200, headers, JSON.stringify(taken((name) => request.trailers.get(name))));
}

const application = new Application([
  [`/everything/${INHERITED.map((name) => `:${name}`).join("/")}`, Everything],
  ["/websocket", Echo],
  ["/respond", respond],
  ["/fetch/.*", fetchCallback(({ url }) => (fetchers[new URL(url).pathname.slice(6)] as () => globalThis.Response)())],
  ["/fetch", fetchCallback(({ headers }) => Response.json(taken((name) => headers.get(name))))],
]);

describe.each(["node", "wasmtime"] as const)("%s", (runtime) => {
  let server: HTTPServer;
  beforeAll(async () => {
    server = await application.listen(0, "127.0.0.1", { runtime });
  });
  afterAll(() => server.stop(0));

  const ask = async (bytes: string, port = (server.addresses[0] as { port: number }).port): Promise<Response> => {
    const client = await Client.connect(port);
    const response = await client.send(bytes).readResponse();
    client.close();
    return response;
  };
  const get = (target: string): Promise<Response> => ask(`GET ${target} HTTP/1.1\r\nHost: x\r\n${FIELDS}\r\n`);
  const found = ({ headers }: Response): Pairs => EXPECTED.map(([name]) => [name, headers.get(name) ?? ""]);

  test.each([
    ["application/x-www-form-urlencoded", ARGUMENTS],
    ["multipart/form-data; boundary=b", `${PARTS}--b--\r\n`],
  ])("a RequestHandler, %s", async (type, body) => {
    const path = AS_GIVEN.map(([, value]) => encodeURIComponent(value)).join("/");
    const response = await ask(
      `POST /everything/${path}?${ARGUMENTS} HTTP/1.1\r\nHost: x\r\n${FIELDS}Cookie: ${COOKIES}\r\n` +
        `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const seen = { headers: AS_GIVEN, cookies: AS_GIVEN, query: AS_GIVEN, form: AS_GIVEN, groups: AS_GIVEN };
    expect(JSON.parse(response.body.toString())).toEqual(seen);
    expect(found(response)).toEqual(EXPECTED);
  });

  test("a function, with trailers", async () => {
    const response = await ask(
      `POST /respond HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${FIELDS}\r\n`,
    );
    expect(JSON.parse(response.body.toString())).toEqual(AS_GIVEN);
    expect(found(response)).toEqual(EXPECTED);
  });

  test("a fetch handler's request", async () => {
    expect(JSON.parse((await get("/fetch")).body.toString())).toEqual(AS_GIVEN);
  });

  test.each(Object.keys(fetchers))("a fetch handler's answer: %s", async (shape) => {
    const response = await get(`/fetch${shape}`);
    expect([response.status, response.body.toString()]).toEqual([200, "x"]);
    expect(found(response)).toEqual(EXPECTED);
  });

  test("a websocket", async () => {
    const port = (server.addresses[0] as { port: number }).port;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/websocket`, "constructor", { headers: object() });
    const message = await new Promise((resolve, reject) => socket.on("message", resolve).on("error", reject));
    expect(JSON.parse(String(message))).toEqual(AS_GIVEN);
    expect(socket.protocol).toBe("constructor");
    socket.terminate();
  });

  test("a handler of Node's kind", async () => {
    const node = createServer(
      (request, response) => {
        request.resume().on("end", () => {
          // Node's own object of header fields loses `__proto__`; its other ones have it.
          const { headers, headersDistinct, rawHeaders, trailersDistinct } = request;
          const own = (name: string) => (Object.hasOwn(headers, name) ? String(headers[name]) : null);
          if (request.url === "/set") for (const [name, value] of AS_GIVEN) response.setHeader(name, value);
          if (request.url === "/object") response.writeHead(200, object());
          if (request.url === "/pairs") response.writeHead(200, AS_GIVEN.flat());
          response.end(
            JSON.stringify({
              headers: EXPECTED.map(([name]) => [name, own(name) ?? ""]),
              distinct: EXPECTED.map(([name]) => [name, headersDistinct[name]?.join()]),
              trailers: EXPECTED.map(([name]) => [name, trailersDistinct[name]?.join()]),
              raw: EXPECTED.map(([name]) => [
                name,
                rawHeaders[rawHeaders.findIndex((each) => each.toLowerCase() === name) + 1],
              ]),
            }),
          );
        });
      },
      { runtime },
    ).listen(0);
    await new Promise((resolve) => node.once("listening", resolve));
    try {
      const without = EXPECTED.map(([name, value]) => [name, name === "__proto__" ? "" : value]);
      for (const target of ["/set", "/object", "/pairs"]) {
        const response = await ask(
          `POST ${target} HTTP/1.1\r\nHost: x\r\n${FIELDS}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${FIELDS}\r\n`,
          (node.address() as AddressInfo).port,
        );
        const seen = { headers: without, distinct: EXPECTED, trailers: EXPECTED, raw: EXPECTED };
        expect(JSON.parse(response.body.toString())).toEqual(seen);
        expect(found(response)).toEqual(EXPECTED);
      }
    } finally {
      await new Promise((resolve) => node.close(resolve));
    }
  });
});
