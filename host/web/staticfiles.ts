/**
 * Files of a folder over HTTP: Tornado's StaticFileHandler, with the methods that its subclasses override.
 *
 *     ["/static/(.*)", StaticFileHandler, { path: "public", defaultFilename: "index.html" }]
 *
 *     parseUrlPath → getAbsolutePath → validateAbsolutePath → getModifiedTime, getContentSize → setHeaders →
 *     shouldReturn304 → getContent
 *
 * Invariants: a file is opened once, when something of it is first asked for, and closed whatever becomes of the
 * request; it is read in blocks, at the pace of its client; what is sent has the length that was announced, or the
 * connection ends; see files.ts for which files there are.
 * Reference: RFC 9110 13 (conditions) and 14 (ranges); Tornado's web.py (StaticFileHandler).
 */
import { extname, join, resolve } from "node:path";
import { lookup } from "mrmime";
import { negotiateCoding } from "../http/compression/acceptencoding.js";
import { isSameVersion, precondition, type Validators } from "./conditions.js";
import { HTTPError } from "./errors.js";
import { FilePart } from "./filepart.js";
import {
  checkBelow,
  isFolder,
  namesFolder,
  type OpenFile,
  openFile,
  openFileIn,
  realPathIn,
  versionOf,
} from "./files.js";
import type { PathArgument, PathGroups } from "./pathpattern.js";
import { type ByteRange, parseRange } from "./ranges.js";
import { RequestHandler } from "./requesthandler.js";
import { type StaticSettings, versionBelow, versionedUrl } from "./staticurl.js";

/** Options of a StaticFileHandler: the third part of its route. */
export interface StaticFileOptions {
  /** The folder. */
  path: string;
  /** Served for a folder, whose address without a slash is redirected to the one with it. Default: 403. */
  defaultFilename?: string;
  /** Folders that symbolic links may also lead into. Default: none but `path`. */
  allowedSymlinkDirectories?: readonly string[];
  /** Whether `app.js.br`, `.zst` or `.gz` beside `app.js` is sent to clients that accept it. Default: false. */
  precompressed?: boolean;
}

/** What a file's content may be given as. */
export type FileContent = Uint8Array | string | Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

/** How long a file with a version in its address is kept: it never changes. */
const CACHE_SECONDS = 10 * 365 * 86_400;

/** Types in use that `mrmime`, which keeps to standards, does not know. */
const MORE_TYPES = new Map([
  [".flac", "audio/flac"],
  [".ico", "image/x-icon"],
]);

/** What precompressed files are called, the preferred ones first. */
const SUFFIXES = { br: ".br", zstd: ".zst", gzip: ".gz" } as const;
type Coding = keyof typeof SUFFIXES;

/** Serves the files of a folder, with ETag, conditions and ranges: Tornado's StaticFileHandler. */
export class StaticFileHandler extends RequestHandler {
  /** The folder: the option `path`. */
  root = ".";
  /** What was asked for below the folder, as `parseUrlPath` gives it. */
  path = "";
  /** What is served, as `validateAbsolutePath` gives it. */
  absolutePath = "";
  /** When that was changed last, as `getModifiedTime` gives it; null: not known. */
  modified: Date | null = null;
  #options: StaticFileOptions = { path: "." };
  #file: Promise<OpenFile> | null = null;
  #etag: string | null = null;

  override initialize(options: StaticFileOptions): void {
    this.#options = options;
    this.root = options.path;
  }

  override async get(...args: PathArgument[]): Promise<void> {
    try {
      this.path = this.parseUrlPath(nameIn(args));
      const absolutePath = (this.constructor as typeof StaticFileHandler).getAbsolutePath(this.root, this.path);
      const valid = await this.validateAbsolutePath(this.root, absolutePath);
      if (valid === null) return;
      this.absolutePath = valid;
      await this.#answer();
    } finally {
      await this.#close();
    }
  }

  // --- which file ---

  /** The path below the folder for what the route's first group, or the one called `path`, holds. Default: the same. */
  parseUrlPath(urlPath: string): string {
    return urlPath;
  }

