/**
 * The handler's side of wit/waterspout.wit for an application in TypeScript or JavaScript: `waterspout build` puts this
 * in front of the application's modules. Invariant: nothing that an application throws leaves a call of the core, since
 * that would end the component.
 */
import "./globals.js";
import { setRunning } from "./clock.js";
import { Exchange, exchanges } from "./exchange.js";
import { Response } from "./messages.js";
import { takeActions, touch } from "./queue.js";
import { runTimers, untilTimer } from "./timers.js";

type Fetch = (request: unknown, info: object) => unknown;

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
  const fetch = fetchOf(value);
  return {
    request(id, method, target, fields, peer, body, complete) {
      touch();
      setRunning();
      const exchange = new Exchange(id, method, target, fields, peer, body, complete);
      try {
        const answer = fetch(exchange.request, new Info(exchange));
        if (answer instanceof Response) exchange.respond(answer);
        else respondLater(exchange, answer);
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

function fetchOf(value: unknown): Fetch {
  const { fetch } = (value ?? {}) as { fetch?: unknown };
  if (typeof fetch === "function") return (request, info) => (value as { fetch: Fetch }).fetch(request, info);
  throw new TypeError("the default export is no object with fetch");
}

function respondLater(exchange: Exchange, answer: unknown): void {
  if (typeof (answer as PromiseLike<unknown> | null)?.then !== "function") throw new TypeError(NO_RESPONSE);
  exchange.watch();
  (answer as PromiseLike<unknown>).then(
    (value) => {
      try {
        if (!(value instanceof Response)) throw new TypeError(NO_RESPONSE);
        exchange.respond(value);
      } catch (error) {
        exchange.fail(error);
      }
    },
    (error: unknown) => exchange.fail(error),
  );
}

const NO_RESPONSE = "fetch must give a Response";

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
