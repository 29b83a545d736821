// bindSockets and bindUnixSocket: which sockets there are, with which options, and every way in which there are none.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

import type { ListeningSocket } from "../../../host/core/address.js";
import { BindError } from "../../../host/core/errors.js";
import { type BindOptions, bindSockets, hasReusePort, isValidIp } from "../../../host/net/bind.js";
import { bindUnixSocket } from "../../../host/net/unixsocket.js";
import { HTTPServer } from "../../../host/server/httpserver.js";

const open: ListeningSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

async function bind(port: number, address?: string, options?: BindOptions): Promise<ListeningSocket[]> {
  const sockets = await bindSockets(port, address, options);
  open.push(...sockets);
  return sockets;
}

/** Connects and hangs up. */
async function connects(where: net.NetConnectOpts): Promise<boolean> {
  const socket = net.connect(where);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const hasIPv6 = existsSync("/proc/net/if_inet6") && readFileSync("/proc/net/if_inet6", "latin1") !== "";
const refusal = (promise: Promise<unknown>): Promise<BindError> =>
  promise.then(
    () => expect.fail("should have been refused"),
    (error) => error,
  );

/** The length of the kernel's queue, from inet_diag. */
function backlogOf(port: number): number {
  const line = execFileSync("ss", ["-Hltn", `sport = :${port}`], { encoding: "latin1" });
  return Number(line.trim().split(/\s+/)[2]);
}

const hasSs = ["/bin/ss", "/usr/bin/ss", "/usr/sbin/ss", "/sbin/ss"].some(existsSync);

describe.each(["node", "wasmtime"] as const)("bindSockets for %s", (runtime) => {
  test("the default is a free port of the loopback address", async () => {
    const [{ address }, ...rest] = await bind(0, undefined, { runtime });
    expect(rest).toEqual([]);
    expect(address).toMatchObject({ address: "127.0.0.1", family: "IPv4" });
    expect(address.port).toBeGreaterThan(0);
  });

  test("all interfaces have one port", async () => {
    const sockets = await bind(0, "", { runtime });
    expect(sockets[0].address.address).toBe("0.0.0.0");
    expect(new Set(sockets.map(({ address }) => address.port)).size).toBe(1);
  });

  test("an IP address is one socket, and it listens before a server serves it", async () => {
    const sockets = await bind(0, "127.0.0.1", { runtime });
    expect(sockets.map(({ address }) => address.family)).toEqual(["IPv4"]);
    expect(await connects({ port: sockets[0].address.port, host: "127.0.0.1" })).toBe(true);
  });

  test.skipIf(!hasIPv6)('"" is one socket a family, each for its own family', async () => {
    const sockets = await bind(0, "", { runtime });
    expect(sockets.map(({ address }) => address.address)).toEqual(["0.0.0.0", "::"]);
    const [port, ...rest] = new Set(sockets.map(({ address }) => address.port));
    expect(rest).toEqual([]);
    for (const host of ["127.0.0.1", "127.0.0.2", "::1"]) expect(await connects({ port, host })).toBe(true);
  });

  test("localhost: every socket has the same port", async () => {
    const sockets = await bind(0, "localhost", { runtime });
    expect(sockets.length).toBeGreaterThan(0);
    expect(new Set(sockets.map(({ address }) => address.port)).size).toBe(1);
  });

  test.skipIf(!hasIPv6)("family chooses", async () => {
    expect((await bind(0, "", { runtime, family: "IPv4" })).map(({ address }) => address.address)).toEqual(["0.0.0.0"]);
    const sockets = await bind(0, "", { runtime, family: "IPv6" });
    expect(sockets.map(({ address }) => address.address)).toEqual(["::"]);
    expect(await connects({ port: sockets[0].address.port, host: "127.0.0.1" })).toBe(false);
    expect((await refusal(bind(0, "127.0.0.1", { runtime, family: "IPv6" }))).code).toBe("EAFNOSUPPORT");
  });

  test.skipIf(!hasIPv6)("without ipv6Only one socket takes both families", async () => {
    const sockets = await bind(0, "", { runtime, ipv6Only: false });
    expect(sockets.map(({ address }) => address.address)).toEqual(["::"]);
    for (const host of ["127.0.0.1", "::1"]) {
      expect(await connects({ port: sockets[0].address.port, host })).toBe(true);
    }
  });
});

describe.each(["node", "wasmtime"] as const)("options and errors of bindSockets for %s", (runtime) => {
  test.skipIf(!hasSs)("the backlog is the kernel's", async () => {
    const [socket] = await bind(0, "127.0.0.1", { runtime, backlog: 17 });
    expect(backlogOf(socket.address.port)).toBe(17);
    const [usual] = await bind(0, "127.0.0.1", { runtime });
    expect(backlogOf(usual.address.port)).toBe(511);
  });

  test("reusePort: two sockets on one port, or an error that names the version", async () => {
    const first = bind(0, "127.0.0.1", { runtime, reusePort: true });
    if (!hasReusePort(process.versions.node)) {
      return expect(first).rejects.toThrow(/reusePort needs Node 22\.12 or later, and this is Node \d+/);
    }
    const [{ address }] = await first;
    await bind(address.port, "127.0.0.1", { runtime, reusePort: true });
    expect((await refusal(bind(address.port, "127.0.0.1", { runtime }))).code).toBe("EADDRINUSE");
  });

  test("closed, it gives the port back", async () => {
    const [socket] = await bindSockets(0, "127.0.0.1", { runtime });
    socket.close();
    socket.close();
    expect(await connects({ port: socket.address.port, host: "127.0.0.1" })).toBe(false);
    await bind(socket.address.port, "127.0.0.1", { runtime });
  });

  test("errors have the address, the port and the system's code", async () => {
    const [{ address }] = await bind(0, "127.0.0.1", { runtime });
    const taken = await refusal(bind(address.port, "127.0.0.1", { runtime }));
    expect(taken).toBeInstanceOf(BindError);
    expect(taken).toMatchObject({ code: "EADDRINUSE", address: "127.0.0.1", port: address.port });
    expect(taken.message).toBe(
      `cannot listen on 127.0.0.1:${address.port}: the address is already in use (EADDRINUSE)`,
    );
    const foreign = await refusal(bind(0, "192.0.2.1", { runtime }));
    expect(foreign.message).toMatch(/^cannot listen on 192\.0\.2\.1:0: .*\(EADDRNOTAVAIL\)$/);
    const unknown = await refusal(bind(80, "no-such-host.invalid", { runtime }));
    expect(unknown.message).toMatch(/^cannot listen on no-such-host\.invalid:80: .*\(ENOTFOUND\)$/);
    const foreign6 = await refusal(bind(0, "2001:db8::1", { runtime }));
    expect(foreign6.message).toMatch(/^cannot listen on \[2001:db8::1\]:0: /);
  });

  test("arguments that make no sense", async () => {
    for (const port of [-1, 65536, 1.5, Number.NaN]) {
      expect(await refusal(bind(port))).toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringMatching(/port must be/),
      });
    }
    await expect(bind(0, "", { runtime, backlog: 0 })).rejects.toThrow(/backlog must be/);
    await expect(bind(0, "", { runtime, family: "IPv5" as "IPv6" })).rejects.toThrow(/family must be/);
  });
});

