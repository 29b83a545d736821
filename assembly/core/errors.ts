// Why a stream, a read or a request ended. A result of the sandbox is an `i32`: an amount >= 0, AGAIN, or -REASON.
// The same numbers travel in frames: docs/protocol.md, section Reasons.

export * from "./reasons";

/** Nothing can be done now; ask again when the handle is ready. */
export const AGAIN: i32 = -100;
