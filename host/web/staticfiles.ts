/**
 * Files of a folder over HTTP: Tornado's StaticFileHandler.
 *
 *     ["/static/(.*)", StaticFileHandler, { path: "public", defaultFilename: "index.html" }]
 *
 * Invariants: a file is read in blocks, at the pace of its client; what is sent has the length that was announced, or the
 * connection ends; see files.ts for which files there are.
 * Reference: RFC 9110 13 (conditions) and 14 (ranges).
 */
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { lookup } from "mrmime";
import { isSameVersion, precondition, type Validators } from "./conditions.js";
import { HTTPError } from "./errors.js";
import { isFolder, namesFolder, type OpenFile, openFile, pathBelow, realPathIn, versionOf } from "./files.js";
import type { PathArgument, PathGroups } from "./pathpattern.js";
import { type ByteRange, parseRange } from "./ranges.js";
import { RequestHandler } from "./requesthandler.js";

export interface StaticFileOptions {
  /** The folder. */
  path: string;
  /** Served for a folder, whose address without a slash is redirected to the one with it. Default: 403. */
  defaultFilename?: string;
  /** Folders that symbolic links may also lead into. Default: none but `path`. */
  allowedSymlinkDirectories?: readonly string[];
}

const BLOCK_BYTES = 64 << 10;
/** How long a file with a version in its address is kept: it never changes. */
const CACHE_SECONDS = 10 * 365 * 86_400;

export class StaticFileHandler extends RequestHandler {
  #options: StaticFileOptions = { path: "." };

  override initialize(options: StaticFileOptions): void {
    this.#options = options;
  }

  override async get(...args: PathArgument[]): Promise<void> {
    const realPath = await this.#find(nameIn(args));
    if (realPath === null) return;
    const file = await openFile(realPath);
    try {
      const validators = { etag: await this.#describe(file, nameIn(args)), modifiedMs: inSeconds(file.modifiedMs) };
      const status = precondition(this.request.headers, validators);
      if (status === 412) throw new HTTPError(412);
      if (status === 304) this.setStatus(304);
      else await this.#send(file, validators);
    } finally {
      await file.handle.close();
    }
  }

  /** Its tag is the file's, not that of what is sent of it. */
  override computeEtag(): null {
    return null;
  }

  /** The Content-Type of a file. Default: by its extension. */
  getContentType(path: string): string {
    return lookup(path) ?? "application/octet-stream";
  }

  /** For how many seconds the file may be kept without asking again; 0: nothing is said. Default: ten years with `?v=…`. */
  getCacheSeconds(_name: string, _contentType: string): number {
    return this.getQueryArgument("v", null) === null ? 0 : CACHE_SECONDS;
  }

  /** Override it to set further fields. */
  setExtraHeaders(_name: string): void {}

  /** The real path of what was asked for; null when the client has been sent to a folder's address with a slash. */
  async #find(name: string): Promise<string | null> {
    const { path: root, defaultFilename, allowedSymlinkDirectories = [] } = this.#options;
    const folders = [root, ...allowedSymlinkDirectories];
    const found = await realPathIn(pathBelow(root, name), folders);
    const isOfFolder = namesFolder(name);
    if (!isOfFolder && defaultFilename === undefined) return found;
    if (!(await isFolder(found))) {
      if (isOfFolder) throw new HTTPError(404);
      return found;
    }
    if (defaultFilename === undefined) return found;
    const { path } = this.request;
    if (path.endsWith("/")) return realPathIn(join(found, defaultFilename), folders);
    // A browser would take the first part of such a path for a host.
    if (/^[/\\]{2}/.test(path)) throw new HTTPError(403, "a path that begins with two slashes is not redirected");
    this.redirect(`${path}/`, { permanent: true });
    return null;
  }

  /** Sets the header fields that tell about the file; returns its ETag. */
  async #describe(file: OpenFile, name: string): Promise<string | null> {
    const version = await versionOf(file);
    const etag = version === null ? null : `"${version}"`;
    const contentType = this.getContentType(file.realPath);
    this.setHeader("Accept-Ranges", "bytes");
    if (etag !== null) this.setHeader("Etag", etag);
    this.setHeader("Last-Modified", new Date(file.modifiedMs));
    this.setHeader("Content-Type", contentType);
    this.setHeader("Content-Length", file.size);
    const seconds = this.getCacheSeconds(name, contentType);
    const forEver = seconds === CACHE_SECONDS ? ", immutable" : "";
    if (seconds > 0) this.setHeader("Cache-Control", `max-age=${seconds}${forEver}`);
    this.setExtraHeaders(name);
    return etag;
  }

  async #send(file: OpenFile, validators: Validators): Promise<void> {
    const { size, handle } = file;
    const range = this.#range(file, validators);
    if (range === "unsatisfiable") {
      this.setStatus(416);
      this.setHeader("Content-Type", "text/plain");
      this.setHeader("Content-Range", `bytes */${size}`);
      this.clearHeader("Content-Length");
      return;
    }
    const { start, end } = range ?? { start: 0, end: size };
    if (range !== null) {
      this.setStatus(206);
      this.setHeader("Content-Range", `bytes ${start}-${end - 1}/${size}`);
      this.setHeader("Content-Length", end - start);
    }
    if (this.request.method !== "HEAD") await this.#stream(handle, start, end);
  }

  /** Of GET alone: HEAD has no parts (RFC 9110 14.2). */
  #range({ size }: OpenFile, validators: Validators): ByteRange | null | "unsatisfiable" {
    const { headers, method } = this.request;
    const field = headers.get("range");
    return method === "GET" && field !== null && isSameVersion(headers, validators) ? parseRange(field, size) : null;
  }

  /** While one block is on its way to the client, the next is read. */
  async #stream(handle: FileHandle, start: number, end: number): Promise<void> {
    let block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, end - start));
    let other = end - start > BLOCK_BYTES ? Buffer.allocUnsafe(BLOCK_BYTES) : block;
    let filled = await read(handle, block, start, end);
    for (let at = start + filled; filled > 0; at += filled) {
      this.write(block.subarray(0, filled));
      if (at === end) return; // the last goes with the end
      const [next] = await Promise.all([read(handle, other, at, end), this.flush()]);
      filled = next;
      [block, other] = [other, block];
    }
  }
}

/** How much of the file now stands in `block`; 0 at its end. */
async function read(handle: FileHandle, block: Buffer, start: number, end: number): Promise<number> {
  return (await handle.read(block, 0, Math.min(block.length, end - start), start)).bytesRead;
}

function nameIn([first]: readonly PathArgument[]): string {
  if (typeof first === "object") return (first as PathGroups).path ?? "";
  return first ?? "";
}

/** HTTP's dates have no smaller unit. */
function inSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
