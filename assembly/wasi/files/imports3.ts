// What an application that serves files asks of WASI 0.3: six functions, all of them reading. Asynchronous ones are
// lowered so that a call waits for its result. Reference: wasi:filesystem 0.3.0; CanonicalABI.md.

// @ts-ignore: decorator
@external("wasi:filesystem/preopens@0.3.0", "get-directories")
export declare function getDirectories(listOut: usize): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.3.0", "[method]descriptor.stat-at")
export declare function statAt(folder: i32, lookup: i32, path: usize, size: usize, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.3.0", "[method]descriptor.open-at")
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
@external("wasi:filesystem/types@0.3.0", "[method]descriptor.stat")
export declare function statOf(file: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.3.0", "[method]descriptor.metadata-hash")
export declare function metadataHash(file: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.3.0", "[method]descriptor.read-via-stream")
export declare function openStream(file: i32, offset: i64, pairOut: usize): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.3.0", "[async-lower][stream-read-0][method]descriptor.read-via-stream")
export declare function readStream(stream: i32, target: usize, size: i32): i32;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.3.0", "[stream-drop-readable-0][method]descriptor.read-via-stream")
export declare function dropStream(stream: i32): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.3.0", "[future-drop-readable-1][method]descriptor.read-via-stream")
export declare function dropOutcome(future: i32): void;
// @ts-ignore: decorator
@external("wasi:filesystem/types@0.3.0", "[resource-drop]descriptor")
export declare function dropFile(file: i32): void;

/** The case `other` of error-code and of descriptor-type: with an option of a text. */
export const ERROR_OTHER: i32 = 36;
export const TYPE_OTHER: i32 = 7;

// A descriptor-stat in a result: its type u8 @8, as a variant of 16 bytes, link-count u64 @24, size u64 @32, then three
// times an option of an instant: u8, seconds s64 behind 8 bytes, nanoseconds u32 behind 16. They stand @40 (access),
// @64 (modification) and @88.
export const STAT_RESULT_BYTES: i32 = 112;
