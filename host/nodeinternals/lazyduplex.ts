/**
 * A Duplex that has a stream's state only when it is used as a stream: it is an emitter by its constructor, a Duplex by
 * its prototype, and Node's constructor is called when its own methods first ask for `_readableState` or
 * `_writableState`. The fallback is a Duplex from the start.
 */
import { EventEmitter } from "node:events";
import { Duplex } from "node:stream";
import { nodeInternal } from "./internal.js";

type Listener = (...given: unknown[]) => void;

const STATES = ["_readableState", "_writableState"] as const;
/** Events whose first listener makes a stream begin. */
const OF_STREAMS = ["data", "readable"];

class Emitter extends EventEmitter {
  static {
    Object.setPrototypeOf(Emitter.prototype, Duplex.prototype);
    for (const name of STATES) {
      Object.defineProperty(Emitter.prototype, name, {
        get(this: Emitter) {
          if (!Object.hasOwn(this, name)) Reflect.apply(Duplex, this, []);
          return Object.getOwnPropertyDescriptor(this, name)?.value;
        },
        set(this: Emitter, value: unknown) {
          Object.defineProperty(this, name, { value, writable: true, configurable: true });
        },
      });
    }
    for (const name of ["on", "addListener", "off", "removeListener"] as const) {
      Object.defineProperty(Emitter.prototype, name, {
        value(this: Emitter, event: string, listener: Listener) {
          const { prototype } = OF_STREAMS.includes(event) ? Duplex : EventEmitter;
          return Reflect.apply(prototype[name], this, [event, listener]);
        },
      });
    }
  }
}

export const lazyDuplex = nodeInternal(
  "_writableState",
  "time for each request of a Node handler: its socket gets a stream's state",
  () => {
    const stream = new Emitter() as unknown as Duplex;
    const isEmpty = STATES.every((name) => !Object.hasOwn(stream, name));
    stream.pause();
    return isEmpty && stream.isPaused() && STATES.every((name) => Object.hasOwn(stream, name));
  },
);

export const LazyDuplex: new () => Duplex = lazyDuplex.isThere() ? (Emitter as unknown as new () => Duplex) : Duplex;
