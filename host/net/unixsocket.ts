/**
 * Unix-domain sockets: `bindUnixSocket`.
 *
 * Invariant: a file is removed only when it is a socket that no process listens on.
 * Reference: Tornado's netutil.bind_unix_socket; unix(7).
 */
import { lstat, stat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, resolve } from "node:path";
import type { ListeningSocket } from "../core/address.js";
import { BACKLOG_MAX, wholeNumber } from "../core/check.js";
import { BindError, OptionError, RuntimeUnavailableError } from "../core/errors.js";
import { BACKLOG } from "../core/limits.js";
import { type RuntimeName, resolveRuntime } from "../core/runtimename.js";
import { boundHandles } from "../nodeinternals/boundhandle.js";
import { runtimeNamed } from "../runtime/index.js";
import { listenOn, listenUnix } from "../runtime/node/listener.js";
import { listenSharedUnix } from "../runtime/node/sharedlistener.js";
import { rememberBound, takeInherited } from "./inheritedsockets.js";

/** How to bind a Unix-domain socket. */
export interface BindUnixOptions {
  /** Permissions of the file: which users may connect. Default 0o600. */
  mode?: number;
  /** Connections that wait in the kernel. Default 511. */
  backlog?: number;
  /** The runtime that will serve the socket. Default as in ServerOptions; only `"node"` can. */
  runtime?: RuntimeName | undefined;
}

/**
 * What sun_path holds, less the name's end and what the first name of the file is longer (runtime/sharedlistener.ts).
 */
const PATH_BYTES_MAX = (process.platform === "linux" ? 107 : 103) - `.${process.pid}`.length;

/**
 * Binds a Unix-domain socket at `path` and listens; it is to be given to `addSockets`. The file is there when this
 * resolves, not before it can be connected to, and goes when the socket is closed. A socket that no process listens
 * on any more is replaced. On Linux a `path` that starts with `"\0"` is an abstract name, without a file.
 *
 * Rejects with BindError: `"EADDRINUSE"` when a process listens there, `"ENOTSOCK"` when the file is something else.
 * wasmtime takes no such sockets: there it rejects with RuntimeUnavailableError.
 */
export async function bindUnixSocket(path: string, options: BindUnixOptions = {}): Promise<ListeningSocket> {
  const { mode = 0o600, backlog = BACKLOG } = options;
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o777) {
    throw new OptionError(`mode must be a whole number from 0 to 0o777, not ${String(mode)}`);
  }
  wholeNumber("backlog", backlog, 1, BACKLOG_MAX);
  const runtime = resolveRuntime(options.runtime);
  if (runtime !== "node") {
    throw new RuntimeUnavailableError(
      `cannot listen on ${path}: the runtime ${runtime} takes no Unix-domain sockets; use the runtime "node"`,
    );
  }
  const key = JSON.stringify(["unix", path]);
  const [inherited] = takeInherited(key) ?? [];
  if (inherited !== undefined) return runtimeNamed("node").adopt(inherited.address, inherited.fd, backlog);
  const abstract = path.startsWith("\0");
  const absolute = abstract ? path : resolve(path);
  if (Buffer.byteLength(absolute) > PATH_BYTES_MAX) throw new BindError("ENAMETOOLONG", path, null);
  if (!abstract) await removeStale(absolute);
  if (!boundHandles.isThere()) return listenUnix(absolute, mode, backlog);
  const shared = await listenSharedUnix(absolute, mode, backlog);
  const socket = listenOn(shared, backlog);
  rememberBound(key, [socket]);
  return socket;
}

/** Removes the file of a socket that no process listens on. Rejects with BindError when `path` is not free after it. */
async function removeStale(path: string): Promise<void> {
  try {
    if (!(await stat(dirname(path))).isDirectory()) throw new BindError("ENOTDIR", path, null);
    const found = await lstat(path);
    if (!found.isSocket()) throw new BindError("ENOTSOCK", path, null);
    if (await isServed(path)) throw new BindError("EADDRINUSE", path, null);
    await unlink(path);
  } catch (error) {
    if (error instanceof BindError) throw error;
    const { code = "EIO", syscall } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" || syscall === "stat") throw new BindError(code, path, null);
  }
}

/** Whether a process listens; also when it is too busy, or its socket is not for this user. */
function isServed(path: string): Promise<boolean> {
  return new Promise((settle) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      settle(true);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => {
      settle(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}
