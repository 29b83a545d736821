// Bodies over real connections, on both runtimes: as large as they like in memory that stays flat, compressed, as
// forms, and with what proxies say about them.
//
// WATERSPOUT_BODY_GIB is how much goes up and down in the test of memory: 1 unless given, 10 for the whole claim.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import zlib from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Client } from "./support/client.js";
import { residentBytes } from "./support/processes.js";
import { eventually, NODE, type Server, start, WASMTIME } from "./support/ways.js";

const MIB = 2 ** 20;
const BYTES = Number(process.env.WATERSPOUT_BODY_GIB ?? 1) * 1024 * MIB;
/**
 * How far memory may rise while bodies go through: garbage that is not collected yet, and nothing that grows with
 * them. Young objects alone may take 64 MiB in Node 24, four times as much as in Node 20.
 */
const RISE_BYTES_MAX = 128 * MIB;

const get = (target: string, fields = ""): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
const post = (target: string, body: string | Buffer, fields = ""): Buffer =>
  Buffer.concat([
    Buffer.from(`POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${fields}\r\n`),
    typeof body === "string" ? Buffer.from(body, "latin1") : body,
  ]);

describe.each([NODE, WASMTIME])("$name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way, "test/e2e/apps/bodies.ts");
  });
  afterAll(() => server.stop());

  const textOf = async (bytes: string | Buffer): Promise<string> => {
    const client = await server.connect();
    const { body } = await client.send(bytes).readResponse();
    client.close();
    return body.toString();
  };

  describe("a body of any size", () => {
    const timeout = 30_000 + (BYTES / MIB) * 20;

    test("goes up in constant memory", { timeout }, async () => {
      await upload(server.port, 64 * MIB);
      const { answer, rise } = await watched(server.pid, () => upload(server.port, BYTES));
      expect(answer.endsWith(`\r\n\r\n${BYTES}`)).toBe(true);
      expect(rise).toBeLessThan(RISE_BYTES_MAX);
    });

    test("comes down in constant memory", { timeout }, async () => {
      await download(server.port, 64 * MIB);
      const { answer, rise } = await watched(server.pid, () => download(server.port, BYTES));
      expect(answer).toBe(BYTES);
      expect(rise).toBeLessThan(RISE_BYTES_MAX);
    });

    test("comes down no faster than its client takes it", async () => {
      const client = await server.connect({ silent: true });
      client.send(get(`/source?bytes=${1024 * MIB}`));
      let given = -1;
      await eventually("the handler waits", async () => {
        const before = given;
        given = Number(await textOf(get("/given")));
        await sleep(50);
        return given > 0 && given === before;
      });
      expect(given).toBeLessThan(16 * MIB);
      client.resume();
      await eventually("more has come", () => client.receivedBytes > 2 * given);
      client.reset();
    });
  });

  test("a body that the handler does not read: the answer comes, then the connection ends in order", async () => {
    const client = await server.connect();
    client.send(`POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: ${1024 * MIB}\r\n\r\n`);
    const response = await client.send(Buffer.alloc(65_536)).readResponse();
    expect([response.status, response.body.toString()]).toEqual([403, "not for you"]);
    // So much is dropped for a client that reads its answer late, and some is under way.
    expect(await client.flood(Buffer.alloc(65_536), 1024 * MIB)).toBeLessThan((64 + 16) * MIB);
    await client.gone();
  });

  test("a short body that the handler does not read is passed over, and the connection goes on", async () => {
    const client = await server.connect();
    for (let i = 0; i < 2; i++) {
      const response = await client.send(post("/early", "x".repeat(100_000))).readResponse();
      expect(response.status).toBe(403);
    }
  });

  test.each([9, 11])("%i bytes under a Content-Length of 10 end the connection", async (bytes) => {
    const client = await server.connect();
    client.send(get(`/length?bytes=${bytes}`) + get("/given"));
    await expect(client.readResponse()).rejects.toThrow();
    await client.gone();
    expect((await server.get("/length?bytes=10")).body.length).toBe(10);
  });

  describe("compressed answers", () => {
    test.each([
      ["br", zlib.brotliDecompressSync],
      ["gzip", zlib.gunzipSync],
      ["deflate", zlib.inflateSync],
    ])("%s, small and large", async (coding, decode) => {
      const client = await server.connect();
      for (const words of [1000, 100_000]) {
        const fields = `Accept-Encoding: ${coding}\r\n`;
        const { headers, body } = await client.send(get(`/text?words=${words}`, fields)).readResponse();
        expect([headers.get("content-encoding"), headers.get("vary")]).toEqual([coding, "Accept-Encoding"]);
        expect(body.length).toBeLessThan(words);
        expect(decode(body).toString()).toBe("word ".repeat(words));
        const head = await client.send(get(`/text?words=${words}`, fields).replace("GET", "HEAD")).readResponse("HEAD");
        expect(head.headers.get("content-encoding")).toBe(coding);
      }
    });

    test("for an HTTP/1.0 client end with the connection", async () => {
      const bytes = "GET /text?words=100000 HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n";
      expect(zlib.gunzipSync((await server.request(bytes)).body).length).toBe(500_000);
    });

    test("arrive part by part", async () => {
      const client = await server.connect();
      client.send(get("/parts", "Accept-Encoding: gzip\r\n"));
      await client.readUntil("\r\n\r\n");
      const gunzip = zlib.createGunzip();
      let text = "";
      gunzip.on("data", (block) => (text += block));
      for (let part = 1; part <= 3; part++) {
        await eventually(`part ${part}`, async () => {
          await decodeChunks(client, gunzip);
          return text.endsWith(`part ${part}\n`);
        });
        expect(text.split("\n").length - 1).toBe(part);
        await server.get("/go");
      }
    });

    test("come down no faster than their client takes them", async () => {
      const client = await server.connect({ silent: true });
      const before = residentBytes(server.pid);
      client.send(get(`/source?bytes=${1024 * MIB}&type=text/plain&noise=1`, "Accept-Encoding: gzip\r\n"));
      let given = -1;
      await eventually("the handler waits", async () => {
        const before = given;
        given = Number(await textOf(get("/given")));
        await sleep(100);
        return given > 0 && given === before;
      });
      expect(given).toBeLessThan(16 * MIB);
      expect(residentBytes(server.pid) - before).toBeLessThan(RISE_BYTES_MAX);
      client.reset();
      expect((await server.get("/text?words=1")).status).toBe(200);
    });
  });

  describe("gzip requests", () => {
    const echo = async (body: Buffer, fields = "Content-Encoding: gzip\r\n") => {
      const client = await server.connect();
      const response = await client.send(post("/echo", body, fields)).readResponse();
      return { status: response.status, seen: response.status === 200 ? JSON.parse(response.body.toString()) : null };
    };

    test("are inflated, of several members too", async () => {
      const body = Buffer.concat([zlib.gzipSync("foo="), zlib.gzipSync("bar")]);
      const { seen } = await echo(body);
      expect(seen.body).toBe("foo=bar");
      expect(seen.headers).toContainEqual(["x-consumed-content-encoding", "gzip"]);
      expect(seen.headers.map(([name]: [string]) => name)).not.toContain("content-encoding");
    });

    test("that are cut or no gzip: 400; the next request is served", async () => {
      expect((await echo(zlib.gzipSync("foo=bar").subarray(0, 20))).status).toBe(400);
      expect((await echo(Buffer.from("foo=bar"))).status).toBe(400);
      expect((await echo(Buffer.alloc(0))).status).toBe(400);
      expect((await echo(zlib.gzipSync("x"))).status).toBe(200);
    });

    test("that would become too large: 413, in constant memory", async () => {
      const small = await start(way, "test/e2e/apps/bodies.ts", [], {
        env: { SERVER_OPTIONS: JSON.stringify({ bodyBytesMax: 4 * MIB }) },
      });
      try {
        const bomb = zlib.gzipSync(Buffer.alloc(256 * MIB));
        expect(bomb.length).toBeLessThan(2 * MIB);
        await small.request(post("/sink", zlib.gzipSync("x"), "Content-Encoding: gzip\r\n").toString("latin1"));
        const { answer, rise } = await watched(small.pid, async () => {
          const client = await small.connect();
          return client.send(post("/sink", bomb, "Content-Encoding: gzip\r\n")).readResponse();
        });
        expect(answer.status).toBe(413);
        expect(rise).toBeLessThan(RISE_BYTES_MAX);
      } finally {
        await small.stop();
      }
    });
  });

  describe("forms", () => {
    const part = (head: string, data: Buffer | string): Buffer =>
      Buffer.concat([
        Buffer.from(`--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
        Buffer.from(data),
        Buffer.from("\r\n"),
      ]);
    const MULTIPART = "Content-Type: multipart/form-data; boundary=b\r\n";
    const file = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) & 0xff));
    const whole = Buffer.concat([
      part('name="a"', "1"),
      part('name="up"; filename="x.bin"\r\nContent-Type: application/x-y', file),
      Buffer.from("--b--\r\n"),
    ]);

    test("urlencoded", async () => {
      const seen = JSON.parse(
        await textOf(post("/form", "a=1&b=%C3%BC+2", "Content-Type: application/x-www-form-urlencoded\r\n")),
      );
      expect(seen).toEqual({ fields: [["a", "1"], ["b", "ü 2"]], files: [] }); // biome-ignore format: pairs
    });

    test("multipart, whole and in small pieces", async () => {
      const sha1 = createHash("sha1").update(file).digest("hex");
      const expected = [{ name: "up", filename: "x.bin", contentType: "application/x-y", size: file.length, sha1 }];
      const bytes = post("/upload", whole, MULTIPART);
      expect(JSON.parse(await textOf(bytes))).toEqual({ fields: [["a", "1"]], files: expected });
      const client = await server.connect();
      await client.sendInPieces(bytes, 1021);
      expect(JSON.parse((await client.readResponse()).body.toString()).files).toEqual(expected);
    });

    test("with files on disk, which go with the request", async () => {
      const { files } = JSON.parse(await textOf(post("/form", whole, MULTIPART)));
      expect(files).toMatchObject([{ name: "up", filename: "x.bin", size: file.length }]);
      await eventually("the file is gone", () => !existsSync(files[0].path));
    });

    test.each([
      ["malformed", MULTIPART, whole.subarray(0, -10), 400],
      ["no form", "Content-Type: text/plain\r\n", Buffer.from("a=1"), 415],
      [
        "too many arguments",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        Buffer.from("a&".repeat(1000)),
        400,
      ],
      ["not UTF-8", "Content-Type: application/x-www-form-urlencoded\r\n", Buffer.from("a=%ff"), 400],
    ])("%s", async (_name, fields, body, status) => {
      const client = await server.connect();
      expect((await client.send(post("/form", body, fields)).readResponse()).status).toBe(status);
    });
  });

  test("cookies, host, and what a proxy on this machine says", async () => {
    const client = await server.connect();
    const response = await client
      .send(
        'GET /who HTTP/1.1\r\nHost: example.org:8\r\nCookie: a="b c"; d=e\r\nX-Forwarded-For: 127.0.0.1, 4.4.4.4, 5.5.5.5\r\nX-Forwarded-Proto: http, https\r\n\r\n',
      )
      .readResponse();
    expect(JSON.parse(response.body.toString())).toEqual({
      remoteAddress: { address: "4.4.4.4", port: 0, family: "IPv4" },
      protocol: "https",
      host: "example.org:8",
      cookies: [["a", "b c"], ["d", "e"]], // biome-ignore format: pairs
      parsed: [["a", "b"]],
    });
    expect(response.headers.get("set-cookie")).toBe('a="1\\073\\040x", b=2; HttpOnly');
    const plain = JSON.parse(await textOf(get("/who")));
    expect(plain.protocol).toBe("http");
    if (way.runtime === "node") expect(plain.remoteAddress.address).toBe("127.0.0.1");
    else expect(plain.remoteAddress).toBeNull();
  });
});

/** Runs something while the memory of a process tree is watched; `rise` is how far it went above where it was. */
async function watched<T>(pid: number, run: () => Promise<T>): Promise<{ answer: T; rise: number }> {
  const before = residentBytes(pid);
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes(pid));
  }, 100);
  try {
    const answer = await run();
    return { answer, rise: Math.max(most, residentBytes(pid)) - before };
  } finally {
    clearInterval(timer);
  }
}

/** Sends a body as fast as it is taken; answers all of the response. */
async function upload(port: number, bytes: number): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  let response = "";
  socket.on("data", (chunk) => (response += chunk));
  const ended = new Promise((resolve, reject) => socket.once("end", resolve).once("error", reject));
  socket.write(`POST /sink HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`);
  const block = Buffer.alloc(256 * 1024);
  for (let at = 0; at < bytes; at += block.length) {
    const more = socket.write(bytes - at < block.length ? block.subarray(0, bytes - at) : block);
    if (!more) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), ended]);
  }
  await ended;
  socket.destroy();
  return response;
}

/** Takes a body as fast as it comes; answers its size. */
async function download(port: number, bytes: number): Promise<number> {
  const socket = net.connect(port, "127.0.0.1");
  socket.write(`GET /source?bytes=${bytes} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  let head = "";
  let received = 0;
  socket.on("data", (chunk) => {
    if (head.includes("\r\n\r\n")) received += chunk.length;
    else {
      head += chunk.toString("latin1");
      received = Math.max(0, head.length - head.indexOf("\r\n\r\n") - 4);
    }
  });
  await new Promise((resolve, reject) => socket.once("end", resolve).once("error", reject));
  socket.destroy();
  return received;
}

/** Gives what has come of a chunked body to a decoder. */
async function decodeChunks(client: Client, decoder: zlib.Gunzip): Promise<void> {
  while (client.receivedBytes > 0) {
    const bytes = Number.parseInt(await client.readUntil("\r\n"), 16);
    const block = await client.readBytes(bytes);
    await client.readUntil("\r\n");
    await new Promise((resolve) => decoder.write(block, resolve));
  }
}
