/**
 * A listener that this process holds and wasmtime workers accept from, so that it outlives them: connections that come while
 * no worker lives wait in the kernel for the next one.
 *
 * What libuv listens on it also accepts from; so the handle is bound here, made to listen by a child that inherits it and
 * exits, and never polled by this process. The handle is Node's private `tcp_wrap`: node:net has no socket that is bound only.
 */
import { spawn } from "node:child_process";
import { getSystemErrorName } from "node:util";
import { type Address, familyOf, type ListeningSocket } from "../address.js";
import { BindError, RuntimeUnavailableError } from "../errors.js";

/** The part of tcp_wrap's TCP that is used. Results are 0 or -errno. */
interface TcpHandle {
  readonly fd: number;
  bind(address: string, port: number): number;
  bind6(address: string, port: number, flags: number): number;
  getsockname(out: { port?: number }): number;
  setNoDelay(yes: boolean): number;
  close(): void;
}

interface TcpBinding {
  readonly TCP: new (type: number) => TcpHandle;
  readonly constants: { readonly SERVER: number; readonly UV_TCP_IPV6ONLY: number };
}

/** What the child runs: it takes descriptor 3, listens, and exits with the error's number. */
const LISTEN = `
  const { TCP, constants } = process.binding("tcp_wrap");
  const handle = new TCP(constants.SERVER);
  const error = handle.open(3) || handle.listen(Number(process.argv[1]));
  process.reallyExit(-error);`;

export class SharedListener implements ListeningSocket {
  readonly runtime = "wasmtime";
  readonly address: Address;
  readonly #handle: TcpHandle;
  #closed = false;

  constructor(handle: TcpHandle, address: Address) {
    this.#handle = handle;
    this.address = address;
  }

  /** The descriptor in this process, for a child's stdio. */
  get fd(): number {
    return this.#handle.fd;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handle.close();
  }
}

/** Binds and listens. Rejects with BindError. */
export async function listenShared(address: string, port: number, backlog: number): Promise<SharedListener> {
  const { TCP, constants } = tcpBinding();
  const handle = new TCP(constants.SERVER);
  const family = familyOf(address);
  const name: { port?: number } = {};
  // What accept() returns has the listener's TCP_NODELAY; the sandbox has no way to set it. A port in use is told by
  // getsockname: libuv keeps that error of bind back.
  const error =
    (family === "IPv6" ? handle.bind6(address, port, constants.UV_TCP_IPV6ONLY) : handle.bind(address, port)) ||
    handle.getsockname(name) ||
    handle.setNoDelay(true) ||
    (await listenInChild(handle.fd, backlog));
  if (error !== 0) {
    handle.close();
    throw new BindError(getSystemErrorName(error), address, port);
  }
  return new SharedListener(handle, { address, port: name.port ?? port, family });
}

function tcpBinding(): TcpBinding {
  const process_ = process as unknown as { binding?: (name: string) => TcpBinding };
  try {
    return process_.binding?.("tcp_wrap") as TcpBinding;
  } catch (error) {
    throw new RuntimeUnavailableError(`the wasmtime runtime cannot bind ports with Node ${process.version}`, {
      cause: error,
    });
  }
}

/** Returns 0 or -errno. */
function listenInChild(fd: number, backlog: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["-e", LISTEN, String(backlog)], {
      stdio: ["ignore", "ignore", "ignore", fd],
      env: {},
    });
    child.on("error", reject);
    child.on("exit", (status) => resolve(status === null ? -1 : -status));
  });
}
