/**
 * Files for a sandbox inside this process: the six functions of preview1 that assembly/wasi/files/imports.ts names,
 * over node:fs.
 *
 * Invariants: nothing can be created or changed; what is opened is a regular file whose real path lies in its folder (a
 * folder that another user may write to can still be changed between the check and the opening: do not serve one); a
 * call waits for the disk, as it does under wasmtime, and for nothing else. `node:wasi` is not used: it promises no
 * such thing.
 * Reference: WASI snapshot 01, wasi_snapshot_preview1.witx.
 */

import { type BigIntStats, closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { join, normalize, sep } from "node:path";
import { READ_FLAGS, realPathBelowSync } from "../../core/pathbelow.js";
import type { Folder } from "../folders.js";
import { Descriptor, type DescriptorTable, KIND_FILE, KIND_FOLDER } from "./descriptors.js";
import {
  ERRNO_ACCES,
  ERRNO_BADF,
  ERRNO_ILSEQ,
  ERRNO_INVAL,
  ERRNO_IO,
  ERRNO_ISDIR,
  ERRNO_LOOP,
  ERRNO_MFILE,
  ERRNO_NAMETOOLONG,
  ERRNO_NFILE,
  ERRNO_NOENT,
  ERRNO_NOTDIR,
  ERRNO_NXIO,
  ERRNO_PERM,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR,
} from "./preview1.js";
import { GuestFault } from "./wasi.js";

const ERRNO_NAMES: Readonly<Record<string, number>> = {
  EACCES: ERRNO_ACCES,
  EINVAL: ERRNO_INVAL,
  ELOOP: ERRNO_LOOP,
  EMFILE: ERRNO_MFILE,
  ENAMETOOLONG: ERRNO_NAMETOOLONG,
  ENFILE: ERRNO_NFILE,
  ENOENT: ERRNO_NOENT,
  ENOTDIR: ERRNO_NOTDIR,
  EOUTSIDE: ERRNO_PERM,
  EPERM: ERRNO_PERM,
  ENXIO: ERRNO_NXIO,
};

const FILESTAT_BYTES = 64;
const PATH_BYTES_MAX = 4096;

abstract class FileDescriptor extends Descriptor {
  available(): number {
    return 1;
  }

  hungUp(): boolean {
    return false;
  }
}

/** A folder that was opened for the sandbox. */
export class OpenFolder extends FileDescriptor {
  readonly kind = KIND_FOLDER;
  readonly guest: Buffer;

  constructor(readonly folder: Folder) {
    super();
    this.guest = Buffer.from(folder.guest);
  }

  close(): void {}
}

export class OpenFile extends FileDescriptor {
  readonly kind = KIND_FILE;

  constructor(readonly fd: number) {
    super();
  }

  close(): void {
    closeSync(this.fd);
  }
}

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class FileCalls {
  readonly #table: DescriptorTable;
  #memory: WebAssembly.Memory | null = null;

  constructor(table: DescriptorTable) {
    this.#table = table;
  }

  /** Takes the instance's memory; no import may be called before. */
  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  /** The functions by their names. */
  imports(): Record<string, (...values: never[]) => number> {
    return {
      fd_prestat_get: (fd: number, out: number) => this.#prestat(fd, out),
      fd_prestat_dir_name: (fd: number, target: number, size: number) => this.#name(fd, target, size),
      path_filestat_get: (fd: number, _lookup: number, path: number, size: number, out: number) =>
        this.#look(fd, path, size, out),
      path_open: (
        fd: number,
        _lookup: number,
        path: number,
        size: number,
        oflags: number,
        _rights: bigint,
        _inheriting: bigint,
        _flags: number,
        out: number,
      ) => (oflags === 0 ? this.#open(fd, path, size, out) : ERRNO_PERM),
      fd_filestat_get: (fd: number, out: number) => this.#stat(fd, out),
      fd_pread: (fd: number, iovs: number, count: number, offset: bigint, out: number) =>
        count === 1 ? this.#read(fd, iovs, offset, out) : ERRNO_INVAL,
    };
  }

  /** A range of the memory as it is now. */
  #bytes(pointer: number, size: number): Buffer {
    const start = pointer >>> 0;
    const buffer = this.#memory?.buffer as ArrayBuffer;
    if (start + (size >>> 0) > buffer.byteLength) throw new GuestFault("a pointer out of its memory");
    return Buffer.from(buffer, start, size >>> 0);
  }

  #folder(fd: number): OpenFolder | null {
    const entry = this.#table.entries[fd];
    return entry instanceof OpenFolder ? entry : null;
  }

  #prestat(fd: number, out: number): number {
    const target = this.#bytes(out, 8);
    const entry = this.#folder(fd);
    if (entry === null) return ERRNO_BADF;
    target.writeUInt32LE(0, 0);
    target.writeUInt32LE(entry.guest.length, 4);
    return 0;
  }

  #name(fd: number, target: number, size: number): number {
    const bytes = this.#bytes(target, size);
    const entry = this.#folder(fd);
    if (entry === null) return ERRNO_BADF;
    return entry.guest.copy(bytes) < entry.guest.length ? ERRNO_NAMETOOLONG : 0;
  }

  #look(fd: number, path: number, size: number, out: number): number {
    const target = this.#bytes(out, FILESTAT_BYTES);
    const real = this.#realPath(fd, path, size);
    if (typeof real === "number") return real;
    return attempt(() => writeStat(target, statSync(real, { bigint: true })));
  }

  #open(fd: number, path: number, size: number, out: number): number {
    const target = this.#bytes(out, 4);
    const real = this.#realPath(fd, path, size);
    if (typeof real === "number") return real;
    return attempt(() => {
      // A device is not even opened, and a pipe would wait for a writer.
      if (!statSync(real).isFile()) return ERRNO_ISDIR;
      const file = openSync(real, READ_FLAGS);
      if (!fstatSync(file).isFile()) {
        closeSync(file);
        return ERRNO_ISDIR;
      }
      target.writeUInt32LE(this.#table.add(new OpenFile(file)));
      return 0;
    });
  }

  #stat(fd: number, out: number): number {
    const target = this.#bytes(out, FILESTAT_BYTES);
    const entry = this.#table.entries[fd];
    if (!(entry instanceof OpenFile)) return ERRNO_BADF;
    return attempt(() => writeStat(target, fstatSync(entry.fd, { bigint: true })));
  }

  #read(fd: number, iovs: number, offset: bigint, out: number): number {
    const vector = this.#bytes(iovs, 8);
    const target = this.#bytes(vector.readUInt32LE(0), vector.readUInt32LE(4));
    const result = this.#bytes(out, 4);
    const entry = this.#table.entries[fd];
    if (!(entry instanceof OpenFile)) return ERRNO_BADF;
    return attempt(() => {
      result.writeUInt32LE(target.length === 0 ? 0 : readSync(entry.fd, target, 0, target.length, offset));
      return 0;
    });
  }

  /** Where a path below a folder really is, or an errno. */
  #realPath(fd: number, pointer: number, size: number): string | number {
    const bytes = this.#bytes(pointer, size);
    const entry = this.#folder(fd);
    if (entry === null) return ERRNO_BADF;
    if (size > PATH_BYTES_MAX) return ERRNO_NAMETOOLONG;
    if (bytes.includes(0)) return ERRNO_INVAL;
    let path: string;
    try {
      path = text.decode(bytes);
    } catch {
      return ERRNO_ILSEQ;
    }
    const below = normalize(path);
    if (path.startsWith("/") || below === ".." || below.startsWith(`..${sep}`)) return ERRNO_PERM;
    try {
      return realPathBelowSync(join(entry.folder.host, below), [entry.folder.host]);
    } catch (error) {
      return errnoOf(error);
    }
  }
}

function writeStat(target: Buffer, stat: BigIntStats): number {
  target.fill(0);
  target.writeBigUInt64LE(BigInt.asUintN(64, stat.dev), 0);
  target.writeBigUInt64LE(BigInt.asUintN(64, stat.ino), 8);
  target[16] = stat.isFile() ? FILETYPE_REGULAR : stat.isDirectory() ? FILETYPE_DIRECTORY : 0;
  target.writeBigUInt64LE(stat.size, 32);
  target.writeBigUInt64LE(BigInt.asUintN(64, stat.mtimeNs), 48);
  return 0;
}

/** What `call` returns, or the errno of what it throws. */
function attempt(call: () => number): number {
  try {
    return call();
  } catch (error) {
    return errnoOf(error);
  }
}

function errnoOf(error: unknown): number {
  return ERRNO_NAMES[(error as NodeJS.ErrnoException).code ?? ""] ?? ERRNO_IO;
}
