/**
 * Files below a folder: found, opened, and known by what they hold.
 *
 * Invariants: what is opened is a regular file whose real path lies in the folder, or in one that is allowed beside it;
 * no call waits in the loop's own thread. (A folder that another program may write to can still be changed between the
 * check and the opening: serve none such.)
 */
import { createHash } from "node:crypto";
import { type FileHandle, open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isBelow, OutsideError, READ_FLAGS, realPathBelow } from "../core/pathbelow.js";
import { HTTPError } from "./errors.js";

/** A file that is open, and what was true of it then. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly realPath: string;
  readonly size: number;
  /** When it was changed last, in milliseconds since 1970. */
  readonly modifiedMs: number;
  readonly inode: number;
}

/** Whether a name can only be a folder's: it ends with a slash, or with `.` or `..`. */
export function namesFolder(name: string): boolean {
  return /(?:^|\/)\.{0,2}$/.test(name);
}

/** Throws HTTPError 403 for a path that leads out of `root`, 404 for one that no file can have. */
export function checkBelow(root: string, absolutePath: string): void {
  if (absolutePath.includes("\0")) throw new HTTPError(404);
  if (isBelow(absolutePath, resolve(root))) return;
  throw new HTTPError(403, `${JSON.stringify(absolutePath)} is not in the folder that is served`);
}

/** Where `path` really is, as far as it lies in one of the folders. Rejects with HTTPError 403 or 404. */
export function realPathIn(path: string, folders: readonly string[]): Promise<string> {
  return realPathBelow(path, folders).catch(refuse);
}

/** Whether a real path is a folder. Rejects with HTTPError 403 or 404. */
export async function isFolder(realPath: string): Promise<boolean> {
  return (await stat(realPath).catch(refuse)).isDirectory();
}

/** Opens a regular file. Rejects with HTTPError 403 for anything else, 404 when there is nothing. Close its handle. */
export async function openFile(realPath: string): Promise<OpenFile> {
  // Not even opened: opening a device can do something, and a pipe would wait for a writer.
  if (!(await stat(realPath).catch(refuse)).isFile()) throw notAFile();
  const handle = await open(realPath, READ_FLAGS).catch(refuse);
  const found = await handle.stat();
  if (!found.isFile()) {
    await handle.close();
    throw notAFile();
  }
  return { handle, realPath, size: found.size, modifiedMs: Math.floor(found.mtimeMs), inode: found.ino };
}

const HASH_BLOCK_BYTES = 64 << 10;
/** What it means that nothing is there. */
const MISSING = ["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"];

/** Opens a file that may be there and may be served; null when it is not. Close its handle. */
export async function openFileIn(path: string, folders: readonly string[]): Promise<OpenFile | null> {
  try {
    return await openFile(await realPathIn(path, folders));
  } catch (error) {
    if (error instanceof HTTPError) return null;
    throw error;
  }
}

function notAFile(): HTTPError {
  return new HTTPError(403, "not a regular file");
}

function refuse(error: NodeJS.ErrnoException): never {
  const { code = "" } = error;
  if (error instanceof OutsideError) throw new HTTPError(403, "a symbolic link leads out of the folder that is served");
  if (MISSING.includes(code)) throw new HTTPError(404);
  if (code === "EACCES" || code === "EPERM") throw new HTTPError(403, { logMessage: error.message, cause: error });
  throw error;
}

// --- versions ---

/** Bytes of a file that is known by its content; a larger one takes too long to read. */
const VERSION_BYTES_MAX = 64 << 20;
/** Files whose versions are kept. */
const VERSIONS_MAX = 10_000;

interface Version {
  readonly size: number;
  readonly modifiedMs: number;
  readonly inode: number;
  readonly text: Promise<string | null>;
}

/** By real path, the one that was asked for longest ago first. */
const versions = new Map<string, Version>();

/**
 * A text that changes whenever the file's content does; null for a file that is too large for that. Read once, and
 * again when its size or time has changed.
 */
export function versionOf(file: OpenFile): Promise<string | null> {
  const { realPath, size, modifiedMs, inode } = file;
  const known = versions.get(realPath);
  versions.delete(realPath);
  const same = known !== undefined && known.size === size && known.modifiedMs === modifiedMs && known.inode === inode;
  const version = same ? known : { size, modifiedMs, inode, text: hashOf(file) };
  versions.set(realPath, version);
  if (versions.size > VERSIONS_MAX) versions.delete(versions.keys().next().value as string);
  if (!same) version.text.catch(() => versions.delete(realPath));
  return version.text;
}

async function hashOf({ handle, size }: OpenFile): Promise<string | null> {
  if (size > VERSION_BYTES_MAX) return null;
  const hash = createHash("sha512");
  const block = Buffer.allocUnsafe(Math.min(size, HASH_BLOCK_BYTES) || 1);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(block, 0, block.length, at);
    if (bytesRead === 0) break;
    hash.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest("hex");
}
