/**
 * What React Router's build exports: no handler, but what `createRequestHandler` makes one of, and a folder of files.
 *
 * Reference: https://reactrouter.com, `createRequestHandler` and `ServerBuild`.
 */
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "../../core/errors.js";
import type { FetchHandler } from "../../server/fetchserver.js";

/** The part of a `ServerBuild` that says what it is. */
export interface ServerBuild {
  readonly entry: object;
  readonly routes: object;
  /** The folder of its files, relative to the project's. */
  readonly assetsBuildDirectory: string;
}

export function isServerBuild(exported: object): exported is ServerBuild {
  const { entry, routes, assetsBuildDirectory } = exported as Partial<ServerBuild>;
  return typeof entry === "object" && typeof routes === "object" && typeof assetsBuildDirectory === "string";
}

/** The handler of a build, by the project's own React Router. Throws UsageError where it is not installed. */
export async function serverBuildHandler(file: string, build: ServerBuild): Promise<FetchHandler> {
  let path: string;
  try {
    path = createRequire(resolve(file)).resolve("react-router");
  } catch {
    throw new UsageError(
      `${file} is built by React Router, which is not installed beside it: npm install react-router`,
    );
  }
  const { createRequestHandler } = await import(pathToFileURL(path).href);
  const handle = createRequestHandler(build, process.env.NODE_ENV);
  return (request) => handle(request); // what comes second is the application's own, not a server's
}
