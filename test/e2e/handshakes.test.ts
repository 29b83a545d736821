// TLS handshakes under attack and at their edges: who is served, with which cipher, and by which session.
import { once } from "node:events";
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { bindUnixSocket, HTTPServer } from "waterspout";

import { Authority, type Certificate, missingOpenSSL } from "./support/certificates.js";
import { SecureClient } from "./support/secureclient.js";
import { eventually, NODE, type Server, start, WASMTIME, type Way } from "./support/ways.js";

const HANDSHAKES_MAX = 1024;
const SILENT_MAX = 2048;
/** Longer than any test: what ends is ended by something else. */
const NEVER_MS = 600_000;
const ATTACKER = "127.0.0.2";
/** Clients that connect at a time. */
const WAVE = 100;

/** How a test's clients come to the point where TLS begins. */
interface Door {
  name: string;
  app: string;
  env(sslOptions: object): Record<string, string>;
  knock(socket: net.Socket): Promise<void>;
}

const LISTENER: Door = {
  name: "at a listener",
  app: "test/e2e/apps/secure.ts",
  env: (sslOptions) => ({ SERVER_OPTIONS: JSON.stringify({ sslOptions, idleTimeoutMs: NEVER_MS }) }),
  knock: async () => {},
};
const START_TLS: Door = {
  name: "by startTls",
  app: "test/e2e/apps/starttls.ts",
  env: (sslOptions) => ({ TLS_OPTIONS: JSON.stringify(sslOptions) }),
  knock: async (socket) => {
    socket.write("STARTTLS\n");
    await once(socket, "readable");
    expect(String(socket.read())).toBe("go\n");
  },
};

