// What an application that serves files asks of WASI 0.2: seven functions, all of them reading.
// Reference: wasi:filesystem 0.2.0; CanonicalABI.md.

// @ts-ignore: decorator
@external("wasi:filesystem/preopens@0.2.0", "get-directories")
export declare function getDirectories(listOut: usize): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.2.0", "[method]descriptor.stat-at")
export declare function statAt(folder: i32, lookup: i32, path: usize, size: usize, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.2.0", "[method]descriptor.open-at")
export declare function openAt(
  folder: i32,
  lookup: i32,
  path: usize,
  size: usize,
  openFlags: i32,
  flags: i32,
  resultOut: usize,
): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.2.0", "[method]descriptor.stat")
export declare function statOf(file: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.2.0", "[method]descriptor.metadata-hash")
export declare function metadataHash(file: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.2.0", "[method]descriptor.read")
export declare function readFile(file: i32, size: u64, offset: u64, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.2.0", "[resource-drop]descriptor")
export declare function dropFile(file: i32): void;

/** Cases of error-code. */
export const ERROR_ACCESS: i32 = 0;
export const ERROR_ILLEGAL_BYTE_SEQUENCE: i32 = 9;
export const ERROR_INVALID: i32 = 12;
/** Also what wasmtime says when the process is out of descriptors. */
export const ERROR_IO: i32 = 13;
export const ERROR_LOOP: i32 = 15;
export const ERROR_NAME_TOO_LONG: i32 = 18;
export const ERROR_NO_ENTRY: i32 = 20;
export const ERROR_INSUFFICIENT_MEMORY: i32 = 22;
export const ERROR_NOT_DIRECTORY: i32 = 24;
export const ERROR_NOT_PERMITTED: i32 = 31;

/** path-flags: follow a symbolic link at the path's end. */
export const SYMLINK_FOLLOW: i32 = 1;
/** descriptor-flags. */
export const READ: i32 = 1;

// A descriptor-stat in a result: type u8 @8, link-count u64 @16, size u64 @24, then three times an option of a time:
// u8, seconds u64 behind 8 bytes, nanoseconds u32 behind 16. They stand @32 (access), @56 (modification) and @80.
export const STAT_RESULT_BYTES: i32 = 104;
export const TYPE_DIRECTORY: i32 = 3;
export const TYPE_REGULAR: i32 = 6;
