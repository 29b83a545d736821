// What `--use` defines for the compiler: asc does not read this file, tsc and editors do.

/** The platform: 0 is the scripted network of the tests, 1 is WASI preview1. */
declare const WASI: i32;