describe.skipIf(missingOpenSSL !== null)(missingOpenSSL ?? "handshakes", () => {
  let authority: Authority;
  let certificate: Certificate;
  let hello: Buffer;
  beforeAll(async () => {
    authority = new Authority();
    certificate = authority.issue("server", "server.example");
    hello = await new Promise((resolve) => {
      const socket = new Duplex({ read: () => {}, write: (bytes) => resolve(bytes) });
      tls.connect({ socket }).on("error", () => {});
    });
  });
  afterAll(() => authority.remove());

  const serve = async (way: Way, door: Door, more: object = {}): Promise<Server> => {
    const server = await start(way, door.app, [], { env: door.env({ ...certificate, ...more }) });
    onTestFinished(() => server.stop());
    return server;
  };

  /** A connection on which a hello is awaited. */
  async function knock(server: Server, door: Door, localAddress = "127.0.0.1"): Promise<net.Socket> {
    const socket = net.connect({ port: server.port, host: "127.0.0.1", localAddress });
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    await once(socket, "connect");
    await door.knock(socket);
    return socket;
  }

  async function secured(server: Server, door: Door, options: tls.ConnectionOptions = {}): Promise<SecureClient> {
    const socket = tls.connect({
      socket: await knock(server, door),
      ca: authority.pem,
      servername: "server.example",
      ...options,
    });
    onTestFinished(() => void socket.destroy());
    const client = new SecureClient(socket);
    await once(socket, "secureConnect");
    return client;
  }

  const told = async (client: SecureClient): Promise<{ tls: { version: string; serverName: string | null } }> =>
    JSON.parse(await client.line());

  async function isServed(server: Server, door: Door): Promise<void> {
    expect((await told(await secured(server, door))).tls.version).toBe("TLSv1.3");
  }

  /** Many connections that go as far as to `stage` and then do nothing. */
  async function crowd(
    server: Server,
    door: Door,
    count: number,
    localAddress: string,
    stage: Buffer | null,
  ): Promise<net.Socket[]> {
    const sockets: net.Socket[] = [];
    while (sockets.length < count) {
      const wave = Array.from({ length: Math.min(WAVE, count - sockets.length) }, () =>
        knock(server, door, localAddress),
      );
      for (const socket of await Promise.all(wave)) {
        if (stage !== null) socket.write(stage);
        sockets.push(socket.resume());
      }
    }
    return sockets;
  }

  const gone = (sockets: net.Socket[]): boolean[] => sockets.map((socket) => socket.readyState === "closed");

  for (const way of [NODE, WASMTIME]) {
    describe.each([LISTENER, START_TLS])(`${way.name}, $name`, (door) => {
      test("clients that say nothing keep no other out, and beyond the bound the oldest of them goes", async () => {
        const server = await serve(way, door, { handshakeTimeoutMs: NEVER_MS });
        const beyond = 20;
        const silent = await crowd(server, door, SILENT_MAX - 1, ATTACKER, null);
        await isServed(server, door);
        expect(gone(silent)).not.toContain(true);
        silent.push(...(await crowd(server, door, beyond + 1, ATTACKER, hello.subarray(0, -1))));
        await eventually("the oldest to be closed", () => gone(silent).filter(Boolean).length === beyond);
        expect(gone(silent).lastIndexOf(true)).toBeLessThan(WAVE);
        // The attacker goes on as long as an honest client takes.
        const more = setInterval(() => void knock(server, door, ATTACKER).catch(() => {}), 10);
        await isServed(server, door).finally(() => clearInterval(more));
      });

      test("a resumed session tells the name that is asked for now, and one from before a reload is not resumed", async () => {
        const sniContexts = { "other.example": authority.issue("other", "other.example") };
        const server = await serve(way, door, { sniContexts });
        const resume = async (session: Buffer, options: tls.ConnectionOptions) => {
          const client = await secured(server, door, { ...options, session, rejectUnauthorized: false });
          const { version, serverName } = (await told(client)).tls;
          return [client.socket.isSessionReused(), version, serverName];
        };
        const before: { options: tls.ConnectionOptions; session: Buffer }[] = [];
        for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
          for (const servername of ["server.example", "other.example"]) {
            const options = { maxVersion, servername };
            const session = await sessionOf(server, door, options);
            before.push({ options, session });
            expect(await resume(session, { maxVersion, servername })).toEqual([true, maxVersion, servername]);
            // OpenSSL 3.5, which Node 24 has, resumes no session of TLS 1.2 for another name.
            const asked = { maxVersion, servername: "third.example" };
            expect(await resume(session, asked)).toEqual([expect.any(Boolean), maxVersion, "third.example"]);
          }
        }
        await reload(server, door);
        for (const { options, session } of before) {
          expect(await resume(session, options)).toEqual([false, options.maxVersion, options.servername]);
        }
      });
    });

    test(`${way.name}: clients that stop after their hello keep no other out`, async () => {
      const server = await serve(way, LISTENER, { handshakeTimeoutMs: NEVER_MS });
      const stalled = await crowd(server, LISTENER, HANDSHAKES_MAX + 10, ATTACKER, hello);
      const answered = () => stalled.filter(({ bytesRead }) => bytesRead > 0).length;
      await eventually("all places to be taken", () => answered() === HANDSHAKES_MAX);
      expect(gone(stalled)).not.toContain(true);
      await isServed(server, LISTENER);
      await eventually("one of the oldest to be closed", () => gone(stalled).slice(0, WAVE).includes(true));
      await eventually("the next to have the place that is free again", () => answered() === HANDSHAKES_MAX + 1);
    });
  }

  describe("ciphers", () => {
    let server: Server;
    let strict: Server;
    beforeAll(async () => {
      const sniContexts = { "rsa.example": authority.issue("rsa", "rsa.example", "rsa") };
      const env = (more: object) => ({ env: LISTENER.env({ ...certificate, sniContexts, ...more }) });
      server = await start(NODE, LISTENER.app, [], env({}));
      strict = await start(
        NODE,
        LISTENER.app,
        [],
        env({ ciphers: "ECDHE-ECDSA-AES256-CCM:ECDHE-ECDSA-AES128-GCM-SHA256" }),
      );
    });
    afterAll(() => Promise.all([server.stop(), strict.stop()]));

    /** The cipher that is chosen of a client's. */
    async function chosen(of: Server, ciphers: string, servername = "server.example"): Promise<string> {
      const old = { ciphers: `${ciphers}:@SECLEVEL=0`, maxVersion: "TLSv1.2" } as const;
      const client = await secured(of, LISTENER, { servername, ...(ciphers.startsWith("TLS_") ? { ciphers } : old) });
      await told(client);
      return client.socket.getCipher().name;
    }

    const SHORT = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"];
    const NEW = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

    test.each([...SHORT.map((name) => `ECDHE-ECDSA-${name}`), ...NEW])("%s is taken", async (cipher) => {
      expect(await chosen(server, cipher)).toBe(cipher);
    });

    test.each(SHORT.map((name) => `ECDHE-RSA-${name}`))("%s is taken", async (cipher) => {
      expect(await chosen(server, cipher, "rsa.example")).toBe(cipher);
    });

    test.each([
      ["no forward secrecy", "rsa.example", "AES128-GCM-SHA256"],
      ["that and no authenticated encryption", "rsa.example", "AES128-SHA"],
      ["no authenticated encryption", "rsa.example", "ECDHE-RSA-AES256-SHA384"],
      ["the same with the other key", "server.example", "ECDHE-ECDSA-AES128-SHA"],
      ["not on the list", "server.example", "ECDHE-ECDSA-AES128-CCM"],
    ])("%s, with a certificate of %s: %s is refused", async (_why, name, cipher) => {
      await expect(chosen(server, cipher, name)).rejects.toThrow();
    });

    test("the client prefers one; of a list that was given the server does", async () => {
      const [first, second] = ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"];
      expect(await chosen(server, `${first}:${second}`)).toBe(first);
      expect(await chosen(server, `${second}:${first}`)).toBe(second);
      expect(await chosen(strict, `${second}:ECDHE-ECDSA-AES256-CCM`)).toBe("ECDHE-ECDSA-AES256-CCM");
      await expect(chosen(strict, first as string)).rejects.toThrow();
    });
  });

  test("a stop ends every handshake that is under way on a Unix-domain socket, and nothing that has agreed", async () => {
    const server = new HTTPServer((request) => request.respond(200, {}, "hi"), {
      runtime: "node",
      sslOptions: certificate,
    });
    onTestFinished(() => server.stop(0));
    const file = authority.write("unused", "").replace("unused", "socket");
    await server.addSockets([await bindUnixSocket(file, { runtime: "node" })]);
    const under = await Promise.all(
      [null, hello.subarray(0, -1), hello]
        .flatMap((stage) => [stage, stage])
        .map(async (stage) => {
          const socket = net.connect(file).on("error", () => {});
          await once(socket, "connect");
          if (stage !== null) socket.write(stage);
          if (stage === hello) await once(socket, "readable");
          return socket;
        }),
    );
    const agreed = tls.connect({ socket: net.connect(file), rejectUnauthorized: false });
    await once(agreed, "secureConnect");
    const ends = under.map((socket) => once(socket.resume(), "close"));
    agreed.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(agreed, "readable");
    await server.stop();
    await Promise.all(ends);
    expect(String(agreed.read())).toContain("hi");
  });

  async function sessionOf(server: Server, door: Door, options: tls.ConnectionOptions): Promise<Buffer> {
    const client = await secured(server, door, options);
    const session = once(client.socket, "session"); // with TLS 1.3 it comes behind the handshake
    const early = options.maxVersion === "TLSv1.2" ? client.socket.getSession() : undefined;
    await told(client);
    return early ?? ((await session)[0] as Buffer);
  }

  async function reload(server: Server, door: Door): Promise<void> {
    if (door === LISTENER) {
      const client = await secured(server, door);
      await told(client);
      client.socket.write("reload\n");
      expect(await client.line()).toBe("reloaded\n");
    } else {
      const client = await server.connect();
      await client.send("RELOAD\nx\n").readUntil("\n");
    }
  }
});
