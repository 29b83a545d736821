// The web layer over real connections, on every runtime: the article's examples, and what cannot be seen without a
// network.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually, NODE, type Server, start, WASMTIME } from "./support/ways.js";
import { frame, handshakeText, TEXT, WsClient } from "./support/wsclient.js";

const MIB = 1024 * 1024;
const BIG = randomBytes(3 * MIB);
const folder = mkdtempSync(path.join(tmpdir(), "waterspout-web-"));
writeFileSync(path.join(folder, "big.bin"), BIG);
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([NODE, WASMTIME])("$name", (way) => {
  describe("the article's examples", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way, "examples/article.ts");
    });
    afterAll(() => server.stop());

    test.each([
      ["/", "hello world"],
      ["/?name=x", "hello x"],
      ["/?name=a&name=%C3%BC", "hello ü"],
      ["/?name=%3Cscript%3E", "hello <script>"],
      ["/add?val1=1&val2=2", "3"],
      ["/add?val1=-1.5&val2=2", "0.5"],
      ["/hello", "<h1>Hello World<h1>"],
    ])("GET %s → %s", async (target, text) => {
      const response = await server.get(target);
      expect([response.status, response.body.toString()]).toEqual([200, text]);
    });

    test("a greeting is no page, whatever the name is", async () => {
      expect((await server.get("/")).headers.get("content-type")).toBe("text/plain; charset=UTF-8");
    });

    test.each(["/add", "/add?val1=1", "/add?val1=x&val2=1", "/add?val1=&val2=1", "/?name=%ff"])(
      "GET %s → 400",
      async (target) => {
        expect((await server.get(target)).status).toBe(400);
      },
    );
  });

  describe("an application", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way, "test/e2e/apps/web.ts", [], { env: { FILES: folder } });
    });
    afterAll(() => server.stop());

    describe("answers", () => {
      test("answers one connection's requests in order", async () => {
        const client = await server.connect();
        client.send(
          "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
        );
        expect((await client.readResponse()).body.toString()).toBe("hello");
        const nowhere = await client.readResponse();
        expect(nowhere.status).toBe(404);
        expect(nowhere.body.toString()).toBe("<html><title>404: Not Found</title><body>404: Not Found</body></html>");
        expect((await client.readResponse()).chunks?.map(String)).toEqual(["part 0\n", "part 1\n", "part 2\n"]);
      });

      test("@addslash and @removeslash lead to the one address", async () => {
        for (const [target, location] of [
          ["/folder?x=1", "/folder/?x=1"],
          ["/page/?x=1", "/page?x=1"],
        ] as const) {
          const sent = await server.get(target);
          expect([sent.status, sent.headers.get("location")]).toEqual([301, location]);
          const served = await server.get(location);
          expect([served.status, served.body.toString()]).toEqual([200, location.slice(1, -4).replace("/", "")]);
        }
      });

      test("405 says what there is", async () => {
        const response = await server.request("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
        expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
      });

      test.each([204, 304])("%i has no body and no framing, and the connection goes on", async (status) => {
        const client = await server.connect();
        const response = await client.send(`GET /status/${status} HTTP/1.1\r\nHost: x\r\n\r\n`).readResponse();
        expect(response.status).toBe(status);
        for (const name of ["content-length", "transfer-encoding", "content-type"])
          expect(response.headers.has(name)).toBe(false);
        expect((await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(200);
      });

      test.each(["", "&flush"])("a status has the reason that it is given%s", async (flush) => {
        for (const bytes of [0, 10, 100_000]) {
          const response = await server.get(`/reason?reason=Quite+fine&bytes=${bytes}${flush}`);
          expect([response.reason, response.body.length]).toEqual(["Quite fine", bytes]);
          const target = `/reason?reason=Fine&bytes=${bytes}${flush}`;
          const coded = await server.request(`GET ${target} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n`);
          expect([coded.reason, coded.headers.get("content-encoding") ?? ""]).toEqual([
            "Fine",
            bytes < 1024 && flush === "" ? "" : "gzip",
          ]);
        }
      });

      test("an ETag saves the body", async () => {
        const etag = (await server.get("/")).headers.get("etag");
        expect(etag).toBe('"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"');
        const again = await server.request(`GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/${etag}\r\n\r\n`);
        expect([again.status, again.headers.get("etag")]).toEqual([304, etag]);
      });
    });

    describe("handlers that wait", () => {
      test("a handler that waits holds up no other, and hears that its client has left", async () => {
        const slow = await server.connect();
        slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
        for (let i = 0; i < 5; i++) expect((await server.get("/")).status).toBe(200);
        slow.reset();
        await server.complaint(/the client of \/slow is gone/);
      });

      test("a client that does not read stops its handler, not the server's memory", async () => {
        const client = await server.connect({ silent: true });
        client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
        expect((await server.get("/")).status).toBe(200);
        await new Promise((resolve) => setTimeout(resolve, 500)); // the handler must stop by itself meanwhile
        client.reset();
        const line = await server.complaint(/endless: the client took about/);
        expect(Number(/about (\d+) MiB/.exec(line)?.[1])).toBeLessThan(32);
      });

      test("a Content-Length that is not true never reaches a client", async () => {
        for (const target of ["/length/42/whole", "/length/1/whole"])
          expect((await server.get(target)).status).toBe(500);
        for (const target of ["/length/42/flushed", "/length/3/flushed"]) {
          const client = await server.connect();
          client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
          expect(await client.readUntil("\r\n\r\n")).toContain(" 200 ");
          await client.gone();
        }
      });

      test("what a handler throws is logged, and 500", async () => {
        const response = await server.get("/throw");
        expect(response.status).toBe(500);
        expect(response.body.toString()).not.toContain("thrown");
        await server.complaint(/GET \/throw failed.*thrown by a handler of the web layer/);
      });

      test("an upload is refused before it comes", async () => {
        const client = await server.connect();
        client
          .send(`POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: ${8 * MIB}\r\n\r\n`)
          .send(Buffer.alloc(65_536));
        expect((await client.readResponse()).status).toBe(401);
        await client.expectEnd();
      });

      test("an upload comes at the pace of its handler", async () => {
        const head = `POST /upload HTTP/1.1\r\nHost: x\r\nX-Key: 1\r\n`;
        const client = await server.connect();
        client.send(`${head}Content-Length: ${8 * MIB}\r\n\r\n`).send(Buffer.alloc(8 * MIB));
        expect((await client.readResponse()).body.toString()).toBe(String(8 * MIB));

        const waiting = await server.connect();
        waiting.send(`${head}X-Wait: 1\r\nContent-Length: ${15 * MIB}\r\n\r\n`);
        expect(await waiting.flood(Buffer.alloc(65_536), 15 * MIB)).toBeLessThan(15 * MIB);
        waiting.reset();
      });
    });

    describe("forms, users, files and websockets", () => {
      test("forms of both kinds", async () => {
        const type = "Content-Type: application/x-www-form-urlencoded\r\n";
        const form = await server.request(
          `POST /form HTTP/1.1\r\nHost: x\r\n${type}Content-Length: 9\r\n\r\na=1&a=%32`,
        );
        expect(JSON.parse(form.body.toString())).toEqual({ a: ["1", "2"], files: [] });
        const parts = [
          '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n',
          '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n12345\r\n--b--\r\n',
        ].join("");
        const head = `POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${parts.length}\r\n\r\n`;
        const multipart = await server.request(head + parts);
        expect(JSON.parse(multipart.body.toString())).toEqual({ a: ["1"], files: [["f", 5]] });
      });

      test("who is logged in comes in", async () => {
        const stranger = await server.get("/private");
        expect([stranger.status, stranger.headers.get("location")]).toEqual([302, "/login?next=%2Fprivate"]);
        const login = await server.request("POST /private?name=me HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        const cookie = login.headers.get("set-cookie")?.split(";")[0];
        const page = await server.request(`GET /private HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\n`);
        expect(page.body.toString()).toBe("hello me");
      });

      test("files come whole, in parts, and from nowhere else", async () => {
        const whole = await server.get("/files/big.bin");
        expect(whole.headers.get("content-length")).toBe(String(BIG.length));
        expect(whole.body.equals(BIG)).toBe(true);
        const part = await server.request(
          "GET /files/big.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=1000000-2000000\r\n\r\n",
        );
        expect(part.status).toBe(206);
        expect(part.body.equals(BIG.subarray(1_000_000, 2_000_001))).toBe(true);
        for (const name of ["../web.ts", "..%2f..%2fetc/passwd", "/etc/passwd"]) {
          expect((await server.get(`/files/${name}`)).status).toBe(403);
        }
        const client = await server.connect();
        const head = await client.send("HEAD /files/big.bin HTTP/1.1\r\nHost: x\r\n\r\n").readResponse("HEAD");
        expect(head.headers.get("content-length")).toBe(String(BIG.length));
      });

      test("a file's client that does not read, and leaves, keeps nothing open", async () => {
        for (let i = 0; i < 3; i++) {
          const client = await server.connect({ silent: true });
          client.send("GET /files/big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
          await server.get("/");
          client.reset();
        }
        expect((await server.get("/files/big.bin")).body.length).toBe(BIG.length);
        const descriptors = `/proc/${server.pid}/fd`;
        const isClosed = (fd: string): boolean => {
          try {
            return !readlinkSync(`${descriptors}/${fd}`).endsWith("big.bin");
          } catch {
            return true;
          }
        };
        if (process.platform === "linux")
          await eventually("the file closed", () => readdirSync(descriptors).every(isClosed));
      });

      test("a websocket knows who is logged in, as its page does", async () => {
        const [cookie] = ((await server.get("/login?user=ada")).headers.get("set-cookie") ?? "").split(";");
        const sent = frame(TEXT, "hello");
        const headers = { Cookie: cookie, Origin: "https://friend.example", "Sec-Fetch-Site": "cross-site" };
        const socket = await WsClient.open(server, "/who?room=7", { headers, sent });
        expect((await socket.readMessage()).payload.toString()).toBe("ada in 7 says hello");
        expect(socket.response.headers.get("set-cookie")).toMatch(/^seen=yes/);
        expect(socket.response.headers.get("x-frame-options")).toBe("DENY");
        expect(socket.response.headers.get("content-type")).toBeUndefined();
        await socket.close();
        const asked = (changes: Record<string, string>) => server.request(handshakeText("/who?room=7", changes));
        expect((await asked({ Cookie: "user=forged" })).status).toBe(401);
        expect((await asked({ Cookie: cookie, Origin: "https://foe.example" })).status).toBe(403);
      });

      test("a route may be a websocket's", async () => {
        const key = "dGhlIHNhbXBsZSBub25jZQ==";
        const client = await server.connect();
        client.send(
          `GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
        );
        expect(await client.readUntil("\r\n\r\n")).toMatch(/^HTTP\/1\.1 101 .*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/s);
        expect((await server.get("/ws")).status).toBe(400);
      });
    });
  });
});
