// websocketConnect against Waterspout's own websockets, and a server of node:net where one misbehaves.
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  Application,
  ConnectError,
  HTTPClientError,
  HTTPServer,
  HTTPTimeoutError,
  type WebSocketClientConnection,
  WebSocketClosedError,
  type WebSocketConnectOptions,
  WebSocketHandler,
  websocketConnect,
} from "waterspout";

import { missingOpenSSL, useCertificate } from "./support/certificates.js";
import { eventually } from "./support/ways.js";

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const OPTIONS = { accessLog: "off", logger: SILENT } as const;

let last: Echo | null = null;
let pings = 0;

class Echo extends WebSocketHandler {
  ended: [number | null, string | null] | null = null;

  override open(): void {
    last = this;
  }
  override selectSubprotocol(offered: readonly string[]): string | null {
    return offered.includes("two") ? "two" : null;
  }
  override getCompressionOptions() {
    return {};
  }
  override async onMessage(message: string | Buffer): Promise<void> {
    const count = /^many (\d+)$/.exec(message.toString())?.[1];
    if (message === "close") return this.close(4001, "as asked");
    if (message === "drop") return this.abort();
    for (let at = 0; at < Number(count ?? 0); at++) await this.writeMessage(String(at));
    if (count === undefined) await this.writeMessage(message);
  }
  override onPing(): void {
    pings++;
  }
  override onClose(): void {
    this.ended = [this.closeCode, this.closeReason];
  }
}

let server: HTTPServer;
let url = "";
const open: WebSocketClientConnection[] = [];
const closers: (() => void)[] = [];

beforeAll(async () => {
  server = new HTTPServer(new Application([["/ws", Echo]]), OPTIONS);
  await server.listen(0);
  url = `ws://127.0.0.1:${server.addresses[0].port}/ws`;
});
afterAll(() => server.stop());
afterEach(() => {
  for (const socket of open.splice(0)) socket.abort();
  for (const close of closers.splice(0)) close();
});

async function connect(options: WebSocketConnectOptions = {}, place = url): Promise<WebSocketClientConnection> {
  const socket = await websocketConnect(place, options);
  open.push(socket);
  return socket;
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail("it resolved"),
    (error) => error,
  );

/** A server of bytes: what it says to a connection's first bytes. */
async function raw(answer: string | null): Promise<string> {
  const listening = net.createServer((socket) => {
    socket.on("error", () => {}).once("data", () => answer !== null && socket.end(answer));
  });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  closers.push(() => void listening.close());
  return `ws://127.0.0.1:${(listening.address() as AddressInfo).port}/`;
}

test.each([null, {}, { compressionLevel: 9, noContextTakeover: true, maxWindowBits: 10 }])(
  "messages both ways, with compression %j",
  async (compressionOptions) => {
    const socket = await connect({ compressionOptions });
    expect(socket.headers.has("sec-websocket-extensions")).toBe(compressionOptions !== null);
    for (const message of ["text", "", "ü".repeat(5000), Buffer.from([0, 255]), Buffer.alloc(100_000, 7)]) {
      await socket.writeMessage(message);
      expect(await socket.readMessage()).toEqual(message);
    }
    await socket.writeMessage(Buffer.from("bytes as text"), false);
    expect(await socket.readMessage()).toBe("bytes as text");
    await socket.writeMessage({ key: "value" });
    expect(await socket.readMessage()).toBe('{"key":"value"}');
    for (const wrong of [7 as never, [1]])
      await expect(async () => socket.writeMessage(wrong)).rejects.toThrow(TypeError);
  },
);

test("nothing is read that is not asked for; then nothing is lost", async () => {
  const socket = await connect();
  await socket.writeMessage("many 1000");
  for (let at = 0; at < 500; at++) expect(await socket.readMessage()).toBe(String(at));
  let at = 500;
  for await (const message of socket) {
    expect(message).toBe(String(at++));
    if (at === 1000) break;
  }
  await socket.writeMessage("more");
  const reading = socket.readMessage();
  await expect(socket.readMessage()).rejects.toThrow(/being read already/);
  expect(await reading).toBe("more");
});

test("onMessage gets them one after the other, and null at the end", async () => {
  const seen: (string | Buffer | null)[] = [];
  let running = 0;
  const socket = await connect({
    onMessage: async (message) => {
      expect(++running).toBe(1);
      await new Promise(setImmediate);
      seen.push(message);
      running--;
    },
  });
  await expect(socket.readMessage()).rejects.toThrow(/go to onMessage/);
  await socket.writeMessage("many 3");
  await socket.writeMessage("close");
  await eventually("the end", () => seen.at(-1) === null);
  expect(seen).toEqual(["0", "1", "2", null]);
});

describe("the end", () => {
  test("by the server: its code and reason", async () => {
    const socket = await connect();
    expect([socket.closeCode, socket.closeReason, socket.isOpen]).toEqual([null, null, true]);
    await socket.writeMessage("last words");
    await socket.writeMessage("close");
    expect(await socket.readMessage()).toBe("last words");
    expect(await socket.readMessage()).toBeNull();
    expect([socket.closeCode, socket.closeReason, socket.isOpen]).toEqual([4001, "as asked", false]);
    expect(await socket.readMessage()).toBeNull();
    await expect(socket.writeMessage("x")).rejects.toThrow(WebSocketClosedError);
    socket.ping();
    socket.close();
  });

  test("by the client, while messages wait", async () => {
    const socket = await connect();
    await socket.writeMessage("many 100");
    await socket.readMessage();
    const handler = last;
    socket.close(4002, "enough");
    await eventually("its end there", () => handler?.ended !== null);
    expect(handler?.ended).toEqual([4002, "enough"]);
    await eventually("its end here", () => socket.closeCode !== null);
    const another = await connect();
    expect(() => another.close(7)).toThrow(/code/);
    expect(() => another.close(1000, "x".repeat(124))).toThrow();
  });

  test("of the connection", async () => {
    const socket = await connect();
    await socket.writeMessage("drop");
    expect(await socket.readMessage()).toBeNull();
    expect(socket.closeCode).toBe(1006);
  });
});

