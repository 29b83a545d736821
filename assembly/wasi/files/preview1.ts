// files/index.ts over WASI preview1. The host's folders stand behind the listeners it handed over: with wasmtime 36 the
// descriptors from 3 up are first those of `tcplisten` or `listenfd`, then one for each `--dir`, in their order.
// Invariant: a name is looked at before it is opened. wasmtime ends a module whose open() fails in a way that it does
// not know (a socket's file: ENXIO), and opening a device can do something.

import { FOLDERS_MAX, LISTENERS_MAX } from "../../core/limits";
import {
  ERRNO_ACCES,
  ERRNO_ILSEQ,
  ERRNO_INVAL,
  ERRNO_LOOP,
  ERRNO_MFILE,
  ERRNO_NAMETOOLONG,
  ERRNO_NFILE,
  ERRNO_NOENT,
  ERRNO_NOTCAPABLE,
  ERRNO_NOTDIR,
  ERRNO_PERM,
  FDFLAGS_NONBLOCK,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR,
  LOOKUP_SYMLINK_FOLLOW,
  PRESTAT_FOLDER,
  RIGHTS_READ,
  fd_filestat_get,
  fd_pread,
  fd_prestat_dir_name,
  fd_prestat_get,
  path_filestat_get,
  path_open,
} from "./imports";
import { BUSY, DIRECTORY, FAILED, FORBIDDEN, MISSING, OTHER, REGULAR } from "./kinds";
import { fd_close } from "../imports";

const FIRST_FD: u32 = 3;
/** A longer name of a folder is not found. */
const NAME_BYTES_MAX: u32 = 1024;

const stat: usize = memory.data(64, 8);
const scratch: usize = memory.data(16, 8); // one iovec at 0, a result at 8
const names: usize = memory.data(1024, 8);

export function folder(name: usize, size: i32): i32 {
  for (let fd = FIRST_FD; fd < FIRST_FD + u32(LISTENERS_MAX + FOLDERS_MAX); fd++) {
    if (fd_prestat_get(fd, scratch) != 0 || load<u8>(scratch) != PRESTAT_FOLDER) continue;
    const bytes = load<u32>(scratch, 4);
    if (bytes != u32(size) || bytes > NAME_BYTES_MAX || fd_prestat_dir_name(fd, names, bytes) != 0) continue;
    if (!memory.compare(names, name, usize(bytes))) return i32(fd);
  }
  return -1;
}

export function look(folder: i32, path: usize, size: i32): i32 {
  const errno = path_filestat_get(u32(folder), LOOKUP_SYMLINK_FOLLOW, path, u32(size), stat);
  return errno ? -problem(errno) : kind();
}

export function open(folder: i32, path: usize, size: i32): i32 {
  const fd = scratch + 8;
  const flags = FDFLAGS_NONBLOCK;
  const errno = path_open(u32(folder), LOOKUP_SYMLINK_FOLLOW, path, u32(size), 0, RIGHTS_READ, 0, flags, fd);
  if (errno) return -problem(errno);
  const file = load<i32>(fd);
  if (fd_filestat_get(u32(file), stat) == 0 && kind() == REGULAR) return file;
  fd_close(u32(file));
  return -FAILED;
}

export function fileSize(): i64 {
  return load<i64>(stat, 32);
}

export function modifiedNs(): i64 {
  return load<i64>(stat, 48);
}

export function inode(): u64 {
  return load<u64>(stat, 8);
}

export function pread(file: i32, offset: i64, target: usize, size: i32): i32 {
  store<u32>(scratch, u32(target));
  store<u32>(scratch, u32(size), 4);
  return fd_pread(u32(file), scratch, 1, u64(offset), scratch + 8) ? -FAILED : load<i32>(scratch, 8);
}

export function close(file: i32): void {
  fd_close(u32(file));
}

function kind(): i32 {
  const type = load<u8>(stat, 16);
  return type == FILETYPE_REGULAR ? REGULAR : type == FILETYPE_DIRECTORY ? DIRECTORY : OTHER;
}

function problem(errno: i32): i32 {
  switch (errno) {
    case ERRNO_NOENT:
    case ERRNO_NOTDIR:
    case ERRNO_NAMETOOLONG:
    case ERRNO_LOOP:
    case ERRNO_INVAL:
    case ERRNO_ILSEQ:
      return MISSING;
    case ERRNO_ACCES:
    case ERRNO_PERM:
    case ERRNO_NOTCAPABLE:
      return FORBIDDEN;
    case ERRNO_MFILE:
    case ERRNO_NFILE:
      return BUSY;
    default:
      return FAILED;
  }
}
