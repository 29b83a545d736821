/**
 * The files of the live page. Invariant: they are the package's own and uPlot's, read once; no name comes from a
 * request.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { INSPECT_PAGE_FOLDER } from "../core/paths.js";

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const require = createRequire(import.meta.url);
const own = (name: string) => () => join(INSPECT_PAGE_FOLDER, name);

const FILES: Readonly<Record<string, readonly [type: string, path: () => string]>> = {
  "/": ["text/html; charset=utf-8", own("index.html")],
  "/page.js": ["text/javascript; charset=utf-8", own("page.js")],
  "/charts.js": ["text/javascript; charset=utf-8", own("charts.js")],
  "/format.js": ["text/javascript; charset=utf-8", own("format.js")],
  "/page.css": ["text/css; charset=utf-8", own("page.css")],
  "/icon.svg": ["image/svg+xml", own("icon.svg")],
  "/uplot.js": ["text/javascript; charset=utf-8", () => require.resolve("uplot/dist/uPlot.iife.min.js")],
  "/uplot.css": ["text/css; charset=utf-8", () => require.resolve("uplot/dist/uPlot.min.css")],
};

const read = new Map<string, Promise<Asset>>();

/** The file at `path`; null when there is none. */
export function assetAt(path: string): Promise<Asset> | null {
  const file = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (file === undefined) return null;
  const [type, where] = file;
  const asset = read.get(path) ?? readFile(where()).then((body) => ({ type, body }));
  read.set(path, asset);
  return asset;
}
