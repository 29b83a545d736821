// files/index.ts over WASI 0.2. The folders are those that the runtime names (`--dir`), asked for once.
// Invariant: a name is looked at before it is opened, as over preview1: opening a device can do something.

import { NS_PER_S } from "../../core/units";
import { OVER_02 } from "../build";
import { land } from "../component/memory";
import * as w from "./imports2";
import { BUSY, DIRECTORY, FAILED, FORBIDDEN, MISSING, OTHER, REGULAR } from "./kinds";

const stat: usize = OVER_02 ? memory.data(w.STAT_RESULT_BYTES, 8) : 0;
const result: usize = OVER_02 ? memory.data(32, 8) : 0;
/** The runtime's list: a folder i32, its name's place and size, for each. */
const FOLDER_BYTES: usize = 12;
let folders: usize = 0;
let count: i32 = -1;

export function folder(name: usize, size: i32): i32 {
  if (count < 0) {
    w.getDirectories(result);
    folders = load<usize>(result);
    count = load<i32>(result, 4);
  }
  for (let i = 0; i < count; i++) {
    const entry = folders + usize(i) * FOLDER_BYTES;
    if (load<i32>(entry, 8) != size || memory.compare(load<usize>(entry, 4), name, usize(size))) continue;
    return load<i32>(entry);
  }
  return -1;
}

export function look(folder: i32, path: usize, size: i32): i32 {
  w.statAt(folder, w.SYMLINK_FOLLOW, path, size, stat);
  return load<u8>(stat) ? -problem(load<u8>(stat, 8)) : kind();
}

export function open(folder: i32, path: usize, size: i32): i32 {
  w.openAt(folder, w.SYMLINK_FOLLOW, path, size, 0, w.READ, result);
  if (load<u8>(result)) return -problem(load<u8>(result, 4));
  const file = load<i32>(result, 4);
  w.statOf(file, stat);
  w.metadataHash(file, result);
  if (!load<u8>(stat) && !load<u8>(result) && kind() == REGULAR) return file;
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

export function inode(): u64 {
  return load<u64>(result, 8) ^ load<u64>(result, 16);
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

function kind(): i32 {
  const type = load<u8>(stat, 8);
  return type == w.TYPE_REGULAR ? REGULAR : type == w.TYPE_DIRECTORY ? DIRECTORY : OTHER;
}

function problem(code: i32): i32 {
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
      return BUSY;
    default:
      return FAILED;
  }
}
