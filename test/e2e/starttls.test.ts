// startTls: TLS in the middle of a connection, at a server of either runtime and at a client. What was sent before the
// handshake is never taken as if it had come through it (CVE-2011-0411).
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { type BaseIOStream, TCPClient } from "../../host/index.js";
import { missingOpenSSL, useCertificate } from "./support/certificates.js";
import { flood } from "./support/client.js";
import { residentBytes } from "./support/processes.js";
import { SecureClient } from "./support/secureclient.js";
import { eventually, NODE, type Server, start, WASMTIME, type Way } from "./support/ways.js";

const APP = "test/e2e/apps/starttls.ts";
const MIB = 1024 * 1024;
/** Always the same: of random ones some begin like a hello of SSL 2 that is not whole, and its rest is waited for. */
const NOISE = createHash("sha256").update("noise").digest();

describe.skipIf(missingOpenSSL !== null)(missingOpenSSL ?? "startTls", () => {
  const made = useCertificate();

  const serve = (way: Way, more: object = {}) =>
    start(way, APP, [], { env: { TLS_OPTIONS: JSON.stringify({ ...made.certificate, ...more }) } });

  for (const way of [NODE, WASMTIME]) describe(way.name, () => suite(way));

  function suite(way: Way): void {
    let server: Server;
    beforeAll(async () => {
      const sniContexts = { "other.example": made.authority.issue("other", "other.example") };
      server = await serve(way, { sniContexts, alpnProtocols: ["a/1", "a/2"], handshakeTimeoutMs: 5000 });
    });
    afterAll(() => server.stop());

    /** A connection on which the server waits for a handshake. */
    async function asked(early = "", port = server.port): Promise<net.Socket> {
      const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      onTestFinished(() => void socket.destroy());
      socket.on("error", () => {}).write(`STARTTLS\n${early}`);
      const [answer] = await once(socket, "data");
      expect(answer.toString()).toBe("go\n");
      return socket;
    }

    async function secured(options: tls.ConnectionOptions = {}, port = server.port): Promise<SecureClient> {
      const socket = tls.connect({
        socket: await asked("", port),
        ca: made.authority.pem,
        servername: "server.example",
        ...options,
      });
      const client = new SecureClient(socket);
      await once(socket, "secureConnect");
      return client;
    }

    const told = async (client: SecureClient) => JSON.parse(await client.line());

    /** Why the last stream failed. */
    async function lastError(): Promise<string> {
      const client = await server.connect();
      return (await client.send("ERROR\n").readUntil("\n")).trimEnd();
    }

    async function goesOn(): Promise<void> {
      const client = await secured();
      await told(client);
      client.socket.write("hello\n");
      expect(await client.line()).toBe("secured: hello\n");
      client.socket.destroy();
    }

    test("reads and writes go on inside, and the stream tells its address and what was agreed", async () => {
      const client = await secured();
      const { address, tls: agreed } = await told(client);
      if (way.runtime === "node") expect(address).toMatchObject({ address: "127.0.0.1" });
      expect(agreed).toEqual({
        version: "TLSv1.3",
        cipher: "TLS_AES_256_GCM_SHA384",
        alpnProtocol: null,
        serverName: "server.example",
        peerCertificate: null,
      });
      client.socket.write("one\ntwo\nthr");
      expect(await client.line()).toBe("secured: one\n");
      expect(await client.line()).toBe("secured: two\n");
      client.socket.write("ee\nBYE\n");
      expect(await client.line()).toBe("secured: three\n");
      await eventually("the end", () => client.ended);
    });

    test("what is sent with STARTTLS is TLS's, not a command", async () => {
      const socket = await asked("INJECTED\n");
      const client = new SecureClient(tls.connect({ socket, ca: made.authority.pem, servername: "server.example" }));
      await expect(client.line()).rejects.toThrow();
      expect(client.received.toString()).not.toContain("INJECTED");
      expect(await lastError()).toMatch(/^TLS_HANDSHAKE: /);
      await goesOn();
    });

    test("what was written before it, and not awaited, leaves first and unencrypted", async () => {
      const socket = net.connect(server.port, "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      socket.write(`BLOCK ${4 * MIB}\nSTARTTLS\n`);
      let plain = Buffer.alloc(0);
      while (plain.length < 4 * MIB + 3) {
        await once(socket, "readable");
        plain = Buffer.concat([plain, socket.read() ?? Buffer.alloc(0)]);
      }
      expect(plain.subarray(4 * MIB).toString()).toBe("go\n");
      expect(plain.subarray(0, 4 * MIB).every((byte) => byte === 0)).toBe(true);
      const client = new SecureClient(tls.connect({ socket, ca: made.authority.pem, servername: "server.example" }));
      expect((await told(client)).tls.version).toBe("TLSv1.3");
    });

    test("a hello that is sent with STARTTLS is taken", async () => {
      const socket = net.connect(server.port, "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      const pipelined = inOnePiece(socket, "STARTTLS\n", "go\n");
      const options = { socket: pipelined, ca: made.authority.pem, servername: "server.example" };
      expect((await told(new SecureClient(tls.connect(options)))).tls.version).toBe("TLSv1.3");
    });

    test.each([
      ["a command", "QUIT\n"],
      ["noise", NOISE],
      ["a broken hello", Buffer.from("1603010005ffffffffff", "hex")],
    ])("garbage instead of a hello: %s", async (_name, bytes) => {
      const socket = await asked();
      socket.write(bytes);
      await once(socket.resume(), "end");
      expect(await lastError()).toMatch(/^TLS_HANDSHAKE: the TLS handshake failed: /);
      await goesOn();
    });

    test("a silent client is closed in time, and others are served meanwhile", async () => {
      const socket = await asked();
      const began = performance.now();
      await goesOn();
      expect(performance.now() - began).toBeLessThan(4500);
      await once(socket.resume(), "end");
      expect(performance.now() - began).toBeGreaterThan(4500);
      expect(await lastError()).toBe("TIMEOUT: the TLS handshake took longer than 5000 ms");
    });

    test.each(["the end", "a reset"])("%s in the middle of the handshake", async (how) => {
      const socket = await asked();
      socket.write(Buffer.from("1603010200010001fc0303", "hex"));
      if (how === "a reset") socket.resetAndDestroy();
      else socket.end();
      await eventually("an error", async () => /^(TLS_HANDSHAKE|STREAM_CLOSED): /.test(await lastError()));
      await goesOn();
    });

    test("ALPN and SNI are those of sslOptions", async () => {
      const client = await secured({ ALPNProtocols: ["a/2", "a/1"], servername: "other.example" });
      expect(client.socket.getPeerCertificate().subject.CN).toBe("other.example");
      expect((await told(client)).tls).toMatchObject({ alpnProtocol: "a/1", serverName: "other.example" });
      await expect(secured({ ALPNProtocols: ["smoke"] })).rejects.toThrow();
    });

    test("a stream that is not idle stays as it is", async () => {
      const client = await server.connect();
      client.send("BUSY\nline\n");
      expect(await client.readUntil("\n")).toBe("STREAM_NOT_IDLE\n");
      expect(await client.send("still here\n").readUntil("\n")).toBe("plain: still here\n");
    });

    test("TLS twice is refused, and the stream closed by its handler", async () => {
      const client = await secured();
      await told(client);
      client.socket.write("STARTTLS\n");
      expect(await client.line()).toBe("go\n");
      await eventually("the end", () => client.ended);
      expect(await lastError()).toBe("STREAM_NOT_IDLE: the stream is not idle: it has TLS already");
    });

    test("16 MiB come back as they were sent", async () => {
      const client = await secured();
      await told(client);
      const bytes = randomBytes(16 * MIB);
      const hash = createHash("sha256");
      let count = 0;
      client.socket.removeAllListeners("data").on("data", (chunk) => {
        hash.update(chunk);
        count += chunk.length;
      });
      client.socket.write(`ECHO ${bytes.length}\n`);
      client.socket.write(bytes);
      client.socket.write("BYE\n");
      await once(client.socket, "end");
      expect(count).toBe(bytes.length);
      expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
    });

    test("a client that sends and never reads is held back, and costs little memory", async () => {
      const client = await secured();
      await told(client);
      client.socket.pause();
      const before = residentBytes(server.pid);
      client.socket.write(`ECHO ${256 * MIB}\n`);
      expect(await flood(client.socket, Buffer.alloc(MIB), 64 * MIB)).toBeLessThan(48 * MIB);
      expect(residentBytes(server.pid) - before).toBeLessThan(48 * MIB);
      client.socket.destroy();
    });

    test("close sends what was written first, also to a client that goes on sending", async () => {
      const client = await secured();
      await told(client);
      client.socket.write(`BLOCK ${4 * MIB}\nBYE\n`);
      client.socket.write(Buffer.alloc(MIB));
      client.socket.on("error", () => {});
      await eventually("all of it", () => client.received.length === 4 * MIB);
      await eventually("the end", () => client.ended);
    });

    test("a client that has ended its side still gets its answer", async () => {
      const client = await secured({ allowHalfOpen: true } as never);
      await told(client);
      client.socket.end("last words\n");
      await eventually("the end", () => client.ended);
      expect(client.received.toString()).toBe("secured: last words\n");
    });

    test("100 clients at once, half of which leave in the middle", async () => {
      const patient = await serve(way);
      onTestFinished(() => patient.stop());
      const clients = await Promise.all(Array.from({ length: 100 }, () => secured({}, patient.port)));
      await Promise.all(clients.map(told));
      for (const [index, { socket }] of clients.entries()) {
        if (index % 2) socket.destroy();
        else socket.write(`${index}\n`);
      }
      for (const [index, client] of clients.entries()) {
        if (index % 2 === 0) expect(await client.line()).toBe(`secured: ${index}\n`);
        client.socket.destroy();
      }
    });

    test("certificates that were read again serve the next handshake", async () => {
      const files = made.authority.issue("renewed", "first.example");
      const renewing = await serve(way, files);
      onTestFinished(() => renewing.stop());
      const subject = async () => {
        const socket = net.connect(renewing.port, "127.0.0.1");
        socket.write("STARTTLS\n");
        await once(socket, "data");
        const inner = tls.connect({ socket, rejectUnauthorized: false });
        onTestFinished(() => void inner.destroy());
        await once(inner, "secureConnect");
        return inner.getPeerCertificate().subject.CN;
      };
      expect(await subject()).toBe("first.example");
      made.authority.issue("renewed", "second.example");
      const client = await renewing.connect();
      await client.send("RELOAD\nx\n").readUntil("\n");
      expect(await subject()).toBe("second.example");
    });

    test("openssl's s_client comes in by STARTTLS of a real protocol", async () => {
      const port = await smtpPort(way);
      const client = spawn("openssl", ["s_client", "-starttls", "smtp", "-connect", `127.0.0.1:${port}`, "-quiet"], {
        stdio: ["pipe", "pipe", "ignore"],
      });
      onTestFinished(() => void client.kill());
      let output = "";
      client.stdout.setEncoding("utf8").on("data", (text) => (output += text));
      client.stdin.write("NOOP over TLS\r\n");
      await eventually("an answer", () => output.includes("250 secured NOOP over TLS"));
      client.stdin.write("QUIT\r\n");
      await once(client, "close");
    });

    async function smtpPort(which: Way): Promise<number> {
      const smtp = await start(which, "test/e2e/apps/smtp.ts", [], {
        env: { TLS_OPTIONS: JSON.stringify(made.certificate) },
      });
      onTestFinished(() => smtp.stop());
      return smtp.port;
    }

    describe("a TCPClient's stream", () => {
      async function connected(): Promise<BaseIOStream> {
        const stream = await new TCPClient().connect("127.0.0.1", server.port);
        onTestFinished(() => stream.abort());
        await stream.write("STARTTLS\n");
        expect((await stream.readUntil("\n")).toString()).toBe("go\n");
        return stream;
      }

      test("goes on with TLS", async () => {
        const stream = await connected();
        const sslOptions = { caCerts: made.authority.certfile, serverName: "server.example", alpnProtocols: ["a/2"] };
        expect(await stream.startTls({ sslOptions })).toBe(stream);
        expect(stream.tls).toMatchObject({ version: "TLSv1.3", alpnProtocol: "a/2", serverName: "server.example" });
        expect(stream.tls?.peerCertificate?.subject).toBe("CN=server.example");
        await stream.readUntil("\n");
        await stream.write("hello\n");
        expect((await stream.readUntil("\n")).toString()).toBe("secured: hello\n");
        await stream.write("BYE\n");
        expect((await stream.readUntilClose()).toString()).toBe("");
        stream.close();
      });

      test("refuses a certificate of another name, or of an unknown authority", async () => {
        for (const sslOptions of [
          { caCerts: made.authority.certfile, serverName: "another.example" },
          { serverName: "server.example" },
        ]) {
          const stream = await connected();
          await expect(stream.startTls({ sslOptions })).rejects.toMatchObject({ code: "TLS_HANDSHAKE" });
          expect(stream.closed).toBe(true);
        }
      });

      test("needs to know whom it speaks to", async () => {
        const stream = await connected();
        await expect(stream.startTls({})).rejects.toMatchObject({ code: "INVALID_OPTION" });
        await stream.startTls({ sslOptions: { certReqs: "none" } });
        await stream.readUntil("\n");
      });

      test("gives up in time when the server is silent", async () => {
        const silent = net.createServer(() => {}).listen(0, "127.0.0.1");
        onTestFinished(() => void silent.close());
        await once(silent, "listening");
        const { port } = silent.address() as net.AddressInfo;
        const stream = await new TCPClient().connect("127.0.0.1", port);
        const starting = stream.startTls({ sslOptions: { certReqs: "none" }, timeoutMs: 100 });
        await expect(stream.write("x")).rejects.toMatchObject({ code: "STREAM_NOT_IDLE" });
        await expect(stream.readUntil("\n")).rejects.toMatchObject({ code: "STREAM_NOT_IDLE" });
        await expect(starting).rejects.toMatchObject({ code: "TIMEOUT" });
        expect(stream.closed).toBe(true);
      });

      test("is the server's side as well, and close ends a handshake", async () => {
        const first = net.createServer().listen(0, "127.0.0.1");
        onTestFinished(() => void first.close());
        await once(first, "listening");
        const { port } = first.address() as net.AddressInfo;
        const accepted = once(first, "connection");
        const stream = await new TCPClient().connect("127.0.0.1", port);
        const [peer] = (await accepted) as [net.Socket];
        const starting = stream.startTls({ serverSide: true, sslOptions: made.certificate });
        const inner = tls.connect({
          socket: peer,
          ca: readFileSync(made.authority.certfile),
          servername: "server.example",
        });
        await starting;
        await stream.write("hello\n");
        expect((await once(inner, "data"))[0].toString()).toBe("hello\n");
        stream.close();
        const second = await new TCPClient().connect("127.0.0.1", port);
        const never = second.startTls({ serverSide: true, sslOptions: made.certificate });
        second.close();
        await expect(never).rejects.toMatchObject({ code: "STREAM_CLOSED" });
      });
    });
  }
});

/** `socket` as a Duplex whose first write has `before` in front and whose first bytes, `answer`, are not shown. */
function inOnePiece(socket: net.Socket, before: string, answer: string): Duplex {
  let prefix = Buffer.from(before);
  let skip = answer.length;
  const duplex = new Duplex({
    read: () => socket.resume(),
    write(bytes, _encoding, done) {
      socket.write(Buffer.concat([prefix, bytes]), done);
      prefix = Buffer.alloc(0);
    },
  });
  socket.on("data", (bytes) => {
    const shown = bytes.subarray(Math.min(skip, bytes.length));
    skip -= bytes.length - shown.length;
    if (shown.length > 0) duplex.push(shown);
  });
  socket.on("end", () => duplex.push(null));
  return duplex;
}
