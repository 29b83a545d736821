// What `--use` defines for the compiler: asc does not read this file, tsc and editors do.

/**
 * The platform: 0 is the scripted network of the tests, 1 is WASI preview1, 2 and 3 are components of WASI 0.2 and 0.3.
 */
declare const WASI: i32;
