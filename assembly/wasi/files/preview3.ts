// files/index.ts over WASI 0.3, in which a file is read as a stream of bytes from an offset on.
//
// Invariants: a name is looked at before it is opened, as over preview1: opening a device can do something. A stream
// and its outcome are dropped before their file. A call waits for the disk; nothing else of the component runs then.

import { FILES_OPEN_MAX } from "../../core/limits";
import { NS_PER_S } from "../../core/units";
import { OVER_03 } from "../build";
import { land, release } from "../component/memory";
import { READ, SYMLINK_FOLLOW } from "./imports2";
import * as w from "./imports3";
import { BUSY, FAILED, REGULAR } from "./kinds";
import { folderIn, kindOf, problemOf } from "./preview2";
import { settled } from "../preview3/settled";

/** An open file and the stream that it is read by; `stream` 0: none. */
// @ts-ignore: decorator
@unmanaged
class File {
  at: i64; // where the stream goes on
  descriptor: i32;
  stream: i32;
  outcome: i32;
  following: i32; // in the list of free ones
}
const FILE_BYTES: usize = 24;
if (offsetof<File>() > FILE_BYTES) ERROR("a file has grown");

const files: usize = OVER_03 ? memory.data(24 * FILES_OPEN_MAX, 8) : 0;
let free: i32 = -1;
let used: i32 = 0;

const stat: usize = OVER_03 ? memory.data(w.STAT_RESULT_BYTES, 8) : 0;
const result: usize = OVER_03 ? memory.data(32, 8) : 0;
/** The folders: a list; behind it a stream and its outcome. */
const list: usize = OVER_03 ? memory.data(16, 4) : 0;
let isListed: bool = false;

function fileAt(index: i32): File {
  return changetype<File>(files + usize(index) * FILE_BYTES);
}

export function folder(name: usize, size: i32): i32 {
  if (!isListed) {
    land(0, 0);
    w.getDirectories(list);
    isListed = true;
  }
  return folderIn(list, name, size);
}

export function look(folder: i32, path: usize, size: i32): i32 {
  land(0, 0);
  w.statAt(folder, SYMLINK_FOLLOW, path, size, stat);
  return load<u8>(stat) ? -problemAt(stat + 8) : kindAt(stat + 8);
}

export function open(folder: i32, path: usize, size: i32): i32 {
  if (free < 0 && used == FILES_OPEN_MAX) return -BUSY;
  land(0, 0);
  w.openAt(folder, SYMLINK_FOLLOW, path, size, 0, READ, result);
  if (load<u8>(result)) return -problemAt(result + 4);
  const descriptor = load<i32>(result, 4);
  w.statOf(descriptor, stat);
  w.metadataHash(descriptor, result);
  const problem = load<u8>(result) ? problemAt(result + 8) : 0;
  if (load<u8>(stat)) problemAt(stat + 8);
  else if (kindAt(stat + 8) == REGULAR && !problem) return add(descriptor);
  w.dropFile(descriptor);
  return -FAILED;
}

function add(descriptor: i32): i32 {
  let index = free;
  if (index >= 0) free = fileAt(index).following;
  else index = used++;
  const file = fileAt(index);
  file.descriptor = descriptor;
  file.stream = 0;
  return index;
}

export function fileSize(): i64 {
  return load<i64>(stat, 32);
}

/** 0 where there is no such time. */
export function modifiedNs(): i64 {
  return load<u8>(stat, 64) ? load<i64>(stat, 72) * NS_PER_S + load<u32>(stat, 80) : 0;
}

/** Half of the hash: wasmtime makes the other half of this one. */
export function inode(): u64 {
  return load<u64>(result, 8);
}

/** Reading on where the last read has ended costs no new stream. */
export function pread(index: i32, offset: i64, target: usize, size: i32): i32 {
  const file = fileAt(index);
  if (file.stream && file.at != offset) closeStream(file);
  if (!file.stream) openStream(file, offset);
  const n = settled(file.stream, w.readStream(file.stream, target, size)) >>> 4;
  file.at += n;
  return n;
}

function openStream(file: File, offset: i64): void {
  w.openStream(file.descriptor, offset, list + 8);
  file.stream = load<i32>(list, 8);
  file.outcome = load<i32>(list, 12);
  file.at = offset;
}

function closeStream(file: File): void {
  w.dropStream(file.stream);
  w.dropOutcome(file.outcome);
  file.stream = 0;
}

export function close(index: i32): void {
  const file = fileAt(index);
  if (file.stream) closeStream(file);
  w.dropFile(file.descriptor);
  file.following = free;
  free = index;
}

/** The kind that the descriptor-type at `at` is: WASI 0.2 has the same cases behind one that is gone. */
function kindAt(at: usize): i32 {
  return kindOf(caseAt(at, w.TYPE_OTHER) + 1);
}

/** What the error-code at `at` means: WASI 0.2 has one case more, behind the first. */
function problemAt(at: usize): i32 {
  const code = caseAt(at, w.ERROR_OTHER);
  return problemOf(code ? code + 1 : code);
}

/** The case at `at`; a text that comes with `other` is given back. */
function caseAt(at: usize, other: i32): i32 {
  const code = i32(load<u8>(at));
  if (code == other && load<u8>(at, 4)) release(load<usize>(at, 8), load<usize>(at, 12));
  return code;
}
