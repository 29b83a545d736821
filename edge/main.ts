/**
 * The handler's side of wit/waterspout.wit for an application in TypeScript or JavaScript: `waterspout build` puts this
 * in front of the application's modules. Invariant: nothing that an application throws leaves a call of the core, since
 * that would end the component.
 */
import "./globals.js";
import { setRunning } from "./clock.js";
import { Exchange, exchanges } from "./exchange.js";
import { HTTPServerRequest } from "./httprequest.js";
import { currentLink, type Streams, setOffered, type WebSockets } from "./link.js";
import { type Logger, logger } from "./logger.js";
import { type Request, Response } from "./messages.js";
import { takeActions, touch } from "./queue.js";
import { runTimers, untilTimer } from "./timers.js";

// As those of the host.
const SERVER_BRAND = Symbol.for("waterspout.server");
const WEBSOCKET_BRAND = Symbol.for("waterspout.websocket");

/** What the core calls. */
export interface Handler {
  request(
    id: number,
    method: string,
    target: string,
    fields: string,
    peer: string,
    body: Uint8Array | null,
    complete: boolean,
  ): void;
  body(id: number, data: Uint8Array, last: boolean): void;
  sent(id: number): void;
  ended(id: number): void;
  closed(id: number): void;
  timers(): void;
  settle(): Promise<void>;
  collect(): object;
}

/** What the core calls about an application's module, which has a default export. */
export function partsOf({ default: value }: { default?: unknown }): Parts {
  return { handler: handlerOf(callOf(value)), streams, websockets };
}

/** By the names of the interfaces. */
interface Parts {
  handler: Handler;
  streams: Streams;
  websockets: WebSockets;
}

function handlerOf(call: Call): Handler {
  return {
    request(id, method, target, fields, peer, body, complete) {
      touch();
      setRunning();
      const exchange = new Exchange(id, method, target, fields, peer, body, complete);
      try {
        call(exchange);
      } catch (error) {
        exchange.fail(error);
      }
    },
    body(id, data, last) {
      touch();
      exchanges.get(id)?.receive(data, last);
    },
    sent(id) {
      touch();
      exchanges.get(id)?.sent();
    },
    ended(id) {
      touch();
      exchanges.get(id)?.ended();
    },
    closed(id) {
      touch();
      exchanges.get(id)?.closed();
      currentLink()?.aborted(id);
    },
    timers: runTimers,
    async settle() {},
    collect() {
      setRunning();
      currentLink()?.flush();
      const { actions, unsettled } = takeActions();
      return { actions, waitMs: untilTimer(), unsettled };
    },
  };
}

const streams: Streams = {
  opened: (...given) => currentLink()?.streams.opened(...given),
  data: (...given) => currentLink()?.streams.data(...given),
  readFailed: (...given) => currentLink()?.streams.readFailed(...given),
  ended: (...given) => currentLink()?.streams.ended(...given),
  sent: (...given) => currentLink()?.streams.sent(...given),
  closed: (...given) => currentLink()?.streams.closed(...given),
};

const websockets: WebSockets = {
  offered: setOffered,
  data: (...given) => currentLink()?.websockets.data(...given),
  ping: (...given) => currentLink()?.websockets.ping(...given),
  pong: (...given) => currentLink()?.websockets.pong(...given),
  sent: (...given) => currentLink()?.websockets.sent(...given),
  ending: (...given) => currentLink()?.websockets.ending(...given),
  closed: (...given) => currentLink()?.websockets.closed(...given),
};

/** Has the application answer a request. What it throws is the handler's. */
type Call = (exchange: Exchange) => void;

function callOf(value: unknown): Call {
  const server = serverOf(value);
  if (server !== null) return callServer(server);
  if (isWebSocketClass(value)) return (exchange) => answer(exchange, (request) => value.serve(request));
  if (typeof value === "function") return callFunction(value as (request: HTTPServerRequest) => unknown);
  const { fetch, handle, findHandler } = (value ?? {}) as { [name in "fetch" | "handle" | "findHandler"]?: unknown };
  if (typeof fetch !== "function") {
    if (typeof handle === "function") return callListener(value as Listener);
    if (typeof findHandler === "function") return callListener(listenerOf(value as Finder));
    throw new TypeError("the default export is no function, no Application and no object with fetch");
  }
  const application = value as { fetch(request: Request, info: object): unknown };
  return (exchange) => take(exchange, application.fetch(exchange.request, new Info(exchange)), NO_RESPONSE);
}

