// TCPClient in an AssemblyScript application, over real connections: what the runtime grants is connected to, and all
// else is a reason in words.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rowsBelow } from "../docs/documents.js";
import { importsOf } from "./support/components.js";
import { end } from "./support/programs.js";
import {
  CLI,
  COMPONENT,
  COMPONENT_ASYNC,
  eventually,
  freePort,
  ROOT,
  SANDBOXED_BARE,
  type Server,
  start,
} from "./support/ways.js";

/** GET /HOST/PORT/MS: connects, and answers with the peer's address and what it sends first; or with why not. */
const ASKING = `import { ConnectHandler, HTTPHandler, HTTPServer, HTTPServerRequest, IOStream, StreamHandler,
  TCPClient, connectReasonText } from "waterspout/assembly";
export { _start, turn } from "waterspout/assembly";
class Reading extends StreamHandler {
  constructor(private request: HTTPServerRequest) { super(); }
  onRead(stream: IOStream, source: usize, size: i32): void {
    const said = String.UTF8.decodeUnsafe(source, size);
    this.request.respond(200, "text/plain", stream.address!.toString() + " " + said);
    stream.finish(false);
  }
  onReadFailed(stream: IOStream, reason: i32): void {
    this.request.respond(502, "text/plain", "no answer: " + reason.toString());
  }
}
class Asking extends ConnectHandler {
  constructor(private request: HTTPServerRequest) { super(); }
  onConnect(stream: IOStream): void {
    stream.setHandler(new Reading(this.request));
    stream.readBytes(1000, true);
  }
  onConnectFailed(reason: i32): void {
    this.request.respond(502, "text/plain", connectReasonText(reason));
  }
}
class Handler extends HTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    const parts = String.UTF8.decodeUnsafe(request.target, request.targetSize).split("/");
    const client = new TCPClient();
    client.timeoutMs = I32.parseInt(parts[3]);
    client.connect(parts[1], I32.parseInt(parts[2]), new Asking(request));
  }
}
new HTTPServer(new Handler()).listen();
`;
/** Listens and never accepts: it is stopped. What its queue does not hold is never answered. */
const SILENT = `const server = require("node:net").createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  require("node:fs").writeSync(1, server.address().port + "\\n");
  process.kill(process.pid, "SIGSTOP");
});`;
const GRANTS = ["-S", "allow-ip-name-lookup=y"];
const LONG_MS = 10_000;
/** For compiling on a busy machine. */
const BUILD_MS = 300_000;

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-outgoing-"));
const greeters = ["127.0.0.1", "::1"].map((host) => {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.write(`you are ${socket.remotePort}`);
  });
  return { host, server };
});
const portOf = (index: number): number => (greeters[index].server.address() as net.AddressInfo).port;

beforeAll(async () => {
  mkdirSync(path.join(folder, "node_modules"));
  writeFileSync(path.join(folder, "package.json"), "{}");
  symlinkSync(ROOT, path.join(folder, "node_modules/waterspout"));
  writeFileSync(path.join(folder, "asking.ts"), ASKING);
  for (const { host, server } of greeters) await once(server.listen(0, host), "listening");
});
afterAll(() => {
  for (const { server } of greeters) server.close();
  rmSync(folder, { recursive: true });
});

async function build(target: string): Promise<string> {
  const file = path.join(folder, `asking.${target}.wasm`);
  const command = [process.execPath, CLI, "build", path.join(folder, "asking.ts"), "--target", target, "--out", file];
  expect(await end(command)).toMatchObject({ code: 0 });
  return file;
}

async function asked(server: Server, target: string): Promise<string> {
  return (await server.get(target)).body.toString();
}