test.each([
  ["20.20.2", false],
  ["22.11.0", false],
  ["22.12.0", true],
  ["23.0.0", false],
  ["23.1.0", true],
  ["26.0.0", true],
])("SO_REUSEPORT in Node %s: %s", (version, has) => expect(hasReusePort(version)).toBe(has));

test("a server does not take a socket of another runtime", async () => {
  const sockets = await bind(0, "127.0.0.1", { runtime: "node" });
  const server = new HTTPServer(() => {}, { runtime: "wasmtime" });
  await expect(server.addSockets(sockets)).rejects.toThrow(/runtime/);
  expect(server.addresses).toEqual([]);
});

test("binding asks for the runtime and nothing else: what is wrong with another setting is said by who needs it", async () => {
  vi.stubEnv("WATERSPOUT_ACCESS_LOG", "nonsense");
  onTestFinished(() => void vi.unstubAllEnvs());
  await bind(0);
  vi.stubEnv("WATERSPOUT_RUNTIME", "deno");
  await expect(bindSockets(0)).rejects.toMatchObject({ code: "INVALID_OPTION" });
});

describe("bindUnixSocket", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "waterspout-"));
    file = path.join(folder, "socket");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function bindUnix(name = file, options = {}): Promise<ListeningSocket> {
    const socket = await bindUnixSocket(name, { runtime: "node", ...options });
    open.push(socket);
    return socket;
  }

  test("a server answers there, one that has stopped leaves no file", async () => {
    const server = new HTTPServer((request) => request.respond(200, {}, JSON.stringify(request.remoteAddress)), {
      runtime: "node",
    });
    onTestFinished(() => server.stop());
    await server.addSockets([await bindUnix()]);
    expect(server.addresses).toEqual([{ address: file, port: 0, family: "unix" }]);
    for (let i = 0; i < 2; i++) {
      const socket = net.connect(file);
      socket.end("GET / HTTP/1.0\r\n\r\n");
      const chunks = await socket.toArray();
      expect(String(Buffer.concat(chunks))).toMatch(/^HTTP\/1\.1 200 [\s\S]*"family":"unix"\}$/);
    }
    await server.stop();
    expect(existsSync(file)).toBe(false);
  });

  test("the mode is 0600, or what was asked for, whatever the umask is; nothing else is in the folder", async () => {
    await bindUnix();
    expect(lstatSync(file).mode & 0o777).toBe(0o600);
    await bindUnix(`${file}2`, { mode: 0o666 });
    expect(lstatSync(`${file}2`).mode & 0o777).toBe(0o666);
    expect(execFileSync("ls", [folder], { encoding: "latin1" })).toBe("socket\nsocket2\n");
  });

  test("closed before a server took it, it leaves no file; a file of another is not touched", async () => {
    const socket = await bindUnix();
    expect(await connects({ path: file })).toBe(true);
    socket.close();
    expect(existsSync(file)).toBe(false);
    const other = await bindUnix();
    rmSync(file);
    writeFileSync(file, "mine");
    other.close();
    expect(readFileSync(file, "latin1")).toBe("mine");
  });

  describe("a path with a file", () => {
    test("a socket that no process listens on any more is replaced", async () => {
      const script = `require("net").createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, "SIGKILL"))`;
      expect(() => execFileSync(process.execPath, ["-e", script])).toThrow();
      expect(lstatSync(file).isSocket()).toBe(true);
      await bindUnix();
      expect(await connects({ path: file })).toBe(true);
    });

    test("one that a process listens on is not", async () => {
      await bindUnix();
      const error = await refusal(bindUnix());
      expect(error).toMatchObject({ code: "EADDRINUSE", address: file, port: null });
      expect(error.message).toBe(`cannot listen on ${file}: the address is already in use (EADDRINUSE)`);
      expect(await connects({ path: file })).toBe(true);
    });

    test("nor is another kind of file", async () => {
      writeFileSync(file, "text");
      expect((await refusal(bindUnix())).message).toBe(
        `cannot listen on ${file}: there is a file of this name that is no socket (ENOTSOCK)`,
      );
      expect(readFileSync(file, "latin1")).toBe("text");
      rmSync(file);
      mkdirSync(file);
      expect((await refusal(bindUnix())).code).toBe("ENOTSOCK");
    });
  });

  test("a folder that is not there, that is no folder, or may not be written to; a path that is too long", async () => {
    expect((await refusal(bindUnix(path.join(folder, "nowhere", "socket")))).code).toBe("ENOENT");
    writeFileSync(file, "");
    expect((await refusal(bindUnix(path.join(file, "socket")))).code).toBe("ENOTDIR");
    expect((await refusal(bindUnix(path.join(folder, "x".repeat(100))))).code).toBe("ENAMETOOLONG");
    if (process.getuid?.() === 0) return;
    chmodSync(folder, 0o500);
    expect((await refusal(bindUnix(path.join(folder, "other")))).code).toBe("EACCES");
    chmodSync(folder, 0o700);
  });

  test.skipIf(process.platform !== "linux")("an abstract name has no file", async () => {
    const name = `\0waterspout-${process.pid}`;
    const server = new HTTPServer((request) => request.respond(200, {}, "hi"), { runtime: "node" });
    onTestFinished(() => server.stop());
    await server.addSockets([await bindUnix(name)]);
    expect(readFileSync("/proc/net/unix", "latin1")).toContain(`@${name.slice(1)}`);
    expect((await refusal(bindUnix(name))).message).toContain(`cannot listen on @${name.slice(1)}: `);
  });

  test("wasmtime takes none, and that is said", async () => {
    await expect(bindUnixSocket(file, { runtime: "wasmtime" })).rejects.toMatchObject({
      code: "RUNTIME_UNAVAILABLE",
      message: expect.stringContaining(file),
    });
    expect(existsSync(file)).toBe(false);
  });

  test("arguments that make no sense", async () => {
    await expect(bindUnix(file, { mode: 0o1777 })).rejects.toThrow(/mode must be/);
    await expect(bindUnix(file, { backlog: 0 })).rejects.toThrow(/backlog must be/);
  });
});

test("isValidIp knows addresses from names and nonsense", () => {
  for (const address of ["127.0.0.1", "4.4.4.4", "::1", "2620:0:1cfe:face:b00c::3"]) {
    expect(isValidIp(address), address).toBe(true);
  }
  for (const text of [
    "",
    " ",
    "\n",
    "www.google.com",
    "localhost",
    "4.4.4.4<",
    " 127.0.0.1",
    "\0",
    "1.2.3",
    "x".repeat(64),
  ]) {
    expect(isValidIp(text), JSON.stringify(text)).toBe(false);
  }
});
