// HAProxy in front of hosts, with the configuration of deploy/: only where it and the hosts listen is other than there.
//
// Reference: HAProxy's configuration manual, `bind fd@`, which has it accept from a socket that it inherits.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { ROOT } from "../e2e/support/ways.js";

/** Where a host serves, and where its admin server is. */
export interface Place {
  readonly address: string;
  readonly port: number;
  readonly adminPort: number;
}

export class HAProxy {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(port: number, process: ChildProcess, folder: string) {
    this.port = port;
    this.#process = process;
    this.#folder = folder;
  }

  /** Starts it on a free port of 127.0.0.1. Connections wait until it serves. */
  static async start(hosts: readonly Place[]): Promise<HAProxy> {
    const folder = mkdtempSync(path.join(tmpdir(), "waterspout-haproxy-"));
    const file = path.join(folder, "haproxy.cfg");
    writeFileSync(file, configuration(hosts));
    const listener = net.createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { fd } = (listener as unknown as { _handle: { fd: number } })._handle;
    const child = spawn("haproxy", ["-db", "-q", "-f", file], { stdio: ["ignore", "ignore", "inherit", fd] });
    const { port } = listener.address() as net.AddressInfo;
    listener.close();
    await once(child, "spawn");
    return new HAProxy(port, child, folder);
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "exit");
    if (this.#process.exitCode === null && this.#process.kill("SIGKILL")) await ended;
    rmSync(this.#folder, { recursive: true });
  }
}

/** deploy/haproxy.cfg for hosts that listen elsewhere. Throws when it does not have one line for each. */
function configuration(hosts: readonly Place[]): string {
  const text = readFileSync(path.join(ROOT, "deploy/haproxy.cfg"), "utf8");
  const rest = [...hosts];
  const changed = text.replace(/^( +bind) \S+/m, "$1 fd@3").replace(/^( +server \w+) \S+ port \d+/gm, (_, name) => {
    const { address, port, adminPort } = rest.shift()!;
    return `${name} ${address}:${port} port ${adminPort}`;
  });
  if (rest.length > 0) throw new Error(`deploy/haproxy.cfg has ${rest.length} hosts too few`);
  return changed;
}
