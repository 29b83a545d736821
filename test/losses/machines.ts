// Machines of a fleet: network namespaces, each joined to one bridge by a cable that can be pulled out. This process is in
// the namespace of the bridge, a new one (`make fleet`), so that nothing of it is seen outside and all of it ends with it.
//
// Reference: network_namespaces(7), veth(4), ip-link(8).
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";

const BRIDGE = "fleet";
/** A /24, of which the machines have .1, .2 and so on. */
const NETWORK = "10.77.0";

/** Makes the bridge; throws where this is not a namespace of our own. */
export function makeBridge(): void {
  const links = JSON.parse(execFileSync("ip", ["-json", "link"], { encoding: "utf8" })) as { ifname: string }[];
  if (links.some(({ ifname }) => ifname !== "lo")) throw new Error("not in a network namespace of its own: make fleet");
  ip("link set lo up");
  ip(`link add ${BRIDGE} type bridge`);
  ip(`address add ${NETWORK}.254/24 dev ${BRIDGE}`);
  ip(`link set ${BRIDGE} up`);
}

export class Machine {
  readonly address: string;
  readonly #cable: string;
  /** Keeps the namespace while nothing else runs there. */
  readonly #holder: ChildProcess;

  private constructor(number: number, holder: ChildProcess) {
    this.address = `${NETWORK}.${number}`;
    this.#cable = `cable${number}`;
    this.#holder = holder;
  }

  static async start(number: number): Promise<Machine> {
    // It has its namespace when it says so, and ends when this process does.
    const holder = spawn("unshare", ["--net", "sh", "-c", "echo; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    const machine = new Machine(number, holder);
    ip(`link add ${machine.#cable} type veth peer name eth0 netns ${holder.pid}`);
    for (const command of ["link set lo up", `address add ${machine.address}/24 dev eth0`, "link set eth0 up"])
      execFileSync("nsenter", [...machine.wrap.slice(1), "ip", ...command.split(" ")]);
    ip(`link set ${machine.#cable} up`);
    machine.join();
    return machine;
  }

  /** What a command begins with that is to run there. */
  get wrap(): string[] {
    return ["nsenter", `--net=/proc/${this.#holder.pid}/ns/net`];
  }

  /** Pulls the cable out: what is sent is lost, and nobody is told. */
  cut(): void {
    ip(`link set ${this.#cable} nomaster`);
  }

  /** Puts the cable in again. */
  join(): void {
    ip(`link set ${this.#cable} master ${BRIDGE}`);
  }

  remove(): void {
    this.#holder.kill();
  }
}

function ip(command: string): void {
  execFileSync("ip", command.split(" "));
}