  /** Where `path` is below `root`. It is not looked at: `validateAbsolutePath` says whether it may be served. */
  static getAbsolutePath(root: string, path: string): string {
    return resolve(root, path);
  }

  /**
   * The path of the file to be served, or null when the request has been answered. Throws HTTPError for what is not
   * served. Default: the real path of a file in the folder, or of the `defaultFilename` of a folder there, whose
   * address is redirected to the one with a slash.
   */
  async validateAbsolutePath(root: string, absolutePath: string): Promise<string | null> {
    checkBelow(root, absolutePath);
    const { defaultFilename } = this.#options;
    const realPath = await realPathIn(absolutePath, this.#folders);
    const isOfFolder = namesFolder(this.path);
    if (!isOfFolder && defaultFilename === undefined) return realPath;
    if (!(await isFolder(realPath))) {
      if (isOfFolder) throw new HTTPError(404);
      return realPath;
    }
    if (defaultFilename === undefined) return realPath;
    const { path } = this.request;
    if (path.endsWith("/")) return realPathIn(join(realPath, defaultFilename), this.#folders);
    // A browser would take the first part of such a path for a host.
    if (/^[/\\]{2}/.test(path)) throw new HTTPError(403, "a path that begins with two slashes is not redirected");
    this.redirect(`${path}/`, { permanent: true });
    return null;
  }

  // --- what is known of it ---

  /** The content's size in bytes. Default: the file's. */
  async getContentSize(): Promise<number> {
    return (await this.#open()).size;
  }

  /** When the content was changed last; null: not known. Default: when the file was. */
  async getModifiedTime(): Promise<Date | null> {
    return new Date((await this.#open()).modifiedMs);
  }

  /** The Content-Type of a file. Default: by its extension. */
  getContentType(path: string): string {
    return lookup(path) ?? MORE_TYPES.get(extname(path).toLowerCase()) ?? "application/octet-stream";
  }

  /**
   * The content's ETag with its quotes; null: it has none. Default: a hash of the file's bytes, null for a file over 64
   * MiB and for a subclass with a `getContent` of its own.
   */
  override computeEtag(): string | null {
    return this.#etag;
  }

  /**
   * For how many seconds the content may be kept without asking again; 0: nothing is said. Default: ten years with
   * `?v=…`.
   */
  getCacheTime(_path: string, _modified: Date | null, _mimeType: string): number {
    return this.getQueryArgument("v", null) === null ? 0 : CACHE_SECONDS;
  }

  /** Override it to set further fields. */
  setExtraHeaders(_path: string): void {}

  /**
   * Sets the fields that tell about the content: Accept-Ranges, Etag, Last-Modified, Content-Type, Cache-Control and
   * further ones.
   */
  setHeaders(): void {
    const etag = this.computeEtag();
    const contentType = this.getContentType(this.absolutePath);
    this.setHeader("Accept-Ranges", "bytes");
    if (etag !== null) this.setHeader("Etag", etag);
    if (this.modified !== null) this.setHeader("Last-Modified", this.modified);
    this.setHeader("Content-Type", contentType);
    const seconds = this.getCacheTime(this.path, this.modified, contentType);
    const forEver = seconds === CACHE_SECONDS ? ", immutable" : "";
    if (seconds > 0) this.setHeader("Cache-Control", `max-age=${seconds}${forEver}`);
    this.setExtraHeaders(this.path);
  }

  /** Whether the client has the content already. Default: as the request's conditions say (RFC 9110 13.2.2). */
  shouldReturn304(): boolean {
    return precondition(this.request.headers, this.#validators()) === 304;
  }

  /**
   * The bytes of the content from `start` up to, not including, `end`: at once, or piece by piece, of which each has
   * left before the one after the next is asked for. Default: those of the file.
   */
  getContent(_absolutePath: string, start: number, end: number): FileContent {
    return new FilePart(this.#open(), start, end);
  }

  // --- addresses ---

  /**
   * The version of a file of the setting `staticPath`; null: it has none. Rejects with HTTPError for what is not
   * served.
   */
  static getVersion(settings: StaticSettings, path: string): Promise<string | null> {
    // biome-ignore lint/complexity/noThisInStatic: a subclass may have its own
    return versionBelow(settings, this.getAbsolutePath(settings.staticPath, path));
  }

  /** The address of a file of the setting `staticPath`, with its version unless that is not wanted. */
  static async makeStaticUrl(settings: StaticSettings, path: string, includeVersion = true): Promise<string> {
    // biome-ignore lint/complexity/noThisInStatic: a subclass may have its own
    return versionedUrl(settings, path, includeVersion ? await this.getVersion(settings, path) : null);
  }

  // --- the answer ---

  /** The conditions have been looked at before the content was read. */
  protected override get isConditional(): boolean {
    return false;
  }

  async #answer(): Promise<void> {
    this.modified = await this.getModifiedTime();
    const size = await this.getContentSize();
    this.#etag = await this.#version();
    this.setHeaders();
    this.setHeader("Content-Length", size);
    if (precondition(this.request.headers, this.#validators()) === 412) throw new HTTPError(412);
    if (this.shouldReturn304()) this.setStatus(304);
    else await this.#send(size);
  }

  async #version(): Promise<string | null> {
    if (this.getContent !== StaticFileHandler.prototype.getContent) return null;
    const version = await versionOf(await this.#open());
    return version === null ? null : `"${version}"`;
  }

  #validators(): Validators {
    const ms = this.modified?.getTime() ?? null;
    // HTTP's dates have no smaller unit than seconds.
    return { etag: this.getHeader("Etag"), modifiedMs: ms === null ? null : Math.floor(ms / 1000) * 1000 };
  }

  async #send(size: number): Promise<void> {
    const range = this.#range(size);
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
    if (this.request.method === "HEAD" || start === end) return;
    const content = this.getContent(this.absolutePath, start, end);
    if (typeof content === "string" || content instanceof Uint8Array) return this.write(content);
    if (!(content instanceof FilePart && content.isLong)) return this.#stream(content, end - start);
    await this.flush();
    await content.sendTo(this.request.connection);
  }

  /** Of GET alone: HEAD has no parts (RFC 9110 14.2). */
  #range(size: number): ByteRange | null | "unsatisfiable" {
    const { headers, method } = this.request;
    const field = headers.get("range");
    const isWanted = method === "GET" && field !== null && isSameVersion(headers, this.#validators());
    return isWanted ? parseRange(field, size) : null;
  }

  /** While one piece is on its way to the client, the next is read. */
  async #stream(
    content: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
    bytes: number,
  ): Promise<void> {
    const pieces = Symbol.asyncIterator in content ? content[Symbol.asyncIterator]() : content[Symbol.iterator]();
    try {
      let left = bytes;
      for (let piece = await pieces.next(); piece.done !== true; ) {
        this.write(piece.value);
        left -= Buffer.byteLength(piece.value);
        if (left === 0) return; // the last goes with the end
        [piece] = await Promise.all([pieces.next(), this.flush()]);
      }
    } finally {
      await pieces.return?.();
    }
  }

  #open(): Promise<OpenFile> {
    this.#file ??= this.#choose();
    return this.#file;
  }

  /** The file, or the one beside it whose coding the client prefers. */
  async #choose(): Promise<OpenFile> {
    if (this.#options.precompressed !== true) return openFile(this.absolutePath);
    this.addHeader("Vary", "Accept-Encoding");
    const accepted = this.request.headers.get("accept-encoding");
    for (let offered = Object.keys(SUFFIXES) as Coding[]; ; ) {
      const coding = negotiateCoding(accepted, offered).coding as Coding | null;
      if (coding === null) return openFile(this.absolutePath);
      const file = await openFileIn(this.absolutePath + SUFFIXES[coding], this.#folders);
      if (file === null) offered = offered.filter((other) => other !== coding);
      else {
        this.setHeader("Content-Encoding", coding);
        return file;
      }
    }
  }

  get #folders(): string[] {
    return [this.root, ...(this.#options.allowedSymlinkDirectories ?? [])];
  }

  async #close(): Promise<void> {
    const file = await this.#file?.catch(() => null);
    await file?.handle.close();
  }
}

function nameIn([first]: readonly PathArgument[]): string {
  if (typeof first === "object") return (first as PathGroups).path ?? "";
  return first ?? "";
}