test("a message of as many bytes as are allowed, and of one more: 1009", async () => {
  for (const compressionOptions of [null, {}]) {
    const socket = await connect({ maxMessageBytes: 4096, compressionOptions });
    await socket.writeMessage("x".repeat(4096));
    expect(await socket.readMessage()).toHaveLength(4096);
    const handler = last;
    await socket.writeMessage("x".repeat(4097));
    expect(await socket.readMessage()).toBeNull();
    await eventually("the server to hear why", () => handler?.ended != null);
    expect(handler?.ended?.[0]).toBe(1009);
  }
});

test("pings keep it, and end it when nothing answers", async () => {
  pings = 0;
  const kept = await connect({ pingIntervalMs: 10, onMessage: () => {} });
  await eventually("three pings", () => pings > 3);
  expect(kept.isOpen).toBe(true);
  kept.ping("own");
  const key = /Sec-WebSocket-Key: (.+)\r\n/i;
  const { createHash } = await import("node:crypto");
  const deaf = net.createServer((socket) => {
    socket
      .on("error", () => {})
      .once("data", (head) => {
        const text = `${key.exec(head.toString())?.[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
        const accept = createHash("sha1").update(text).digest("base64");
        socket.write(
          `HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
      });
  });
  deaf.listen(0, "127.0.0.1");
  await once(deaf, "listening");
  closers.push(() => void deaf.close());
  const place = `ws://127.0.0.1:${(deaf.address() as AddressInfo).port}/`;
  const patient = await connect({ pingIntervalMs: 10, pingTimeoutMs: 0, onMessage: () => {} }, place);
  const lost = await connect({ pingIntervalMs: 20 }, place);
  expect(await lost.readMessage()).toBeNull();
  expect(lost.closeCode).toBe(1006);
  expect(patient.isOpen).toBe(true);
});

test("the handshake: fields and subprotocols", async () => {
  const socket = await connect({ subprotocols: ["one", "two"], headers: { "X-Own": "1" } });
  expect(socket.selectedSubprotocol).toBe("two");
  expect(last?.request.headers.get("x-own")).toBe("1");
  expect((await connect()).selectedSubprotocol).toBeNull();
});

describe("no websocket", () => {
  test("a server that answers something else", async () => {
    const error = await failure(websocketConnect(url.replace("/ws", "/nowhere")));
    expect(error).toBeInstanceOf(HTTPClientError);
    expect(error).toMatchObject({ status: 404, response: { code: 404 } });
    const foreign = await failure(websocketConnect({ url, headers: { Origin: "http://elsewhere.example" } }));
    expect(foreign.status).toBe(403);
    const plain = await raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect(await failure(websocketConnect(plain))).toMatchObject({ status: 200 });
    const wrong = await raw(
      "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
    );
    expect(await failure(websocketConnect(wrong))).toMatchObject({ status: 599, code: "BAD_ANSWER" });
  });

  test("no listener, nothing comes, the caller gives up, options that cannot be", async () => {
    const closed = await raw(null);
    closers.pop()?.();
    expect(await failure(websocketConnect(closed))).toBeInstanceOf(ConnectError);
    const silent = await raw(null);
    const late = await failure(websocketConnect(silent, { connectTimeoutMs: 30 }));
    expect(late).toBeInstanceOf(HTTPTimeoutError);
    const reason = new Error("no more");
    expect(await failure(websocketConnect(silent, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const controller = new AbortController();
    setImmediate(() => controller.abort(reason));
    expect(await failure(websocketConnect(silent, { signal: controller.signal }))).toBe(reason);
    expect((await failure(websocketConnect("http://x/"))).message).toMatch(/url must begin with ws:/);
    for (const options of [{ maxMessageBytes: 0 }, { pingIntervalMs: -1 }, { connectTimeoutMs: 0 }]) {
      await expect(websocketConnect(url, options)).rejects.toThrow(/must be a whole number/);
    }
  });
});

describe.skipIf(missingOpenSSL !== null)(missingOpenSSL ?? "TLS", () => {
  const made = useCertificate();

  test("a certificate is checked, unless validateCert is false", async () => {
    const secure = new HTTPServer(new Application([["/ws", Echo]]), { ...OPTIONS, sslOptions: made.certificate });
    await secure.listen(0);
    closers.push(() => void secure.stop());
    const place = `wss://127.0.0.1:${secure.addresses[0].port}/ws`;
    expect(await failure(websocketConnect(place))).toBeInstanceOf(ConnectError);
    for (const options of [{ validateCert: false }, { sslOptions: { caCerts: made.authority.certfile } }]) {
      const socket = await connect(options, place);
      await socket.writeMessage("secret");
      expect(await socket.readMessage()).toBe("secret");
    }
  });
});