interface WebSocketClass {
  serve(request: HTTPServerRequest): void;
}

function isWebSocketClass(value: unknown): value is WebSocketClass {
  return typeof value === "function" && (value as unknown as Record<symbol, unknown>)[WEBSOCKET_BRAND] === true;
}

/** A TCPServer. */
interface Server {
  serve(): void;
}

/** One of a class of servers, or the class; null: neither. */
function serverOf(value: unknown): Server | null {
  const isServer = (type: unknown): boolean =>
    typeof type === "function" && (type as unknown as Record<symbol, unknown>)[SERVER_BRAND] === true;
  if (isServer(value)) return new (value as new () => Server)();
  return isServer((value as object | null | undefined)?.constructor) ? (value as Server) : null;
}

/** Its connections bring no requests. */
function callServer(server: Server): Call {
  server.serve();
  return () => {};
}

/** A handler of Tornado's kind answers with `respond`, or gives a Response. */
function callFunction(handler: (request: HTTPServerRequest) => unknown): Call {
  if (/^class\b/.test(Function.prototype.toString.call(handler))) {
    throw new TypeError("the default export is a class, which a component cannot serve");
  }
  if (handler.length > 1) {
    throw new TypeError("the default export has more than one parameter, as handlers of Node's kind do");
  }
  return (exchange) => answer(exchange, handler);
}

/** An Application, or a router. */
interface Listener {
  handle(request: HTTPServerRequest, logger: Logger): unknown;
  readonly settings?: { readonly staticPath?: unknown };
}
interface Finder {
  findHandler(request: HTTPServerRequest, logger: Logger): ((request: HTTPServerRequest) => unknown) | null;
}

function callListener(listener: Listener): Call {
  if (listener.settings?.staticPath !== undefined) {
    throw new TypeError("the setting staticPath is for files, which a component does not have");
  }
  return (exchange) => answer(exchange, (request) => listener.handle(request, logger));
}

function listenerOf(finder: Finder): Listener {
  return {
    handle(request, logger) {
      const found = finder.findHandler(request, logger);
      return found === null ? request.respond(404) : found(request);
    },
  };
}

function answer(exchange: Exchange, handler: (request: HTTPServerRequest) => unknown): void {
  const request = new HTTPServerRequest(exchange);
  const given = handler(request);
  if (given !== undefined) take(exchange, given, null, request);
  else if (!exchange.answered) exchange.watch(); // it may be answered later
}

const NO_RESPONSE = "fetch must give a Response";

/**
 * `value` is what the handler gave. `missing`: the error when it is no Response; null: it may have answered itself.
 * `request`: the one that it was given, of Tornado's kind.
 */
function take(exchange: Exchange, value: unknown, missing: string | null, request: HTTPServerRequest | null = null) {
  const respond = (response: Response): void =>
    request === null ? exchange.respond(response) : request.respondWith(response);
  if (value instanceof Response) respond(value);
  else if (typeof (value as PromiseLike<unknown> | null)?.then === "function") {
    if (!exchange.answered) exchange.watch();
    (value as PromiseLike<unknown>).then(
      (later) => {
        try {
          if (later instanceof Response) return respond(later);
          const isTaken = exchange.answered || request?.isLeft === true;
          if (later === undefined && isTaken) return;
          if (later !== undefined || exchange.gone === null) throw new TypeError(missing ?? NO_ANSWER);
          exchange.abort(); // no code will complete the answer
        } catch (error) {
          exchange.fail(error);
        }
      },
      (error: unknown) => exchange.fail(error),
    );
  } else throw new TypeError(missing ?? NO_ANSWER);
}

const NO_ANSWER = "the handler has ended without an answer";

/** Where the request comes from, in the words of other servers (docs/fetch.md). */
class Info {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get remoteAddr(): object | undefined {
    const { ip } = this.#exchange;
    return ip === undefined ? undefined : { transport: "tcp", hostname: ip, port: 0 };
  }

  get incoming(): object {
    return { socket: { remoteAddress: this.#exchange.ip } };
  }

  requestIP(): object | null {
    const { ip } = this.#exchange;
    return ip === undefined ? null : { address: ip, family: ip.includes(":") ? "IPv6" : "IPv4" };
  }
}
