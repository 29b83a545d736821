/**
 * Files of a build, in front of the handler that it was built with: `--static`, and `build/client` of React Router.
 *
 * Invariant: the files are those that the folder has when the application is loaded, links left out; for every other
 * path the handler answers.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../core/errors.js";
import { percentDecode } from "../../core/percent.js";
import type { RequestCallback, RequestListener } from "../../server/httpserver.js";
import { Application } from "../../web/application.js";
import { StaticFileHandler, type StaticFileOptions } from "../../web/staticfiles.js";

const INDEX = "index.html";

interface BuildFileOptions extends StaticFileOptions {
  /** Paths of requests, without their first slash, and those of their files below the folder. */
  readonly files: ReadonlyMap<string, string>;
}

class BuildFile extends StaticFileHandler {
  #files: ReadonlyMap<string, string> = new Map();

  override initialize(options: BuildFileOptions): void {
    super.initialize(options);
    this.#files = options.files;
  }

  override parseUrlPath(urlPath: string): string {
    return this.#files.get(urlPath) ?? urlPath;
  }

  /** Vite's folder for what has a hash of its content in its name. */
  override setExtraHeaders(path: string): void {
    if (/(^|\/)assets\//.test(path)) this.setHeader("Cache-Control", "public, max-age=31536000, immutable");
  }
}

/** `next`, but GET and HEAD of files below `folder` get these. Throws UsageError for what is no folder. */
export function withFiles(folder: string, next: RequestCallback): RequestListener {
  const files = filesBelow(folder);
  const application = new Application([["/(.*)", BuildFile, { path: folder, files }]]);
  return {
    handle(request, logger) {
      const reads = request.method === "GET" || request.method === "HEAD";
      const path = reads ? percentDecode(request.path, false) : null;
      return path !== null && files.has(path.slice(1)) ? application.handle(request, logger) : next(request);
    },
  };
}

/** A page is found by the path of its folder, too. */
function filesBelow(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of namesBelow(folder)) {
    files.set(name, name);
    if (name !== INDEX && !name.endsWith(`/${INDEX}`)) continue;
    const path = name.slice(0, -INDEX.length);
    files.set(path, name).set(path.slice(0, -1), name);
  }
  return files;
}

/** Their paths, with slashes. A recursive `readdirSync` goes into folders that are links, and into loops of these. */
function namesBelow(folder: string, path = ""): string[] {
  try {
    return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
      if (entry.isDirectory()) return namesBelow(folder, `${path}${entry.name}/`);
      return entry.isFile() ? [path + entry.name] : [];
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`the files of ${folder} cannot be served: ${(error as Error).message}`);
  }
}
