// Handlers of every kind for a hostile worker: they read and answer in every way, wait, give up and throw. What they do
// is chosen by the target, or by the same random numbers as what the worker says.

import type { Logger } from "../../host/core/log.js";
import { HTTPServer, type HTTPServerRequest, type IOStream, TCPServer, WebSocketHandler } from "../../host/index.js";
import type { ServerOptions } from "../../host/server/options.js";
import type { Random } from "./random.js";

/** Targets from /0 on that do something of their own. */
export const WAYS = 10;
/** Bytes of a websocket's message. */
export const MESSAGE_BYTES_MAX = 5000;

export class Handlers {
  /** Messages that websockets were given, and reads of streams that were complete. */
  messages = 0;
  reads = 0;
  /** What those do that have begun and not ended. */
  readonly #doing = new Set<{ what: string }>();

  get doing(): string[] {
    return [...this.#doing].map(({ what }) => what);
  }

  /** A server of requests and websockets. */
  http(options: ServerOptions, asNode: boolean): HTTPServer {
    const handle = (request: HTTPServerRequest) =>
      this.#track((doing) => {
        doing.what = request.target;
        return request.isWebSocket ? this.#accept(request) : answer(request);
      });
    return new HTTPServer({ handle, asNode }, options);
  }

  streams(random: Random, logger: Logger): TCPServer {
    const converse = (stream: IOStream) => this.#track((doing) => this.#converse(stream, random, doing));
    class Server extends TCPServer {
      override handleStream(stream: IOStream): Promise<void> {
        return converse(stream);
      }
    }
    return new Server({ bufferBytesMax: 1 << 16, logger });
  }

  async #track(handle: (doing: { what: string }) => void | Promise<void>): Promise<void> {
    const doing = { what: "" };
    this.#doing.add(doing);
    try {
      await handle(doing);
    } finally {
      this.#doing.delete(doing);
    }
  }

  #accept(request: HTTPServerRequest): void {
    const handlers = this;
    const way = Number(request.path.slice("/ws/".length));
    class Handler extends WebSocketHandler {
      override getCompressionOptions() {
        return way % 2 === 0 ? {} : null;
      }
      override async onMessage(message: string | Buffer): Promise<void> {
        handlers.messages++;
        if (way === 1) throw new Error("on purpose");
        if (way === 2) await nextTurn();
        if (way === 3) this.close(1000, "enough");
        else await this.writeMessage(message).catch(() => {});
      }
      override onPing(): void {
        if (way === 4) throw new Error("on purpose");
      }
      override onClose(): void {
        if (way === 5) throw new Error("on purpose");
      }
    }
    Handler.serve(request, [], { maxMessageBytes: MESSAGE_BYTES_MAX });
  }

  async #converse(stream: IOStream, random: Random, doing: { what: string }): Promise<void> {
    stream.setCloseCallback(() => {
      if (random.once(9)) throw new Error("on purpose");
    });
    while (!stream.closed) {
      const way = random.below(9);
      doing.what = `way ${way}`;
      if (way < 6) {
        await read(stream, way, random);
        this.reads++;
      } else if (way > 6) void stream.write("w".repeat(random.below(9000)));
      else end(stream, random.below(12));
      if (random.once(4)) await nextTurn();
    }
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

async function answer(request: HTTPServerRequest): Promise<void> {
  const { connection } = request;
  switch (Number(request.path.slice(1)) % WAYS) {
    case 0:
      return request.respond(200, {}, JSON.stringify([...request.headers, request.host, ...request.cookies]));
    case 1:
      return request.respond(200, {}, await request.readBody(5000));
    case 2:
      for await (const block of request.body) if (block.length > 700) break;
      return request.respond(204);
    case 3: {
      const { fields } = await request.readForm();
      return request.respond(200, {}, String(fields));
    }
    case 4:
      connection.writeHeaders(200, { "Content-Type": "text/plain" });
      for (let part = 0; part < 3; part++) await connection.write("part".repeat(3000));
      return connection.finish();
    case 5:
      connection.writeHeaders(200, { "Content-Length": "5" });
      throw new Error("on purpose");
    case 6:
      while (!request.signal.aborted) await nextTurn();
      return;
    case 7:
      await request.readBody();
      return request.respond(200, {}, String([...request.trailers, request.remoteAddress, request.query.get("a")]));
    case 8:
      return request.respond(200, {}, "z".repeat(100_000));
    default:
      throw new Error("on purpose");
  }
}

async function read(stream: IOStream, way: number, random: Random): Promise<unknown> {
  switch (way) {
    case 0:
      return stream.readUntil("\r\n", 1 + random.below(500));
    case 1:
      return stream.readBytes(1 + random.below(3000));
    case 2:
      return stream.readBytes(100, { partial: true });
    case 3:
      return stream.readUntilRegex(/dd/);
    case 4:
      for await (const block of stream) if (block.length > 1000) break;
      return;
    default:
      void stream.readUntilClose().catch(() => {});
      return stream.readBytes(1); // a second read, which is refused
  }
}

function end(stream: IOStream, way: number): void {
  if (way === 0) stream.close();
  if (way === 1) stream.abort();
  if (way === 2) throw new Error("on purpose");
}
