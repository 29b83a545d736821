/**
 * Addresses of the files of the setting `staticPath`. Invariant: an address with a version is that of what the file
 * held when it was made, so clients may cache it for good. Reference: Tornado's StaticFileHandler.make_static_url.
 */
import { resolve } from "node:path";
import { OptionError } from "../core/errors.js";
import { checkBelow, openFile, realPathIn, versionOf } from "./files.js";

/** The settings of an application that files need. */
export interface StaticSettings {
  /** The folder of the files. */
  readonly staticPath: string;
  /** Where the files are found. Default `/static/`. */
  readonly staticUrlPrefix?: string;
  /** Options of the class that serves the files. */
  readonly staticHandlerOptions?: {
    /** Folders that symbolic links may also lead into. Default: none but `staticPath`. */
    readonly allowedSymlinkDirectories?: readonly string[];
  };
}

/** A handler's class that makes the addresses itself. */
interface StaticUrlMaker {
  makeStaticUrl(settings: StaticSettings, path: string, includeVersion: boolean): Promise<string>;
}

/** The address of a file. Rejects with HTTPError for what is not served, with OptionError without `staticPath`. */
export async function staticUrl(
  given: Partial<StaticSettings> & { readonly staticHandlerClass?: StaticUrlMaker },
  path: string,
  includeVersion: boolean,
): Promise<string> {
  const { staticPath, staticHandlerClass, ...others } = given;
  if (staticPath === undefined) throw new OptionError("staticUrl() needs the setting staticPath");
  const settings = { ...others, staticPath };
  if (staticHandlerClass !== undefined) return staticHandlerClass.makeStaticUrl(settings, path, includeVersion);
  return versionedUrl(settings, path, includeVersion ? await versionBelow(settings, resolve(staticPath, path)) : null);
}

/** The address of a file, with `version` unless that is null. */
export function versionedUrl(settings: StaticSettings, path: string, version: string | null): string {
  const { staticUrlPrefix = "/static/" } = settings;
  return `${staticUrlPrefix}${encodeURI(path)}${version === null ? "" : `?v=${encodeURIComponent(version)}`}`;
}

/**
 * The version of a file by its absolute path; null for one that is too large for that. Rejects with HTTPError for what
 * is not served.
 */
export async function versionBelow(settings: StaticSettings, absolutePath: string): Promise<string | null> {
  const { staticPath, staticHandlerOptions } = settings;
  checkBelow(staticPath, absolutePath);
  const folders = [staticPath, ...(staticHandlerOptions?.allowedSymlinkDirectories ?? [])];
  const file = await openFile(await realPathIn(absolutePath, folders));
  try {
    return await versionOf(file);
  } finally {
    await file.handle.close();
  }
}
