// What a path may lead to, and why it may not: results of files/index.ts.

/** Kinds of what a path leads to. */
export const REGULAR: i32 = 1;
export const DIRECTORY: i32 = 2;
export const OTHER: i32 = 3;

/** Why there is nothing, as negative results. */
export const MISSING: i32 = 1;
/** It is outside of the folder, or not to be read. */
export const FORBIDDEN: i32 = 2;
/** The process, or the system, has too many files open. */
export const BUSY: i32 = 3;
export const FAILED: i32 = 4;