describe.each([COMPONENT, COMPONENT_ASYNC])("$component", (way) => {
  let app = "";
  let server: Server;
  beforeAll(async () => {
    app = await build(way.component!);
    server = await start(way, app, GRANTS);
  }, BUILD_MS);
  afterAll(() => server.stop());

  test("its imports are those of a server and the published ones, and nothing else", async () => {
    const listed = [`### \`${way.component}\``, "### Outgoing connections"].flatMap((heading) =>
      rowsBelow("docs/threat-model.md", heading).map(({ import: name }) => name.replaceAll("`", "")),
    );
    const version = way.component === "component" ? "@0.2." : "@0.3.";
    const published = listed.filter((name) => name.includes(version));
    expect((await importsOf(app)).sort()).toEqual(published.sort());
  });

  test.each([
    ["127.0.0.1", 0],
    ["::1", 1],
  ])("connects to %s", async (host, index) => {
    const where = host.includes(":") ? `[${host}]` : host;
    const said = await asked(server, `/${host}/${portOf(index)}/${LONG_MS}`);
    expect(said).toMatch(new RegExp(`^${where.replaceAll(/[.[\]]/g, "\\$&")}:${portOf(index)} you are \\d+$`));
  });

  test("connects to a name", async () => {
    expect(await asked(server, `/localhost/${portOf(0)}/${LONG_MS}`)).toMatch(/ you are \d+$/);
  });

  test("says what is refused, unknown or impossible", async () => {
    const port = await freePort();
    expect(await asked(server, `/127.0.0.1/${port}/${LONG_MS}`)).toBe("connection refused");
    expect(await asked(server, `/localhost/${port}/${LONG_MS}`)).toBe("connection refused");
    expect(await asked(server, `/no%20name/80/${LONG_MS}`)).toBe("no such name, address or port can be");
    expect(await asked(server, `/127.0.0.1/65536/${LONG_MS}`)).toBe("no such name, address or port can be");
  });

  test("a peer that does not answer is given up in time, and nothing stays open", async () => {
    const silent = await Silent.start();
    try {
      const descriptors = (): number => readdirSync(`/proc/${server.pid}/fd`).length;
      await asked(server, `/127.0.0.1/${portOf(0)}/${LONG_MS}`);
      const before = descriptors();
      for (let i = 0; i < 3; i++) expect(await asked(server, `/127.0.0.1/${silent.port}/200`)).toBe("timed out");
      const port = await freePort();
      for (let round = 0; round < 20; round++) {
        const targets = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? port : portOf(0)));
        await Promise.all(targets.map((target) => asked(server, `/127.0.0.1/${target}/${LONG_MS}`)));
      }
      await eventually("its descriptors given back", () => descriptors() <= before + 2);
    } finally {
      silent.end();
    }
  });

  test("a runtime that grants no lookups is a reason, and addresses are connected to all the same", async () => {
    const strict = await start(way, app);
    try {
      const said = await asked(strict, `/localhost/${portOf(0)}/${LONG_MS}`);
      expect(said).toMatch(/^access denied; .*allow-ip-name-lookup$/);
      expect(await asked(strict, `/127.0.0.1/${portOf(0)}/${LONG_MS}`)).toMatch(/ you are \d+$/);
    } finally {
      await strict.stop();
    }
  });
});

test(
  "preview1 has no outgoing connections, and says so",
  async () => {
    const server = await start(SANDBOXED_BARE, await build("preview1"));
    try {
      const said = await asked(server, `/127.0.0.1/${portOf(0)}/${LONG_MS}`);
      expect(said).toBe("only components of WASI 0.2 and 0.3 make outgoing connections");
    } finally {
      await server.stop();
    }
  },
  BUILD_MS,
);

/** A port whose queue is full. */
class Silent {
  port = 0;
  private readonly clients: net.Socket[] = [];
  private constructor(private readonly process: ChildProcess) {}

  static async start(): Promise<Silent> {
    const silent = new Silent(spawn(process.execPath, ["-e", SILENT], { stdio: ["ignore", "pipe", "inherit"] }));
    const [line] = await once(silent.process.stdout!, "data");
    silent.port = Number(line.toString());
    // As many as the kernel takes into a queue of one, and some more.
    for (let i = 0; i < 4; i++) silent.clients.push(net.connect(silent.port, "127.0.0.1").on("error", () => {}));
    await once(silent.clients[0], "connect");
    return silent;
  }

  end(): void {
    for (const client of this.clients) client.destroy();
    this.process.kill("SIGKILL");
  }
}
