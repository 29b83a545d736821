// What can be done with bodies: streamed, compressed, read as forms. Its server's options come on top of these from the
// environment.
import { createHash, randomBytes } from "node:crypto";
import { HTTPServer, type HTTPServerRequest, parseCookies, setCookie } from "waterspout";

const PLAIN = { "Content-Type": "text/plain" };
const BLOCK = Buffer.alloc(65_536, "x");
/** Longer than gzip looks back: what cannot be compressed. */
const NOISE = randomBytes(65_536);
/** Bytes of the last /source that its peer's connection has taken. */
let given = 0;

type Handler = (request: HTTPServerRequest) => void | Promise<void>;

const handlers: Record<string, Handler> = {
  async "/sink"(request) {
    let bytes = 0;
    for await (const block of request.body) bytes += block.length;
    request.respond(200, PLAIN, `${bytes}`);
  },

  async "/source"({ query, connection }) {
    const bytes = Number(query.get("bytes"));
    const source = query.has("noise") ? NOISE : BLOCK;
    const type = query.get("type") ?? "application/octet-stream";
    connection.writeHeaders(200, { "Content-Type": type, "Content-Length": bytes });
    for (given = 0; given < bytes; ) {
      const block = source.subarray(0, Math.min(source.length, bytes - given));
      await connection.write(block);
      given += block.length;
    }
    connection.finish();
  },

  "/given": (request) => request.respond(200, PLAIN, `${given}`),
  "/early": (request) => request.respond(403, PLAIN, "not for you"),
  "/text": (request) => request.respond(200, PLAIN, "word ".repeat(Number(request.query.get("words")))),

  /** One part for each request to /go. */
  async "/parts"({ connection }) {
    connection.writeHeaders(200, PLAIN);
    for (let part = 1; part <= 3; part++) {
      await connection.write(`part ${part}\n`);
      await new Promise<void>((resolve) => (go = resolve));
    }
    connection.finish();
  },
  "/go"(request) {
    go();
    request.respond(204);
  },

  async "/length"({ query, connection }) {
    connection.writeHeaders(200, { ...PLAIN, "Content-Length": 10 });
    connection.write("x".repeat(Number(query.get("bytes"))));
    connection.finish();
  },

  async "/echo"(request) {
    const body = await request.readBody();
    request.respond(200, PLAIN, JSON.stringify({ headers: [...request.headers], body: body.toString("latin1") }));
  },

  async "/form"(request) {
    const { fields, files } = await request.readForm();
    request.respond(200, PLAIN, JSON.stringify({ fields: [...fields], files }));
  },

  async "/upload"(request) {
    const files: object[] = [];
    const { fields } = await request.readForm({
      onFile: async ({ name, filename, contentType, ...file }) => {
        const hash = createHash("sha1");
        let size = 0;
        for await (const block of file) {
          hash.update(block);
          size += block.length;
        }
        files.push({ name, filename, contentType, size, sha1: hash.digest("hex") });
      },
    });
    request.respond(200, PLAIN, JSON.stringify({ fields: [...fields], files }));
  },

  "/who"(request) {
    const { remoteAddress, protocol, host, cookies } = request;
    const headers = { ...PLAIN, "Set-Cookie": [setCookie("a", "1; x"), setCookie("b", "2", { httpOnly: true })] };
    const parsed = [...parseCookies("a=b")];
    request.respond(200, headers, JSON.stringify({ remoteAddress, protocol, host, cookies: [...cookies], parsed }));
  },
};

let go = (): void => {};

export default new HTTPServer((request) => (handlers[request.path] ?? notFound)(request), {
  bodyBytesMax: 2 ** 40,
  compressResponse: true,
  decompressRequest: true,
  xheaders: true,
  trustedDownstream: ["5.5.5.5"],
  ...JSON.parse(process.env.SERVER_OPTIONS ?? "{}"),
});

function notFound(request: HTTPServerRequest): void {
  request.respond(404, PLAIN, "Not Found");
}
