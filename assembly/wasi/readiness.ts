// What is watched of a handle, and how long a wait may last: the words of the contract in index.ts.

export const NONE: i32 = 0;
export const READ: i32 = 1;
export const WRITE: i32 = 2;
/** A wait without a limit. */
export const FOREVER: i64 = i64.MAX_VALUE;
