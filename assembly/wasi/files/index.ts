// Files of the folders that the host has opened for this application (`--dir HOST::GUEST`), behind one contract:
//
//   folder(name, size)                  the folder that has this name here | -1: there is none
//   look(folder, path, size)            REGULAR | DIRECTORY | OTHER | -MISSING, -FORBIDDEN, -BUSY, -FAILED
//   open(folder, path, size)            a file, from 0 up | one of the same errors; only what look() has called REGULAR
//                                       may be opened
//   fileSize() modifiedNs()             of what was looked at or opened last
//   inode()                             a number of what was opened last, that no other file has
//   pread(file, offset, target, size)   n > 0 | 0 behind the end | -FAILED; over WASI 0.3 0 for both
//   close(file)
//
// Invariants: a path is relative, and what leads out of its folder is refused by the host, symbolic links included;
// nothing can be changed or created through here; a call waits for the disk at most, never for a peer: what is no
// regular file is not opened. Reference: WASI snapshot 01; wasi:filesystem 0.2 and 0.3. Only applications that import
// this file have its imports.

import * as preview1 from "./preview1";
import * as preview2 from "./preview2";
import * as preview3 from "./preview3";
import * as sim from "../sim/files";
import { OVER_02, OVER_03 } from "../build";

export { BUSY, DIRECTORY, FAILED, FORBIDDEN, MISSING, OTHER, REGULAR } from "./kinds";

// @ts-ignore: decorator
@inline export function folder(name: usize, size: i32): i32 {
  if (OVER_02) return preview2.folder(name, size);
  if (OVER_03) return preview3.folder(name, size);
  return WASI != 0 ? preview1.folder(name, size) : sim.folder(name, size);
}
// @ts-ignore: decorator
@inline export function look(folder: i32, path: usize, size: i32): i32 {
  if (OVER_02) return preview2.look(folder, path, size);
  if (OVER_03) return preview3.look(folder, path, size);
  return WASI != 0 ? preview1.look(folder, path, size) : sim.look(folder, path, size);
}
// @ts-ignore: decorator
@inline export function open(folder: i32, path: usize, size: i32): i32 {
  if (OVER_02) return preview2.open(folder, path, size);
  if (OVER_03) return preview3.open(folder, path, size);
  return WASI != 0 ? preview1.open(folder, path, size) : sim.open(folder, path, size);
}
// @ts-ignore: decorator
@inline export function fileSize(): i64 {
  if (OVER_02) return preview2.fileSize();
  if (OVER_03) return preview3.fileSize();
  return WASI != 0 ? preview1.fileSize() : sim.fileSize();
}
// @ts-ignore: decorator
@inline export function modifiedNs(): i64 {
  if (OVER_02) return preview2.modifiedNs();
  if (OVER_03) return preview3.modifiedNs();
  return WASI != 0 ? preview1.modifiedNs() : sim.modifiedNs();
}
// @ts-ignore: decorator
@inline export function inode(): u64 {
  if (OVER_02) return preview2.inode();
  if (OVER_03) return preview3.inode();
  return WASI != 0 ? preview1.inode() : sim.inode();
}
// @ts-ignore: decorator
@inline export function pread(file: i32, offset: i64, target: usize, size: i32): i32 {
  if (OVER_02) return preview2.pread(file, offset, target, size);
  if (OVER_03) return preview3.pread(file, offset, target, size);
  return WASI != 0 ? preview1.pread(file, offset, target, size) : sim.pread(file, offset, target, size);
}
// @ts-ignore: decorator
@inline export function close(file: i32): void {
  if (OVER_02) preview2.close(file);
  else if (OVER_03) preview3.close(file);
  else if (WASI != 0) preview1.close(file);
  else sim.close(file);
}
