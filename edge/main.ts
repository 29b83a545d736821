/**
 * The handler's side of wit/waterspout.wit for an application in TypeScript or JavaScript: `waterspout build` puts this
 * in front of the application's modules. Invariant: nothing that an application throws leaves a call of the core, since
 * that would end the component.
 */
import "./globals.js";
import { setRunning } from "./clock.js";
import { Exchange, exchanges } from "./exchange.js";
import { HTTPServerRequest } from "./httprequest.js";
import { type Request, Response } from "./messages.js";
import { takeActions, touch } from "./queue.js";
import { runTimers, untilTimer } from "./timers.js";

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
  closed(id: number): void;
  timers(): void;
  settle(): Promise<void>;
  collect(): object;
}

/** The handler that an application's module gives as its default export. */
export function handlerOf({ default: value }: { default?: unknown }): Handler {
  const call = callOf(value);
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
    closed(id) {
      touch();
      exchanges.get(id)?.closed();
    },
    timers: runTimers,
    async settle() {},
    collect() {
      setRunning();
      const { actions, unsettled } = takeActions();
      return { actions, waitMs: untilTimer(), unsettled };
    },
  };
}

/** Has the application answer a request. What it throws is the handler's. */
type Call = (exchange: Exchange) => void;

function callOf(value: unknown): Call {
  if (typeof value === "function") return callFunction(value as (request: HTTPServerRequest) => unknown);
  const { fetch } = (value ?? {}) as { fetch?: unknown };
  if (typeof fetch !== "function") throw new TypeError("the default export is no function and no object with fetch");
  const application = value as { fetch(request: Request, info: object): unknown };
  return (exchange) => take(exchange, application.fetch(exchange.request, new Info(exchange)), NO_RESPONSE);
}

/** A handler of Tornado's kind answers with `respond`, or gives a Response. */
function callFunction(handler: (request: HTTPServerRequest) => unknown): Call {
  if (/^class\b/.test(Function.prototype.toString.call(handler))) {
    throw new TypeError("the default export is a class, which a component cannot serve");
  }
  if (handler.length > 1) {
    throw new TypeError("the default export has more than one parameter, as handlers of Node's kind do");
  }
  return (exchange) => {
    const answer = handler(new HTTPServerRequest(exchange));
    if (answer !== undefined) take(exchange, answer, null);
    else if (!exchange.answered) exchange.watch(); // it may be answered later
  };
}

const NO_RESPONSE = "fetch must give a Response";

/** `value` is what the handler gave. `missing`: the error when it is no Response; null: it may have answered itself. */
function take(exchange: Exchange, value: unknown, missing: string | null): void {
  if (value instanceof Response) exchange.respond(value);
  else if (typeof (value as PromiseLike<unknown> | null)?.then === "function") {
    if (!exchange.answered) exchange.watch();
    (value as PromiseLike<unknown>).then(
      (later) => {
        try {
          if (later instanceof Response) exchange.respond(later);
          else if (later !== undefined || !exchange.answered) throw new TypeError(missing ?? NO_ANSWER);
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
