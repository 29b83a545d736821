/**
 * Time, and the classes of the language that tell it: the engine asks a clock that a handler does not have.
 *
 * Invariant: while the application's modules are loaded, which happens when it is built, time stands at 0.
 */
import platform from "waterspout:app/platform@0.2.0";

let running = false;

/** The component runs: it has clocks and chance from now on. */
export function setRunning(): void {
  running = true;
}

export function isRunning(): boolean {
  return running;
}

/** Milliseconds of a clock that never goes back. */
export function monotonicMs(): number {
  return running ? platform.monotonicNow() / 1e6 : 0;
}

/** Milliseconds since 1970. */
export function unixMs(): number {
  if (!running) return 0;
  const { seconds, nanoseconds } = platform.systemNow();
  return seconds * 1000 + Math.floor(nanoseconds / 1e6);
}

/** `Date` without arguments is now. */
export function installClock(): void {
  Date.now = unixMs;
  const clocked = new Proxy(Date, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, given.length === 0 ? [unixMs()] : given, newTarget),
    apply: (target) => new target(unixMs()).toString(),
  });
  Date.prototype.constructor = clocked;
  Object.assign(globalThis, {
    Date: clocked,
    performance: { now: monotonicMs, timeOrigin: 0 },
  });
}
