// files/index.ts over WASI 0.2. The folders are those that the runtime names (`--dir`), asked for once.
// Invariant: a name is looked at before it is opened, as over preview1: opening a device can do something.

import { NS_PER_S } from "../../core/units";
import { OVER_02 } from "../build";
import { land } from "../component/memory";
import * as w from "./imports2";
import { BUSY, DIRECTORY, FAILED, FORBIDDEN, MISSING, OTHER, REGULAR } from "./kinds";

const stat: usize = OVER_02 ? memory.data(w.STAT_RESULT_BYTES, 8) : 0;
const result: usize = OVER_02 ? memory.data(32, 8) : 0;
/** A folder in the runtime's list: its descriptor, its name's place and size. */
const FOLDER_BYTES: usize = 12;
const list: usize = OVER_02 ? memory.data(8, 4) : 0;
let isListed: bool = false;

export function folder(name: usize, size: i32): i32 {
  if (!isListed) {
    w.getDirectories(list);
    isListed = true;
  }
  return folderIn(list, name, size);
}

/** The folder that has this name in the list that the runtime has put at `list`, -1: none. */
export function folderIn(list: usize, name: usize, size: i32): i32 {
  const end = load<usize>(list) + load<usize>(list, 4) * FOLDER_BYTES;
  for (let at = load<usize>(list); at < end; at += FOLDER_BYTES) {
    if (load<i32>(at, 8) == size && !memory.compare(load<usize>(at, 4), name, usize(size))) return load<i32>(at);
  }
  return -1;
}

export function look(folder: i32, path: usize, size: i32): i32 {
  w.statAt(folder, w.SYMLINK_FOLLOW, path, size, stat);
  return load<u8>(stat) ? -problemOf(load<u8>(stat, 8)) : kindOf(load<u8>(stat, 8));
}

export function open(folder: i32, path: usize, size: i32): i32 {
  w.openAt(folder, w.SYMLINK_FOLLOW, path, size, 0, w.READ, result);
  if (load<u8>(result)) return -problemOf(load<u8>(result, 4));
  const file = load<i32>(result, 4);
  w.statOf(file, stat);
  w.metadataHash(file, result);
  if (!load<u8>(stat) && !load<u8>(result) && kindOf(load<u8>(stat, 8)) == REGULAR) return file;
  w.dropFile(file);
  return -FAILED;
}

export function fileSize(): i64 {
  return load<i64>(stat, 24);
}

/** 0 where there is no such time. */
export function modifiedNs(): i64 {
  return load<u8>(stat, 56) ? load<i64>(stat, 64) * NS_PER_S + load<u32>(stat, 72) : 0;
}

/** Half of the hash: wasmtime makes the other half of this one. */
export function inode(): u64 {
  return load<u64>(result, 8);
}

export function pread(file: i32, offset: i64, target: usize, size: i32): i32 {
  land(target, usize(size));
  w.readFile(file, size, offset, result);
  land(0, 0);
  return load<u8>(result) ? -FAILED : load<i32>(result, 8);
}

export function close(file: i32): void {
  w.dropFile(file);
}

/** What the case of a descriptor-type says. */
export function kindOf(type: i32): i32 {
  return type == w.TYPE_REGULAR ? REGULAR : type == w.TYPE_DIRECTORY ? DIRECTORY : OTHER;
}

/** What the case of an error-code says. */
export function problemOf(code: i32): i32 {
  switch (code) {
    case w.ERROR_NO_ENTRY:
    case w.ERROR_NOT_DIRECTORY:
    case w.ERROR_NAME_TOO_LONG:
    case w.ERROR_LOOP:
    case w.ERROR_INVALID:
    case w.ERROR_ILLEGAL_BYTE_SEQUENCE:
      return MISSING;
    case w.ERROR_ACCESS:
    case w.ERROR_NOT_PERMITTED:
      return FORBIDDEN;
    case w.ERROR_INSUFFICIENT_MEMORY:
    case w.ERROR_IO:
      return BUSY;
    default:
      return FAILED;
  }
}
