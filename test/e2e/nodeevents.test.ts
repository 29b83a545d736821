// Callbacks and events of Node's API: each listener runs on Node's own server and on ours, and must be called with the
// same in the same order.
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { createServer } from "waterspout";

import { Client } from "./support/client.js";
import { eventually } from "./support/ways.js";

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const TIMEOUT_MS = 30;

type Log = (line: string) => void;
type Listener = (req: IncomingMessage, res: ServerResponse, log: Log) => void;
type Coded = { code?: string; message?: string } | null | undefined;

/** Tells of what the request's end was. */
const hear = (req: IncomingMessage, log: Log) => {
  req.on("error", (error: NodeJS.ErrnoException) => log(`req error ${error.code ?? error.message}`));
  req.socket.on("close", (failed) => log(`socket close ${failed}`));
};

/** For requests whose body is there. */
const ANSWERED: Record<string, Listener> = {
  "writeEarlyHints(hints, callback)": (_req, res, log) =>
    res.writeEarlyHints({ link: "</a.css>; rel=preload" }, () => {
      log("cb hints");
      res.end("x");
    }),
  "writeEarlyHints without a link": (_req, res, log) => {
    res.writeEarlyHints({}, () => log("cb hints"));
    res.end("x");
  },
  "writeContinue(callback)": (_req, res, log) =>
    res.writeContinue(() => {
      log("cb continue");
      res.end("x");
    }),
  "writeProcessing(callback)": (_req, res, log) => {
    (res as unknown as { writeProcessing(callback: () => void): void }).writeProcessing(() => log("cb processing"));
    res.end("x");
  },
  "write and end with callbacks": (_req, res, log) => {
    res.write("a", "utf8", () => log("cb a"));
    res.write(Buffer.from("b"), () => log("cb b"));
    res.write("", () => log("cb nothing"));
    res.end("c", () => log("cb end"));
  },
  "end in write's callback": (_req, res, log) =>
    void res.write("a", () => {
      log("cb a");
      res.end("b", "latin1", () => log("cb end"));
    }),
  "end twice, and thrice": (_req, res, log) => {
    res.on("error", (error: Coded) => log(`res error ${error?.code}`));
    res.end("x", () => log("cb first"));
    res.end(() => log("cb second"));
    res.end("y", ((error: Coded) => log(`cb third ${error?.code}`)) as () => void);
  },
  "write after end": (_req, res, log) => {
    res.on("error", (error: Coded) => log(`res error ${error?.code}`));
    res.end("x");
    res.write("y", (error) => log(`cb write ${(error as Coded)?.code}`));
  },
  "cork and uncork": (_req, res, log) => {
    res.cork();
    res.write("a", () => log("cb a"));
    process.nextTick(() => {
      res.uncork();
      res.end("b", () => log("cb end"));
    });
  },
  "a status without a body": (_req, res, log) => {
    res.writeHead(204);
    res.write("a", (error) => log(`cb a ${(error as Coded)?.code}`));
    res.end("b", () => log("cb end"));
  },
  "complete of a request that is not read": (req, res, log) => {
    req.pause();
    log(`complete ${req.complete}`);
    setImmediate(() => {
      log(`complete ${req.complete}`);
      req.resume();
      res.end();
    });
  },
  "flushHeaders, prefinish": (_req, res, log) => {
    res.on("prefinish", () => log("res prefinish"));
    res.flushHeaders();
    setImmediate(() => res.end(() => log("cb end")));
  },
  "res.destroy(error)": (req, res, log) => {
    hear(req, log);
    res.destroy(new Error("mine"));
  },
  "socket.destroy()": (req, _res, log) => {
    hear(req, log);
    req.socket.destroy();
  },
  "res.setTimeout(ms, callback)": (_req, res, log) =>
    void res.setTimeout(TIMEOUT_MS, () => {
      log("res timeout");
      res.end("late");
    }),
  "socket.setTimeout(ms, callback): the connection is cut": (req, res, log) => {
    hear(req, log);
    req.socket.setTimeout(TIMEOUT_MS, () => {
      log("socket timeout");
      res.end("late");
    });
  },
  "setTimeout taken back": (req, res, log) => {
    const never = () => log("socket timeout");
    req.socket.setTimeout(1, never);
    req.socket.setTimeout(0, never);
    setTimeout(() => res.end("x"), TIMEOUT_MS);
  },
};

/** For requests of whose body a part is there. */
const UNFINISHED: Record<string, Listener> = {
  "req.destroy()": (req) => void req.destroy(),
  "req.destroy(error)": (req) => void req.destroy(new Error("mine")),
  "res.destroy()": (_req, res) => void res.destroy(),
  "res.destroy(error)": (_req, res, log) => {
    res.on("error", (error) => log(`res error ${error.message}`));
    res.destroy(new Error("mine"));
  },
  "socket.destroy()": (req) => void req.socket.destroy(),
  "socket.destroySoon()": (req) => void req.socket.destroySoon(),
  "socket.resetAndDestroy()": (req) => void req.socket.resetAndDestroy(),
  "socket.destroy(error)": (req, _res, log) => {
    req.socket.on("error", (error) => log(`socket error ${error.message}`));
    req.socket.destroy(new Error("mine"));
  },
  "socket.setTimeout(ms)": (req, _res, log) => void req.socket.setTimeout(TIMEOUT_MS, () => log("socket timeout")),
};

