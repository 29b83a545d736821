/**
 * The sandbox in processes of its own: wasmtime owns the connections. A child holds the listeners that it was given, a
 * clock and the pipes of childworker.ts.
 *
 * Reference: sd_listen_fds(3) for LISTEN_FDS and LISTEN_PID; `wasmtime run -S help`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { LOOPBACK } from "../../core/address.js";
import { OptionError } from "../../core/errors.js";
import { BACKLOG } from "../../core/limits.js";
import { type Grants, grantArguments, NO_GRANTS } from "../grants.js";
import { memoryBytesWith } from "../modulememory.js";
import { exportsName } from "../modulesections.js";
import { listenShared, listenSharedNow, SharedListener } from "../node/sharedlistener.js";
import type { Runtime, Worker } from "../worker.js";
import { findWasmtime, type Wasmtime } from "./binary.js";
import { ChildWorker } from "./childworker.js";
import { precompile, startOf } from "./precompiled.js";
import { relay } from "./tlsrelay.js";

/** What a module exports that can be asked to drain (assembly/server/draining.ts). */
const SUPERVISED = "supervised";
/** SD_LISTEN_FDS_START: behind the standard streams. */
const FIRST_SOCKET_FD = 3;

/** The one that `prepare` has found. */
let wasmtime: Wasmtime | null = null;
interface Module {
  /** What its memory may have; null: as much as the module itself allows. */
  readonly memoryBytesMax: number | null;
  /** What is invoked in the place of `_start`, if the module has it. */
  readonly isSupervised: boolean;
}

const modules = new Map<string, Module>();

export const wasmtimeRuntime: Runtime = {
  name: "wasmtime",
  bind: listenShared,
  bindNow(host, port, backlog, options) {
    const socket = listenSharedNow(host, port, backlog, options);
    return { address: socket.address, socket: Promise.resolve(socket) };
  },
  adopt: (address, fd) => new SharedListener("wasmtime", address, fd),
  guard(sockets, guard) {
    if (guard.tls === null) throw new OptionError("wasmtime workers cannot tell who connects");
    const inner = () => listenShared(LOOPBACK, 0, BACKLOG);
    return relay(sockets as readonly SharedListener[], inner, guard, guard.tls);
  },
  async prepare(module, growthBytesMax = Number.POSITIVE_INFINITY): Promise<void> {
    wasmtime = await findWasmtime("wasmtime");
    const bytes = await readFile(module).catch(() => Buffer.alloc(0)); // wasmtime says why
    const memoryBytesMax = growthBytesMax === Number.POSITIVE_INFINITY ? null : memoryBytesWith(bytes, growthBytesMax);
    modules.set(module, { memoryBytesMax, isSupervised: exportsName(bytes, SUPERVISED) });
    await precompile(wasmtime.file, module, bytes);
  },
  start(module, sockets, events, grants = NO_GRANTS): Worker {
    const child = spawnModule(module, sockets as readonly SharedListener[], grants);
    return new ChildWorker(child, events, modules.get(module)?.isSupervised ? "message" : undefined);
  },
};

/**
 * The shell only sets LISTEN_PID to the pid that wasmtime will have. A group of its own keeps a terminal's Ctrl-C away.
 */
function spawnModule(module: string, sockets: readonly SharedListener[], grants: Grants): ChildProcess {
  const { memoryBytesMax: bytesMax = null, isSupervised = false } = modules.get(module) ?? {};
  const { file } = wasmtime as Wasmtime;
  const { args, fds } = startOf(file, module, FIRST_SOCKET_FD + sockets.length);
  return spawn(
    "sh",
    [
      "-c",
      'LISTEN_PID=$$ exec "$0" "$@"',
      file,
      "run",
      "-C",
      "cache=n",
      "-S",
      "preview2=n",
      "-S",
      "listenfd",
      ...(bytesMax === null ? [] : ["-W", `max-memory-size=${bytesMax}`]),
      ...(isSupervised ? ["--invoke", SUPERVISED] : []),
      ...grantArguments(grants),
      ...args,
    ],
    {
      stdio: ["pipe", "pipe", "pipe", ...sockets.map((socket) => socket.fd), ...fds],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, LISTEN_FDS: String(sockets.length) },
      detached: true,
    },
  );
}
