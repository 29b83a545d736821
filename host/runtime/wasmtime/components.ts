/**
 * The sandbox, or an application by itself, as a component of WASI 0.3 or 0.2 in a process of wasmtime, which opens the
 * port itself and knows its peers. It has one address and one worker. A component of wasi:http leaves the port to
 * wasmtime.
 *
 * A port is bound here without listening on it, and stays bound: so its number is known before a worker starts, remains
 * this program's when one is replaced, and an address that cannot be had is an error with the system's code. While
 * there is no worker, connections are refused. This needs a system that lets a second socket bind the port of one that
 * does not listen, as Linux does with SO_REUSEADDR.
 *
 * Invariant: what a component cannot do is refused in one sentence that names the runtimes that can.
 * Reference: `wasmtime run -S help`; assembly/wasi/component/settings.ts for the arguments.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { type Address, hostAndPort, type ListeningSocket, LOOPBACK } from "../../core/address.js";
import { OptionError, RuntimeUnavailableError } from "../../core/errors.js";
import { BACKLOG } from "../../core/limits.js";
import { type ComponentName, whyNotInComponent } from "../../core/runtimename.js";
import { componentKind, coreModuleOf } from "../componentkind.js";
import { type Grants, grantArguments, NO_GRANTS } from "../grants.js";
import { memoryBytesWith } from "../modulememory.js";
import { bindHandle, SharedListener } from "../node/sharedlistener.js";
import type { BindSettings, Runtime } from "../worker.js";
import { findWasmtime, type Wasmtime } from "./binary.js";
import { ChildWorker } from "./childworker.js";
import { precompile, type Start, startOf } from "./precompiled.js";
import { relay, TLSRelay } from "./tlsrelay.js";

/** A port that is bound, for a component to listen on. */
class ReservedPort extends SharedListener {
  readonly backlog: number;

  constructor(runtime: ComponentName, address: Address, fd: number, backlog: number, close?: () => void) {
    super(runtime, address, fd, close);
    this.backlog = backlog;
  }
}

/** What `wasmtime serve` says by itself when it begins to serve and when it drains. */
const SERVE_LINES = /^(Serving HTTP on http|Waiting for child tasks to exit)/;

/** wasmtime 46 and 47 end an instance of wasi:http 0.3 in the middle of its requests: "resource not present". */
const HTTP_ASYNC_MIN = 48;

/** The first descriptor of a component's process behind its standard streams. */
const FREE_FD = 3;

/** What is known of a component. */
interface Component {
  readonly isHTTP: boolean;
  /** What its memory may have; null: as much as it allows itself. */
  readonly memoryBytesMax: number | null;
}

