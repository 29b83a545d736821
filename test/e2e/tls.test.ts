// TLS, terminated by the host for both runtimes: what is agreed on, what is refused, and that a stream inside is a
// stream.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { Authority, missingOpenSSL, useCertificate } from "./support/certificates.js";
import { flood } from "./support/client.js";
import { activity, residentBytes, workersOf } from "./support/processes.js";
import { SecureClient } from "./support/secureclient.js";
import { accepts, eventually, NODE, run, type Server, start, WASMTIME, type Way } from "./support/ways.js";

const APP = "test/e2e/apps/secure.ts";
const MIB = 1024 * 1024;

interface Told {
  address: { address: string; port: number } | null;
  tls: {
    version: string;
    cipher: string;
    alpnProtocol: string | null;
    serverName: string | null;
    peerCertificate: string | null;
  };
}

describe.skipIf(missingOpenSSL !== null)(missingOpenSSL ?? "TLS", () => {
  const made = useCertificate();

  const secureEnv = (more: object = {}) => ({
    env: { SERVER_OPTIONS: JSON.stringify({ sslOptions: { ...made.certificate, ...more } }) },
  });

  async function connect(port: number, options: tls.ConnectionOptions = {}): Promise<SecureClient> {
    const socket = tls.connect({
      port,
      host: "127.0.0.1",
      ca: made.authority.pem,
      allowHalfOpen: true,
      ...options,
    } as never);
    const client = new SecureClient(socket);
    onTestFinished(() => void socket.destroy());
    await once(socket, "secureConnect");
    return client;
  }

  async function told(client: SecureClient): Promise<Told> {
    return JSON.parse(await client.line());
  }

  for (const way of [NODE, WASMTIME]) describe(way.name, () => suite(way));

  function suite(way: Way): void {
    describe("a stream server", () => {
      let server: Server;
      beforeAll(async () => {
        const other = made.authority.issue("other", "other.example");
        const wild = made.authority.issue("wild", "any.wild.example");
        const sniContexts = { "other.example": other, "*.wild.example": wild };
        const more = { alpnProtocols: ["echo/2", "echo/1"], sniContexts, handshakeTimeoutMs: 5000 };
        server = await start(way, APP, [], secureEnv(more));
      });
      afterAll(() => server.stop());

      describe("handshakes", () => {
        test("says where it serves", () => {
          expect(server.url).toBe(`tls://127.0.0.1:${server.port}`);
        });

        test("the peer's address, and what was agreed on", async () => {
          const client = await connect(server.port, { servername: "server.example" });
          const { address, tls: agreed } = await told(client);
          expect(address).toEqual({ address: "127.0.0.1", port: client.socket.localPort, family: "IPv4" });
          expect(agreed).toMatchObject({
            version: "TLSv1.3",
            alpnProtocol: null,
            serverName: "server.example",
            peerCertificate: null,
          });
        });

        test.each([
          [["echo/1"], "echo/1"],
          [["echo/1", "echo/2"], "echo/2"],
        ])("ALPN: of %j it chooses %s", async (ALPNProtocols, chosen) => {
          const client = await connect(server.port, { ALPNProtocols });
          expect(client.socket.alpnProtocol).toBe(chosen);
          expect((await told(client)).tls.alpnProtocol).toBe(chosen);
        });

        test("ALPN: no common protocol is a failed handshake", async () => {
          await expect(connect(server.port, { ALPNProtocols: ["smoke"] })).rejects.toThrow();
        });

        test.each([
          ["other.example", "other.example"],
          ["a.wild.example", "any.wild.example"],
          ["nobody.example", "server.example"],
        ])("SNI: for %s it shows the certificate of %s", async (servername, subject) => {
          const client = await connect(server.port, { servername, rejectUnauthorized: false });
          expect(client.socket.getPeerCertificate().subject.CN).toBe(subject);
        });

        test("TLS 1.2 is spoken, 1.1 is not", async () => {
          expect((await told(await connect(server.port, { maxVersion: "TLSv1.2" }))).tls.version).toBe("TLSv1.2");
          const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
          await expect(connect(server.port, old)).rejects.toThrow();
        });
      });

      describe("streams", () => {
        test("16 MiB come back as they were sent", async () => {
          const client = await connect(server.port);
          await told(client);
          const bytes = randomBytes(16 * MIB);
          bytes[0] = 10; // the application reads one line first
          const hash = createHash("sha256");
          let count = 0;
          client.socket.removeAllListeners("data").on("data", (chunk) => {
            hash.update(chunk);
            count += chunk.length;
          });
          client.socket.end(bytes);
          await once(client.socket, "end");
          expect(count).toBe(bytes.length - 1);
          expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes.subarray(1)).digest("hex"));
        });

        test("a client that has ended its side still gets its answer", async () => {
          const client = await connect(server.port);
          await told(client);
          client.socket.end("\nlast words");
          await eventually("the end", () => client.ended);
          expect(client.received.toString()).toBe("last words");
        });

        test("a client that sends and never reads is held back, and costs little memory", async () => {
          const client = await connect(server.port);
          await told(client);
          client.socket.pause();
          const before = residentBytes(server.pid);
          expect(await flood(client.socket, Buffer.alloc(MIB, 10), 64 * MIB)).toBeLessThan(48 * MIB);
          expect(residentBytes(server.pid) - before).toBeLessThan(48 * MIB);
        });

        test("resets of half of 100 clients harm no other", async () => {
          const raws = Array.from({ length: 100 }, () => net.connect(server.port, "127.0.0.1").on("error", () => {}));
          const clients = raws.map((socket) => new SecureClient(tls.connect({ socket, rejectUnauthorized: false })));
          await Promise.all(clients.map(told));
          for (const [index, raw] of raws.entries()) if (index % 2) raw.resetAndDestroy();
          for (const [index, { socket }] of clients.entries()) if (index % 2 === 0) socket.write(`\n${index}\n`);
          for (const [index, client] of clients.entries()) {
            if (index % 2 === 0) expect(await client.line()).toBe(`${index}\n`);
            client.socket.destroy();
          }
        });

        test.each([
          ["plain HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
          ["random bytes", randomBytes(4096)],
          ["a record that never comes whole", Buffer.from("16030318ff", "hex")],
          ["the beginning of a hello, then the end", Buffer.from("1603010200010001fc0303", "hex")],
        ])("instead of a handshake: %s", async (_name, bytes) => {
          const client = await server.connect();
          client.send(bytes as never).halfClose();
          await client.gone();
          expect((await told(await connect(server.port))).tls.version).toBe("TLSv1.3");
        });

        test("a client that connects and says nothing is closed, and others are served meanwhile", async () => {
          const silent = await server.connect();
          const start = performance.now();
          await told(await connect(server.port));
          expect(performance.now() - start).toBeLessThan(4500);
          await silent.gone();
          expect(performance.now() - start).toBeGreaterThan(4500);
        });

        test("does nothing while its connections are idle", async () => {
          const client = await connect(server.port);
          await told(client);
          const { wakeUpsPerSecond } = await activity(server.pid);
          expect(wakeUpsPerSecond).toBeLessThan(50);
          client.socket.write("\nstill there\n");
          expect(await client.line()).toBe("still there\n");
        });
      });
    });

    test("500 connections at once", async () => {
      const server = await start(way, APP, [], secureEnv());
      onTestFinished(() => server.stop());
      const clients = await Promise.all(Array.from({ length: 500 }, () => connect(server.port)));
      await Promise.all(
        clients.map(async (client, index) => {
          await told(client);
          client.socket.write(`\nnumber ${index}\n`);
          expect(await client.line()).toBe(`number ${index}\n`);
        }),
      );
      for (const client of clients) client.socket.destroy();
    });

    test("a stop lets what is in flight arrive", async () => {
      const server = await start(way, "examples/demo.ts", [
        "--certfile",
        made.certificate.certfile,
        "--keyfile",
        made.certificate.keyfile,
      ]);
      const client = await connect(server.port);
      client.socket.write("GET /big?bytes=8000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      await eventually("the beginning", () => client.received.length > 0);
      client.socket.pause();
      const stopped = server.stop();
      await eventually("the port is closed", async () => !(await accepts(server.port)));
      client.socket.resume();
      await stopped;
      await eventually("the end", () => client.ended);
      expect(client.received.length).toBeGreaterThan(8000000);
    });

    test("certificates are asked for, verified and shown", async () => {
      const stranger = new Authority();
      onTestFinished(() => stranger.remove());
      const files = made.authority.issue("client", "client.example");
      const mine = { cert: readFileSync(files.certfile), key: readFileSync(files.keyfile) };
      const foreign = stranger.issue("client", "client.example");
      const wrong = { cert: readFileSync(foreign.certfile), key: readFileSync(foreign.keyfile) };
      for (const certReqs of ["required", "optional"]) {
        const server = await start(way, APP, [], secureEnv({ caCerts: made.authority.certfile, certReqs }));
        onTestFinished(() => server.stop());
        expect((await told(await connect(server.port, mine))).tls.peerCertificate).toBe("CN=client.example");
        await expect(connect(server.port, wrong).then(told)).rejects.toThrow();
        const without = connect(server.port).then(told);
        if (certReqs === "required") await expect(without).rejects.toThrow();
        else expect((await without).tls.peerCertificate).toBe(null);
      }
    });

    test("certificates are read again without a restart, all or none", async () => {
      const files = made.authority.issue("renewed", "first.example");
      const server = await start(way, APP, [], secureEnv(files));
      onTestFinished(() => server.stop());
      const subject = (client: SecureClient) => client.socket.getPeerCertificate().subject.CN;
      const reload = async () => {
        const client = await connect(server.port, { rejectUnauthorized: false });
        await told(client);
        client.socket.write("reload\n");
        return await client.line();
      };
      const old = await connect(server.port, { servername: "first.example" });
      await told(old);
      const session = old.socket.getSession();
      const again = await connect(server.port, { servername: "first.example", session });
      expect(again.socket.isSessionReused()).toBe(true);
      made.authority.issue("renewed", "second.example");
      expect(await reload()).toBe("reloaded\n");
      const later = await connect(server.port, { servername: "first.example", session, rejectUnauthorized: false });
      expect(later.socket.isSessionReused()).toBe(false);
      expect(subject(await connect(server.port, { servername: "second.example" }))).toBe("second.example");
      writeFileSync(files.certfile, "rubbish");
      expect(await reload()).toContain(`TLS_CONFIG certfile ${files.certfile} has no usable certificate`);
      expect(subject(await connect(server.port, { servername: "second.example" }))).toBe("second.example");
      old.socket.write("\nthe old one goes on\n");
      expect(await old.line()).toBe("the old one goes on\n");
    });

    test.each(["1", "2"])("HTTPS by the command's options, read again at SIGHUP; workers: %s", async (workers) => {
      const files = made.authority.issue("command", "first.example");
      const args = ["--certfile", files.certfile, "--keyfile", files.keyfile, "--workers", workers];
      const server = await start(way, "examples/demo.ts", args);
      onTestFinished(() => server.stop());
      expect(server.url).toBe(`https://127.0.0.1:${server.port}/`);
      const client = await connect(server.port, { servername: "first.example", ALPNProtocols: ["h2", "http/1.1"] });
      expect(client.socket.alpnProtocol).toBe("http/1.1");
      client.socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      await eventually("the end", () => client.ended);
      expect(client.received.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nHello, world$/s);
      made.authority.issue("command", "second.example");
      const reload = () => run(["reload", String(server.pid)]);
      expect(await reload()).toMatchObject({ code: 0, stderr: "" });
      await eventually("the new certificate", async () => {
        const again = await connect(server.port, { rejectUnauthorized: false });
        return again.socket.getPeerCertificate().subject.CN === "second.example";
      });
      writeFileSync(files.certfile, "rubbish");
      const isSupervised = way === NODE && workers === "2"; // all of the application is loaded again
      const why = isSupervised ? /does not serve/ : /not reloaded: the certificates stay as they are: .*certfile/;
      expect(await reload()).toMatchObject({ code: 1, stderr: expect.stringMatching(why) });
      expect((await connect(server.port, { servername: "second.example" })).socket.authorized).toBe(true);
    });

    test("a file that is missing ends the command, with its path", async () => {
      const missing = path.join(made.authority.folder, "missing.pem");
      const { code, stderr } = await run(["run", "examples/demo.ts", "--runtime", way.runtime, "--certfile", missing]);
      expect(code).toBe(1);
      expect(stderr).toBe(`waterspout: cannot read certfile ${missing}: ENOENT\n`);
    });
  }

  test("wasmtime: a client that connects to the workers' own port is not served", async () => {
    const server = await start(WASMTIME, APP, [], secureEnv());
    onTestFinished(() => server.stop());
    const inner = listenersOf(server).find((port) => port !== server.port);
    expect(inner).toBeTypeOf("number");
    for (const header of ["", "PROXY TCP4 127.0.0.1 127.0.0.1 1234 80\r\n", `PROXY TCP6 ::1 ::1 1234 80\r\n`]) {
      const intruder = net.connect({ port: inner!, host: "127.0.0.1" }).on("error", () => {});
      onTestFinished(() => void intruder.destroy());
      const received: Buffer[] = [];
      intruder.on("data", (chunk) => received.push(chunk));
      intruder.write(`${header}hello\nhello\n`);
      await new Promise((resolve) => intruder.once("close", resolve));
      expect(Buffer.concat(received).toString()).toBe("");
    }
  });

  test("wasmtime: connections that come while no worker lives are served by the next", async () => {
    const server = await start(WASMTIME, APP, [], secureEnv());
    onTestFinished(() => server.stop());
    for (const { pid } of workersOf(server.pid)) process.kill(pid, "SIGKILL");
    expect((await told(await connect(server.port))).tls.version).toBe("TLSv1.3");
    await server.complaint(/is started again/);
  });

  test("a .wasm application in workers has none", async () => {
    const args = ["run", "build/demo.wasm", "--runtime", "wasmtime", "--certfile", made.certificate.certfile];
    const { code, stderr } = await run([...args, "--keyfile", made.certificate.keyfile]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^waterspout: a \.wasm application has TLS with the runtime node only[^\n]+\n$/);
  });

  test("a .wasm application in Node speaks TLS", async () => {
    const args = ["--certfile", made.certificate.certfile, "--keyfile", made.certificate.keyfile];
    const server = await start(NODE, "build/demo.wasm", args);
    onTestFinished(() => server.stop());
    const client = await connect(server.port);
    client.socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await eventually("the end", () => client.ended);
    expect(client.received.toString()).toContain("Hello, world");
  });
});

/** The loopback ports that the server's process and its workers listen on: proc(5). */
function listenersOf(server: Server): number[] {
  const rows = readFileSync(`/proc/${server.pid}/net/tcp`, "utf8").split("\n").slice(1);
  const inodes = new Map<string, number>();
  for (const row of rows) {
    const fields = row.trim().split(/\s+/);
    if (fields[3] === "0A")
      inodes.set(fields[9] as string, parseInt((fields[1] as string).split(":")[1] as string, 16));
  }
  return socketsOf(server.pid).flatMap((inode) => inodes.get(inode) ?? []);
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(path.join(folder, fd)))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  });
}
