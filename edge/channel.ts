/**
 * `MessageChannel`: two ports in one component. A message is a copy, and comes in a later turn.
 * Reference: html.spec.whatwg.org 9.4.
 */
import { structuredClone } from "./clone.js";
import { Event, EventTarget } from "./events.js";
import { timerGlobals } from "./timers.js";

export class CustomEvent extends Event {
  readonly detail: unknown;

  constructor(type: string, { detail = null }: { detail?: unknown } = {}) {
    super(type);
    this.detail = detail;
  }
}

export class MessageEvent extends Event {
  readonly data: unknown;

  constructor(type: string, { data = null }: { data?: unknown } = {}) {
    super(type);
    this.data = data;
  }
}

type Listener = ((event: MessageEvent) => void) | null;

export class MessagePort extends EventTarget {
  #other: MessagePort | null = null;
  /** Those that came before `start`; null: it has started. */
  #waiting: unknown[] | null = [];
  #onmessage: Listener = null;

  static pair(): [MessagePort, MessagePort] {
    const [one, other] = [new MessagePort(), new MessagePort()];
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  postMessage(value: unknown): void {
    const copy = structuredClone(value);
    const other = this.#other;
    if (other !== null) timerGlobals.setTimeout(() => other.#take(copy), 0);
  }

  #take(data: unknown): void {
    if (this.#waiting !== null) this.#waiting.push(data);
    else if (this.#other !== null) this.dispatchEvent(new MessageEvent("message", { data }));
  }

  start(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const data of waiting) timerGlobals.setTimeout(() => this.#take(data), 0);
  }

  /** No message comes to either port any more. */
  close(): void {
    const other = this.#other;
    this.#other = null;
    if (other !== null) other.#other = null;
  }

  get onmessage(): Listener {
    return this.#onmessage;
  }

  set onmessage(listener: Listener) {
    const [before, next] = [this.#onmessage, typeof listener === "function" ? listener : null];
    if (before !== null) this.removeEventListener("message", before as (event: Event) => void);
    if (next !== null) this.addEventListener("message", next as (event: Event) => void);
    this.#onmessage = next;
    this.start();
  }
}

export class MessageChannel {
  readonly port1: MessagePort;
  readonly port2: MessagePort;

  constructor() {
    [this.port1, this.port2] = MessagePort.pair();
  }
}
