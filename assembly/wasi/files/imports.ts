// What an application that serves files asks of WASI preview1 beside imports.ts: six functions, all of them reading.
// core.wasm has none of them, and neither has an application that does not import files/index.ts.
// Reference: WASI snapshot 01, wasi_snapshot_preview1.witx.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_prestat_get")
export declare function fd_prestat_get(fd: u32, prestatOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_prestat_dir_name")
export declare function fd_prestat_dir_name(fd: u32, target: usize, size: u32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "path_filestat_get")
export declare function path_filestat_get(fd: u32, lookup: u32, path: usize, size: u32, statOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "path_open")
export declare function path_open(
  fd: u32,
  lookup: u32,
  path: usize,
  size: u32,
  oflags: u32,
  rights: u64,
  inheriting: u64,
  fdflags: u32,
  fdOut: usize,
): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_filestat_get")
export declare function fd_filestat_get(fd: u32, statOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_pread")
export declare function fd_pread(fd: u32, iovs: usize, count: i32, offset: u64, sizeOut: usize): i32;

export const ERRNO_ACCES: i32 = 2;
export const ERRNO_ILSEQ: i32 = 25;
export const ERRNO_INVAL: i32 = 28;
export const ERRNO_LOOP: i32 = 32;
export const ERRNO_MFILE: i32 = 33;
export const ERRNO_NAMETOOLONG: i32 = 37;
export const ERRNO_NFILE: i32 = 41;
export const ERRNO_NOENT: i32 = 44;
export const ERRNO_NOTDIR: i32 = 54;
export const ERRNO_PERM: i32 = 63;
export const ERRNO_NOTCAPABLE: i32 = 76;

/** path_open, path_filestat_get: follow a symbolic link at the path's end. */
export const LOOKUP_SYMLINK_FOLLOW: u32 = 1;
/** Rights: fd_read, fd_seek (both for fd_pread) and fd_filestat_get. */
export const RIGHTS_READ: u64 = 0x200006;
/** path_open: do not wait, whatever is behind the name. */
export const FDFLAGS_NONBLOCK: u32 = 4;

// A stat of 64 bytes: dev u64 @0, ino u64 @8, filetype u8 @16, nlink u64 @24, size u64 @32, atim u64 @40, mtim u64 @48,
// ctim.
export const FILETYPE_DIRECTORY: u8 = 3;
export const FILETYPE_REGULAR: u8 = 4;
/** A prestat: tag u8 @0 (0: a folder), size of its name u32 @4. */
export const PRESTAT_FOLDER: u8 = 0;