/** The runtime of that name. */
export function componentRuntime(name: ComponentName): Runtime {
  let wasmtime: Wasmtime | null = null;
  const components = new Map<string, Component>();
  const reserve = (at: string, port: number, backlog: number, options: Partial<BindSettings> = {}): ReservedPort => {
    if (options.reusePort === true) throw new OptionError(whyNotInComponent(name, "no SO_REUSEPORT"));
    if (options.ipv6Only === false) throw new OptionError(whyNotInComponent(name, "IPv6 sockets for IPv6 alone"));
    const { handle, address } = bindHandle(at, port);
    return new ReservedPort(name, address, handle.fd, backlog, () => handle.close());
  };
  return {
    name,
    bind: async (address, port, backlog, options) => reserve(address, port, backlog, options),
    bindNow(address, port, backlog, options) {
      const socket = reserve(address, port, backlog, options);
      return { address: socket.address, socket: Promise.resolve(socket) };
    },
    adopt: (address, fd, backlog) => new ReservedPort(name, address, fd, backlog),
    guard(sockets, guard) {
      if (guard.tls === null) throw new OptionError(whyNotInComponent(name, "no check of who connects"));
      const inner = async () => reserve(LOOPBACK, 0, BACKLOG);
      return relay(sockets as readonly SharedListener[], inner, guard, guard.tls);
    },
    async prepare(module, growthBytesMax = Number.POSITIVE_INFINITY): Promise<void> {
      const bytes = await readFile(module).catch(() => {
        throw new RuntimeUnavailableError(`the runtime ${name} needs ${module}, which is not there: run "make build"`);
      });
      const kind = componentKind(bytes);
      components.set(module, {
        isHTTP: kind !== null && kind !== "unknown" && kind.isHTTP,
        memoryBytesMax:
          growthBytesMax === Number.POSITIVE_INFINITY ? null : memoryBytesWith(coreModuleOf(bytes), growthBytesMax),
      });
      wasmtime = await findWasmtime(name);
      const { file, version } = wasmtime;
      if (name === "component-async" && components.get(module)?.isHTTP && Number.parseInt(version, 10) < HTTP_ASYNC_MIN)
        throw new RuntimeUnavailableError(
          `${module} needs wasmtime ${HTTP_ASYNC_MIN} or later: ${file} is ${version}, which loses its requests`,
        );
      if (components.get(module)?.isHTTP === false) await precompile(file, module, bytes);
    },
    start(module, sockets, events, grants = NO_GRANTS) {
      const component = components.get(module) as Component;
      const { file } = wasmtime as Wasmtime;
      const code = startOf(file, module, FREE_FD);
      const child = spawnComponent(file, argumentsFor(component, code, portOf(name, sockets), grants), code.fds);
      endWithThisProcess(child);
      if (!component.isHTTP) return new ChildWorker(child, events);
      const log = (line: string) => {
        if (!SERVE_LINES.test(line)) events.log(line);
      };
      return new ChildWorker(child, { ...events, log }, "SIGINT");
    },
  };
}

/** Throws OptionError when there is more than one. */
export function portOf(name: ComponentName, sockets: readonly ListeningSocket[]): ReservedPort {
  const [socket, ...more] = sockets;
  if (more.length > 0) {
    const all = sockets.map(({ address }) => hostAndPort(address)).join(" and ");
    throw new OptionError(whyNotInComponent(name, `one address, and these are ${all}`));
  }
  return (socket instanceof TLSRelay ? socket.inner : socket) as ReservedPort;
}

function argumentsFor(
  { isHTTP, memoryBytesMax }: Component,
  { args }: Start,
  { address, backlog }: ReservedPort,
  grants: Grants,
): string[] {
  const memory = memoryBytesMax === null ? [] : ["-W", `max-memory-size=${memoryBytesMax}`];
  const given = [...memory, ...grantArguments(grants)];
  if (isHTTP) {
    const where = ["--addr", hostAndPort(address)];
    return ["serve", "-C", "cache=n", "-S", "cli=y", "--no-logging-prefix", ...where, ...given, ...args];
  }
  const network = ["-S", "inherit-network=y", "-S", "udp=n"];
  const where = ["--address", address.address, "--port", String(address.port), "--backlog", String(backlog)];
  return ["run", "-C", "cache=n", ...network, ...given, ...args, ...where];
}

/** A group of its own keeps a terminal's Ctrl-C away. */
function spawnComponent(binary: string, args: readonly string[], fds: readonly number[]): ChildProcess {
  return spawn(binary, args, {
    stdio: ["pipe", "pipe", "pipe", ...fds],
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    detached: true,
  });
}

/**
 * An application that is a component does not read its stdin, so it would serve on, with the port, when this process
 * was killed: a shell waits for that and ends it.
 */
function endWithThisProcess(child: ChildProcess): void {
  if (child.pid === undefined) return; // it could not be started
  const guard = spawn("/bin/sh", ["-c", 'read -r _; kill -9 "$1"', "sh", String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    env: {},
    detached: true,
  });
  guard.on("error", () => {}); // without a shell it is as if there were none
  guard.stdin.on("error", () => {});
  guard.unref();
  child.once("exit", () => guard.kill("SIGKILL"));
}
