// StaticFileHandler: files of a folder that the host has opened for this application.
//
//   class Site extends StaticFileHandler {
//     constructor() { super("/static", "index.html"); }     // wasmtime run --dir public::/static
//   }
//   application.route<Site>("/static/*");
//
// Invariants: a file is read in blocks, at the pace of its client, and some blocks a turn, so that others have theirs;
// what is sent has the length that was announced, or the connection ends; the file is closed whatever becomes of the
// request.
// Reference: RFC 9110 13 (conditions) and 14 (ranges); Tornado's web.py (StaticFileHandler).

import { Callback, IOLoop } from "../loop/ioloop";
import { FILE_BLOCKS_PER_TURN, FILE_BLOCK_BYTES } from "../core/limits";
import { NS_PER_S } from "../core/units";
import * as files from "../wasi/files";
import * as wasi from "../wasi/index";
import { isSameVersion, precondition } from "./conditions";
import { httpDate } from "./dates";
import { IMPOSSIBLE, OUTSIDE, namesFolder, pathBelow } from "./filepath";
import { typeOf } from "./mime";
import { PART, UNSATISFIABLE, WHOLE, parseRange, rangeEnd, rangeStart } from "./ranges";
import { RequestHandler } from "./requesthandler";

/** One block for all files: it has left, or is copied, when the call that sends it returns. */
const block: usize = memory.data(65536 + 64, 64);


@final
class Pump extends Callback {
  constructor(private handler: StaticFileHandler) {
    super();
  }

  run(): void {
    this.handler.goOn();
  }
}

/** Serves the files of a folder, with ETag, conditions and ranges: Tornado's StaticFileHandler. */
export class StaticFileHandler extends RequestHandler {
  private file: i32 = -1;
  private at: i64 = 0;
  private end: i64 = 0;
  private pump: Pump | null = null;
  private scheduled: bool = false;

  /** `folder` is its name for this application; `index` is served for a folder in it, "": 403. */
  constructor(
    private folder: string,
    private index: string = "",
  ) {
    super();
  }

  /** The name below the folder: by default what the route's first group holds. */
  getName(): string {
    return this.pathArguments.length ? this.pathArguments[0] : "";
  }

  /** The Content-Type of a file. Default: by its extension. */
  getContentType(path: string): string {
    return typeOf(path);
  }

  /** Override it to set further fields. */
  setExtraHeaders(path: string): void {}

  get(): void {
    const folder = this.openFolder();
    if (folder < 0) return this.sendError(500);
    const name = this.getName();
    let path = pathBelow(name);
    if (path == OUTSIDE) return this.sendError(403);
    if (path == IMPOSSIBLE) return this.sendError(404);
    let kind = look(folder, path);
    if (kind != files.DIRECTORY && namesFolder(name)) return this.sendError(kind > 0 ? 404 : statusOf(kind));
    if (kind == files.DIRECTORY && this.index.length) {
      if (!this.path.endsWith("/")) return this.addSlash();
      path = path.length ? path + "/" + this.index : this.index;
      kind = look(folder, path);
    }
    if (kind != files.REGULAR) return this.sendError(statusOf(kind));
    const file = open(folder, path);
    if (file < 0) return this.sendError(statusOf(file));
    this.file = file;
    this.answer(path);
  }

  /** Its tag is the file's, not that of what is sent of it. */
  computeEtag(): string {
    return "";
  }

  onSent(): void {
    if (!this.scheduled) this.goOn();
  }

  /** An override calls super.onFinish(). */
  onFinish(): void {
    if (this.file >= 0) files.close(this.file);
    this.file = -1;
  }

  /** Sends more while the client takes it: a few blocks, then the others have their turn. */
  goOn(): void {
    this.scheduled = false;
    for (let blocks = 0; this.file >= 0 && this.at < this.end; blocks++) {
      if (this.waiting) return; // onSent goes on
      if (blocks == FILE_BLOCKS_PER_TURN) return this.schedule();
      const n = files.pread(this.file, this.at, block, i32(min<i64>(FILE_BLOCK_BYTES, this.end - this.at)));
      if (n <= 0) return this.cut(); // it has become shorter
      this.at += n;
      if (!this.writeNow(block, n)) return;
    }
    if (this.file >= 0) this.finish();
  }

  private schedule(): void {
    if (!this.pump) this.pump = new Pump(this);
    this.scheduled = true;
    IOLoop.current().addCallback(this.pump!);
  }

  private openFolder(): i32 {
    const name = String.UTF8.encode(this.folder);
    const found = files.folder(changetype<usize>(name), name.byteLength);
    if (found >= 0) return found;
    const line = String.UTF8.encode(
      "waterspout: there is no folder " + this.folder + ": --dir FOLDER::" + this.folder + "\n",
    );
    wasi.log(changetype<usize>(line), line.byteLength);
    return -1;
  }

  /** A folder's address ends with a slash. A browser would take the first part of `//x` for a host. */
  private addSlash(): void {
    const path = this.path;
    if (path.startsWith("//") || path.startsWith("/\\")) this.sendError(403);
    else this.redirect(path + "/", true);
  }

  private answer(path: string): void {
    const size = files.fileSize();
    const modified = files.modifiedNs();
    const etag = '"' + files.inode().toString(16) + "-" + size.toString(16) + "-" + u64(modified).toString(16) + '"';
    const seconds = (modified - floorMod(modified, NS_PER_S)) / NS_PER_S;
    this.setHeader("Accept-Ranges", "bytes");
    this.setHeader("Etag", etag);
    this.setHeader("Last-Modified", httpDate(seconds));
    this.setHeader("Content-Type", this.getContentType(path));
    this.setExtraHeaders(path);
    const status = precondition(this.heldHead, etag, seconds);
    if (status == 412) return this.sendError(412);
    if (status == 304) {
      this.setStatus(304);
      return this.finish();
    }
    const kind = this.rangeOf(size, etag, seconds);
    if (kind == UNSATISFIABLE) {
      this.setStatus(416);
      this.setHeader("Content-Type", "text/plain");
      this.setHeader("Content-Range", "bytes */" + size.toString());
      return this.finish();
    }
    this.at = kind == PART ? rangeStart : 0;
    this.end = kind == PART ? rangeEnd : size;
    if (kind == PART) {
      this.setStatus(206);
      const range = this.at.toString() + "-" + (this.end - 1).toString();
      this.setHeader("Content-Range", "bytes " + range + "/" + size.toString());
    }
    this.startBody(this.end - this.at);
    if (this.isHead) return this.finish();
    this.autoFinish = false;
    this.goOn();
  }

  /** Of GET alone: HEAD has no parts (RFC 9110 14.2). */
  private rangeOf(size: i64, etag: string, modified: i64): i32 {
    if (this.isHead || !isSameVersion(this.heldHead, etag, modified)) return WHOLE;
    return parseRange(this.getRequestHeader("range", ""), size);
  }
}

/** What is left of `value`, never negative. */
function floorMod(value: i64, by: i64): i64 {
  return ((value % by) + by) % by;
}

function look(folder: i32, path: string): i32 {
  const bytes = String.UTF8.encode(path.length ? path : ".");
  return files.look(folder, changetype<usize>(bytes), bytes.byteLength);
}

function open(folder: i32, path: string): i32 {
  const bytes = String.UTF8.encode(path);
  return files.open(folder, changetype<usize>(bytes), bytes.byteLength);
}

/** The answer to what is no file. */
function statusOf(result: i32): i32 {
  if (result > 0 || result == -files.FORBIDDEN) return 403;
  if (result == -files.MISSING) return 404;
  return result == -files.BUSY ? 503 : 500;
}
