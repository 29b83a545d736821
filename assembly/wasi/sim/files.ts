// Scripted folders for tests, in the place of wasi/files/preview1.ts: see wasi/sim/net.ts.
//
//   disk()                the one disk: put(path, content), folder names, faults
//
// Invariant: a wrong use (a closed file, a path that the application should have refused) fails the test.

import { BUSY, FAILED, FORBIDDEN, MISSING, OTHER, REGULAR } from "../files/kinds";


@final
export class SimFile {
  inode: u64 = 0;
  modifiedNs: i64 = 1_700_000_000_123_456_789;

  constructor(
    public kind: i32,
    public content: string,
  ) {}

  get size(): i32 {
    return this.content.length;
  }
}


@final
export class Disk {
  /** The folder that was opened for the application. */
  name: string = "/static";
  readonly files: Map<string, SimFile> = new Map();
  /** Files that are open now, by number; null: closed. */
  readonly open: Array<SimFile | null> = [];
  /** No more files can be opened. */
  full: bool = false;
  /** Paths that were asked for. */
  readonly asked: Array<string> = [];
  reads: i32 = 0;

  /** A regular file; a character of `content` is a byte. Returns it. */
  put(path: string, content: string, kind: i32 = REGULAR): SimFile {
    const file = new SimFile(kind, content);
    file.inode = u64(this.files.size + 1);
    this.files.set(path, file);
    return file;
  }

  get opened(): i32 {
    let count = 0;
    for (let i = 0; i < this.open.length; i++) if (this.open[i]) count++;
    return count;
  }
}

let instance: Disk | null = null;
let last: SimFile = new SimFile(OTHER, "");

export function disk(): Disk {
  let found = instance;
  if (!found) instance = found = new Disk();
  return found;
}

export function folder(name: usize, size: i32): i32 {
  return disk().name == String.UTF8.decodeUnsafe(name, usize(size)) ? 0 : -1;
}

export function look(folder: i32, path: usize, size: i32): i32 {
  assert(folder == 0, "a folder that is none");
  const text = String.UTF8.decodeUnsafe(path, usize(size));
  const files = disk().files;
  disk().asked.push(text);
  if (text.startsWith("/") || text.startsWith("..") || text.includes("/..") || text.endsWith("/leaving"))
    return -FORBIDDEN;
  if (!files.has(text)) return -MISSING;
  last = files.get(text);
  return last.kind;
}

export function open(folder: i32, path: usize, size: i32): i32 {
  const found = look(folder, path, size);
  if (found < 0) return found;
  assert(found == REGULAR, "opened what is no regular file");
  if (disk().full) return -BUSY;
  return disk().open.push(last) - 1;
}

export function fileSize(): i64 {
  return last.size;
}

export function modifiedNs(): i64 {
  return last.modifiedNs;
}

export function inode(): u64 {
  return last.inode;
}

export function pread(file: i32, offset: i64, target: usize, size: i32): i32 {
  const found = disk().open[file];
  assert(found, "read from a closed file");
  disk().reads++;
  if (found!.kind != REGULAR) return -FAILED;
  const n = max(0, min(size, found!.size - i32(offset)));
  for (let i = 0; i < n; i++) store<u8>(target + usize(i), u8(found!.content.charCodeAt(i32(offset) + i)));
  return n;
}

export function close(file: i32): void {
  assert(disk().open[file], "closed twice");
  disk().open[file] = null;
}
