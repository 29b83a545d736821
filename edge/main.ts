/**
 * The handler's side of wit/waterspout.wit for an application in TypeScript or JavaScript: `waterspout build` puts this
 * in front of the application's modules. Invariant: nothing that an application throws leaves a call of the core, since
 * that would end the component.
 */
import "./globals.js";
import { setRunning } from "./clock.js";
import { Exchange, exchanges, type Head } from "./exchange.js";
import { Response } from "./messages.js";
import { takeActions, touch } from "./queue.js";
import { runTimers, untilTimer } from "./timers.js";

type Fetch = (request: unknown, info: object) => unknown;

/** What the core calls. */
export interface Handler {
  request(head: Head): void;
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
    request(head) {
      touch();
      setRunning();
      const exchange = new Exchange(head);
      try {
        const answer = fetch(exchange.request, infoOf(head));
        if (isThenable(answer))
          answer.then((value) => respond(exchange, value)).then(undefined, (error: unknown) => exchange.fail(error));
        else respond(exchange, answer);
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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null)?.then === "function";
}

function respond(exchange: Exchange, value: unknown): void {
  if (!(value instanceof Response)) throw new TypeError("fetch must give a Response");
  exchange.respond(value);
}

/** Where the request comes from, in the words of other servers (docs/fetch.md). */
function infoOf({ peer }: Head): object {
  const address = peer === "" ? undefined : peer;
  return {
    remoteAddr: address === undefined ? undefined : { transport: "tcp", hostname: address, port: 0 },
    incoming: { socket: { remoteAddress: address } },
    requestIP: () => (address === undefined ? null : { address, family: address.includes(":") ? "IPv6" : "IPv4" }),
  };
}