type Make = (listener: http.RequestListener) => Pick<http.Server, "listen" | "address" | "close" | "setTimeout">;

const theirs: Make = (listener) => http.createServer(listener);
const ours =
  (runtime: "node" | "wasmtime"): Make =>
  (listener) =>
    createServer({ runtime, logger: SILENT }, listener) as unknown as ReturnType<Make>;

/** How a client leaves whose answer has begun. */
const LEAVES: Record<string, (client: Client) => void> = {
  "ends its side": (client) => client.halfClose(),
  "resets the connection": (client) => client.reset(),
};

interface Around {
  serverTimeoutMs?: number;
  /** Called when the answer has begun. */
  leave?: (client: Client) => void;
}

/** The events of each object: between two of them the order is not promised. */
async function told(
  make: Make,
  sent: string,
  listener: Listener,
  { serverTimeoutMs = 0, leave }: Around = {},
): Promise<Record<string, string[]>> {
  const lines: string[] = [];
  const log: Log = (line) => void lines.push(line);
  const server = make((req, res) => {
    for (const event of ["aborted", "end", "close"]) req.on(event, () => log(`req ${event}`));
    for (const event of ["finish", "close"]) res.on(event, () => log(`res ${event}`));
    listener(req, res, log);
  });
  if (serverTimeoutMs > 0) server.setTimeout(serverTimeoutMs, () => log("server timeout"));
  (server as unknown as http.Server).listen(0, "127.0.0.1");
  await once(server as unknown as http.Server, "listening");
  const client = await Client.connect((server.address() as AddressInfo).port);
  client.send(sent);
  if (leave !== undefined) {
    await client.readUntil("begun");
    leave(client);
  }
  await eventually("both ends", () => lines.includes("req close") && lines.includes("res close"));
  client.close();
  await new Promise((resolve) => server.close(resolve));
  const byWhom: Record<string, string[]> = {};
  for (const line of lines) {
    const whom = line.split(" ")[0] as string;
    byWhom[whom] = [...(byWhom[whom] ?? []), line];
  }
  return byWhom;
}

describe.each(["node", "wasmtime"] as const)("%s: as with Node's server", (runtime) => {
  test.each(Object.entries(ANSWERED))("%s", async (_name, listener) => {
    const consume: Listener = (req, res, log) => listener(req.resume(), res, log);
    const sent = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    expect(await told(ours(runtime), sent, consume)).toEqual(await told(theirs, sent, consume));
  });

  test.each(Object.entries(UNFINISHED))("%s, inside a body", async (_name, listener) => {
    const consume: Listener = (req, res, log) => {
      hear(req, log);
      req.once("data", () => listener(req, res, log));
    };
    const sent = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf";
    expect(await told(ours(runtime), sent, consume)).toEqual(await told(theirs, sent, consume));
  });

  describe.each(Object.entries(LEAVES))("a client that %s while its answer is written", (_name, leave) => {
    test.each(["is not read", "is read", "is read, and has no listener for errors"])("the request %s", async (how) => {
      const begin: Listener = (req, res, log) => {
        if (how !== "is read, and has no listener for errors") {
          req.on("error", (error: NodeJS.ErrnoException) => log(`req error ${error.code} ${error.message}`));
        }
        if (how !== "is not read") req.resume();
        res.write("begun");
      };
      const sent = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
      expect(await told(ours(runtime), sent, begin, { leave })).toEqual(await told(theirs, sent, begin, { leave }));
    });

    test("a listener of the socket that one of the answer takes off, in the same close", async () => {
      const begin: Listener = (req, res, log) => {
        req.on("error", () => {});
        const closed = () => log("socket close");
        req.socket.on("close", closed);
        res.on("close", () => req.socket.off("close", closed));
        res.write("begun");
      };
      const sent = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
      expect(await told(ours(runtime), sent, begin, { leave })).toEqual(await told(theirs, sent, begin, { leave }));
    });
  });

  test("server.setTimeout(ms, callback)", async () => {
    const waits: Listener = (req, res) => {
      req.resume();
      setTimeout(() => res.end("x"), 2 * TIMEOUT_MS);
    };
    const sent = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    expect((await told(ours(runtime), sent, waits, { serverTimeoutMs: TIMEOUT_MS })).server).toContain(
      "server timeout",
    );
    expect((await told(theirs, sent, waits, { serverTimeoutMs: TIMEOUT_MS })).server).toContain("server timeout");
  });

  test("createServer takes options first, last, alone, or not at all", async () => {
    const listener: http.RequestListener = (_req, res) => void res.end("served");
    const options = { runtime, logger: SILENT };
    const added = createServer(options);
    added.on("request", listener);
    for (const server of [createServer(options, listener), createServer(listener, options), added]) {
      await once(server.listen(0, "127.0.0.1"), "listening");
      const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      expect(await response.text()).toBe("served");
      await server[Symbol.asyncDispose]();
      expect(server.listening).toBe(false);
    }
    expect(createServer().listening).toBe(false);
    expect(() => createServer({ bodyBytesMax: -1 })).toThrow("bodyBytesMax");
  });
});
