// Which WASI this build is for, by `--use WASI=…`: 0 a scripted network for tests, 1 preview1, 2 and 3 a component of
// WASI 0.2 or 0.3, 4 and 5 one of wasi:http 0.2 or 0.3, which has no sockets. The branches not taken vanish with their
// imports.

if (!isDefined(WASI))
  ERROR(
    "choose a platform: --use WASI=1 (preview1), 2 (component), 3 (component-async), 4 (http), 5 (http-async), 0 (sim)",
  );

/** The sockets are preview1's: its own, or those that preview2/calls.ts makes of WASI 0.2. */
// @ts-ignore: decorator
@inline export const PREVIEW1: bool = WASI == 1 || WASI == 2;

/** Stderr, clock and files are WASI 0.2's. */
// @ts-ignore: decorator
@inline export const OVER_02: bool = WASI == 2 || WASI == 4;

/** Stderr, clock and files are WASI 0.3's. */
// @ts-ignore: decorator
@inline export const OVER_03: bool = WASI == 3 || WASI == 5;

/** The runtime has the connections: it hands over requests by wasi:http. */
// @ts-ignore: decorator
@inline export const OVER_HTTP: bool = WASI == 4 || WASI == 5;

/** A turn asks for the time only when it needs it, and is not timed itself. */
// @ts-ignore: decorator
@inline export const TIME_WHEN_ASKED: bool = WASI == 4;
